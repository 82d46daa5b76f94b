/* Streams lend what they receive, and send it from there: that is one copy into memory and one out of it, which
 * splice(2) spares. The sockets stay the streams': a stream does the waiting, before and after. */
#include "splice.h"

#include <fcntl.h>
#include <unistd.h>

enum { AT_ONCE = 256 * 1024, REST = 16384 };

#ifdef __linux__
static bool splice_open(struct splicer *splicer)
{
    if (!splicer->open && !splicer->failed) {
        splicer->open = !pipe2(splicer->ends, O_CLOEXEC | O_NONBLOCK);
        splicer->failed = !splicer->open;
        if (splicer->open)
            (void)fcntl(splicer->ends[1], F_SETPIPE_SZ, AT_ONCE); /* a wish; 64 KiB do as well */
    }
    return splicer->open;
}

/* Gives how many bytes were moved, or a number below 1 when there are none, or no room. */
static ssize_t move(int from, int to, size_t most)
{
    return splice(from, NULL, to, NULL, most, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
}
#else
static bool splice_open(struct splicer *splicer)
{
    splicer->failed = true;
    return false;
}

static ssize_t move(int from, int to, size_t most)
{
    (void)from;
    (void)to;
    (void)most;
    return -1;
}
#endif

/* When the peer is slow, a part of the bytes takes the ordinary way: the stream waits until that has left, and then
 * there is room for the others. */
ASYNC(splice_pass, ARGS((struct splicer *, splicer), (thrum_stream *, from), (thrum_stream *, to)),
      LOCALS(size_t held; ssize_t size;), BUFFERS(char rest[REST];))
{
    ASYNC_BEGIN;
    self->splicer->moved = 0;
    /* What has not left, or is read already, is in front of what is in the sockets. A stream that has none, as on a
     * network that is simulated, gives an error in place of a descriptor. */
    AWAIT(thrum_stream_flush(self->to));
    if (thrum_stream_buffered(self->from) || !splice_open(self->splicer))
        ASYNC_RETURN(0);
    self->size = move(thrum_stream_descriptor(self->from), self->splicer->ends[1], AT_ONCE);
    self->held = self->size > 0 ? (size_t)self->size : 0;
    self->splicer->moved = self->held;
    while (self->held) {
        self->size = move(self->splicer->ends[0], thrum_stream_descriptor(self->to), self->held);
        if (self->size <= 0) { /* no room, or the connection is broken */
            self->size = read(self->splicer->ends[0], self->rest, REST);
            if (self->size <= 0)
                ASYNC_RAISE(THRUM_EINCOMPLETE); /* cannot be: the pipe has bytes */
            AWAIT(thrum_stream_write(self->to, self->rest, (size_t)self->size));
            AWAIT(thrum_stream_flush(self->to));
        }
        self->held -= (size_t)self->size;
    }
    ASYNC_END;
}

void splice_close(struct splicer *splicer)
{
    if (splicer->open) {
        close(splicer->ends[0]);
        close(splicer->ends[1]);
    }
    splicer->open = false;
}
