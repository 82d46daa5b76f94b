/* What the whole proxy shares. */
#ifndef PROXY_H
#define PROXY_H

#include <stdbool.h>
#include <stddef.h>

#include <thrum.h>

struct proxy {
    const char *host, *port; /* where connections go */
    size_t most;             /* connections at a time */
    size_t connections;      /* there are now */
    thrum_time patience;     /* how long connecting may take */
    thrum_time idle;         /* how long neither side may send anything */
    bool quiet;              /* no line a connection */
    bool copy;               /* bytes go through this program's memory, always */
};

/* connection.c: forwards one connection; `context` is the proxy. */
thrum_awaitable connection(thrum_stream *client, void *context);

#endif
