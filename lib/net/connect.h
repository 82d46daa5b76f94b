/* Connecting to whichever of several addresses answers. */
#ifndef THRUM_NET_CONNECT_H
#define THRUM_NET_CONNECT_H

#include <thrum/streams.h>

#include "net/resolve.h"

/* What is tried, and how. It outlives the await. */
typedef struct connect_plan {
    net_addresses addresses, local; /* `local`: bind to one of these first, if there are any */
    thrum_stream_options stream;
    thrum_time delay; /* until the next address is tried beside the one before; 0: that has to fail first */
    bool all_errors;  /* give them as a group */
} connect_plan;

/* Gives a thrum_stream *, owned; or the error of the attempts, whose detail names each. */
thrum_awaitable connect_any(const connect_plan *plan) THRUM_MUST_USE_;

/* Copy what is given, or the defaults in place of NULL. THRUM_EINVAL. */
int connect_check(const thrum_connect_options *given, thrum_connect_options *options, thrum_stream_options *settings);

/* Begin what the options say of TLS; `host` is whom the peer is to be, unless they say that, too. */
thrum_awaitable connect_tls(thrum_stream *stream, const thrum_connect_options *options, const char *host,
                            bool server_side) THRUM_MUST_USE_;

/* Let the families take turns, after the first `first` of the one that comes first. THRUM_ENOMEM. */
int connect_interleave(net_addresses *addresses, unsigned first);

#endif
