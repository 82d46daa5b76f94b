/* What reads ask a stream that is fed by hand: STREAM_FED is among its flags. */
#ifndef THRUM_NET_STREAM_FEED_H
#define THRUM_NET_STREAM_FEED_H

#include "net/stream.h"

/* As stream_receive_buffered(); everything lies in the buffer already: the end, STREAM_AGAIN, or the error. */
long stream_fed_more(const thrum_stream *stream);

/* A step of read_exactly: its bytes stay in the buffer until all are there. */
thrum_step stream_fed_exactly(thrum_stream *stream, thrum_task *task);

#endif
