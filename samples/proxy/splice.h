/* Bytes from one socket to another by splice(2), past this program's memory. Linux only; elsewhere it moves nothing. */
#ifndef PROXY_SPLICE_H
#define PROXY_SPLICE_H

#include <stddef.h>

#include <thrum.h>

/* The pipe that bytes pass through. It belongs to one direction of one connection, from its first use on. */
struct splicer {
    bool failed;  /* there is no pipe to be had, or no splice(): nobody tries again */
    bool open;    /* `ends` are */
    int ends[2];  /* of the pipe: read, write */
    size_t moved; /* bytes, by the last call */
};

/* Move what `from` has received by now, without waiting for more. The end of the input and errors of `from` are left to
 * its next fill or read. Fails as thrum_stream_write() does. */
thrum_awaitable splice_pass(struct splicer *splicer, thrum_stream *from, thrum_stream *to);

/* Give the pipe back. Doing it twice does nothing. */
void splice_close(struct splicer *splicer);

#endif
