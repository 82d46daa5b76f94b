/* What stands in for the system calls of a stream that is carried by something else than a socket: STREAM_CARRIED is
 * among its flags, so that the others pay nothing for it where it counts. */
#ifndef THRUM_NET_CARRIER_H
#define THRUM_NET_CARRIER_H

#include <sys/uio.h>

#include <thrum/carriers.h>

#include "loop/io.h"

/* As stream_receive() and stream_send(). */
long stream_carrier_receive(thrum_stream *stream, void *to, size_t size);
long stream_carrier_send(thrum_stream *stream, const struct iovec *pieces, size_t count);

/* Begin or end to watch a direction. */
void stream_carrier_watch(thrum_stream *stream, thrum_io *io, bool on);

/* The carrier says that it can be asked again. */
void stream_carrier_tell(thrum_stream *stream, unsigned events);

void stream_carrier_close(thrum_stream *stream);
void stream_carrier_address(const thrum_stream *stream, bool peer, char *text, size_t room);

#endif
