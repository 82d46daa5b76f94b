/* How a stream sends: what was collected, what waits for room, and who waits to write. */
#ifndef THRUM_NET_STREAM_OUTPUT_H
#define THRUM_NET_STREAM_OUTPUT_H

#include "net/stream.h"

/* A part of a file that is to be sent. */
typedef struct stream_file {
    int descriptor;
    bool portable;     /* sendfile(2) does not take it */
    bool native;       /* and nothing else will do */
    bool of_transport; /* which alone may send there */
    bool follows;      /* what was written before it may be held back until it comes */
    uint64_t offset;
    size_t count;
    const struct thrum_passing *passing; /* no file, but bytes that descriptors go with; or NULL */
} stream_file;

/* A task that waits to write: a block of the pool, while it waits. */
typedef struct stream_writer {
    struct stream_writer *next, *previous; /* a circle, first come first */
    thrum_task *task;
    thrum_stream *stream;
    const thrum_slice *slices; /* those that have not left; NULL: a flush, or a file */
    stream_file *file;         /* whose bytes from `done` to `total` are to leave, or NULL */
    size_t count, offset;      /* how many; bytes of the first that have left */
    size_t total, done;
    thrum_slice one; /* of a plain write */
    int error;
    int failed; /* reading the file did */
    bool running, over;
} stream_writer;

/* What a stream has only while something keeps it from sending or from ending, so that one that waits for its peer does
 * without: stream_outlet.c. */
typedef struct stream_outlet {
    thrum_io io;        /* until the kernel has room */
    thrum_handle pump;  /* sends when nobody waits to write */
    thrum_handle timer; /* the deadline of a close */
} stream_outlet;

/* ---- stream_outlet.c ---- */

/* Be told when the kernel has room, or has connected. 0; else the output cannot go on: THRUM_ENOMEM, or why the backend
 * does not watch for it. */
int stream_await_room(thrum_stream *stream);

/* Nothing is to be sent: it goes, unless the end waits for its deadline. */
void stream_outlet_rest(thrum_stream *stream);

/* It goes in any case, and nothing that was to be called is. */
void stream_outlet_give(thrum_stream *stream);

static inline bool stream_awaits_room(const thrum_stream *stream)
{
    return stream->outlet && stream->outlet->io.started;
}

/* Set the deadline of a close. 0, or an error as stream_await_room(). */
int stream_outlet_arm(thrum_stream *stream, thrum_time delay);

/* ---- stream_output.c ---- */

/* Small writes of a step leave together. The stream that was written to last has its bytes in memory of the loop's, any
 * other in its own output buffer, and is one of the others. All are sent when a task waits for input, and before the
 * loop waits. */
typedef struct net_collected {
    thrum_stream *stream; /* whose bytes they are; its output buffer is empty then */
    size_t size;
    thrum_stream **others; /* in the order in which they began; NULL: one that has left */
    unsigned count, room;  /* of that array, which is there only while some are in it */
    unsigned corked;       /* so many are */
    bool lent;             /* a protocol looks at the loop's scratch memory */
    char *scratch;         /* that memory */
} net_collected;

extern THRUM_PER_THREAD_ net_collected stream_collected;

void stream_send_collected(void);

static inline void stream_flush_collected(void)
{
    if (stream_collected.stream || stream_collected.corked)
        stream_send_collected();
}

/* Collect a small write of a stream that nobody waits to write to. False: no memory. */
bool stream_collect_slow(thrum_stream *stream, const void *data, size_t size);

static inline char *stream_collected_data(void)
{
    return stream_collected.scratch + LOOP_SCRATCH;
}

/* Leave a small write, of at most LOOP_COLLECTED bytes, to be sent with others. False: it is too much, or there is no
 * memory. */
bool stream_collect_otherwise(thrum_stream *stream, const void *data, size_t size);

static inline bool stream_collect(thrum_stream *stream, const void *data, size_t size)
{
    if (stream->writers)
        return false;
    if (THRUM_UNLIKELY_(stream->output || stream_collected.stream))
        return stream_collect_otherwise(stream, data, size);
    stream_collected.stream = stream;
    stream_collected.size = size;
    memcpy(stream_collected_data(), data, size);
    return true;
}

/* What was written and has not left, without what writers hold that wait. */
static inline size_t stream_pending(const thrum_stream *stream)
{
    return stream_collected.stream == stream ? stream_collected.size : buffer_size(stream->output);
}

/* It is none of the others any more. */
void stream_uncork(thrum_stream *stream);

/* What was collected goes into the output buffer, to be sent from there; or nowhere, when the output is broken. */
void stream_uncollect(thrum_stream *stream);

/* Send what is written, and what the waiting writers have, in this order; wake those who have got their way. */
void stream_pump(thrum_stream *stream);

/* One sendmsg() of the buffer and these slices: bytes sent, STREAM_AGAIN, or an error. */
long stream_send(thrum_stream *stream, const thrum_slice *slices, size_t count, size_t offset);

/* The same of what was collected, before a file: both can leave in one packet. Not on a carrier. */
long stream_send_more(thrum_stream *stream);

/* So many bytes have left: take them off the buffer (gives those that were not of it), or off a writer. */
size_t stream_output_advance(thrum_stream *stream, size_t sent);
void stream_writer_advance(stream_writer *writer, size_t sent);

static inline size_t stream_unsent(const stream_writer *writer)
{
    return writer->total - writer->done;
}

/* Put what a writer has left into the buffer. False: no memory, and nothing has changed. */
bool stream_keep_rest(thrum_stream *stream, stream_writer *writer);

/* More pieces than this do not go into one system call. */
enum { STREAM_PIECES = 64 };

/* The output is broken: drop it, tell the writers. */
void stream_output_failed(thrum_stream *stream, int error);

/* The same without an error of the connection's, since it is over: the writers get this one. */
void stream_drop_output(thrum_stream *stream, int error);

/* Stand last in the queue of its stream; leave it. */
void stream_writer_add(stream_writer *writer);
void stream_writer_remove(stream_writer *writer);

/* End a writer's wait: it is out of the queue, and its block freed unless it runs. */
void stream_writer_over(stream_writer *writer, int error);

void stream_writable(thrum_io *io);
void stream_pump_call(thrum_handle *handle);

/* ---- stream_sendfile.c ---- */

/* Send what is pending or a piece of the file: bytes sent (of `*wanted`, the pending ones first), STREAM_AGAIN, or an
 * error of the connection. When the file has ended, or failed, the writer's `total` is what was done. */
long stream_send_file(thrum_stream *stream, stream_writer *writer, size_t *wanted);

/* For tests: never use sendfile(2). */
extern bool stream_sendfile_portable;

/* ---- stream_passing.c ---- */

/* Bytes and descriptors in the place of a file. */
long stream_send_passing(thrum_stream *stream, const stream_writer *writer, size_t *wanted);

/* ---- stream_write.c ---- */

/* Write without waiting: what the system does not take now is kept, however much it is. 0, or the error that broke the
 * output. */
int stream_put(thrum_stream *stream, const void *data, size_t size);
int stream_put_slices(thrum_stream *stream, const thrum_slice *slices, size_t count);

/* What has left this stream, but not the one that carries it. */
size_t stream_below_tls(const thrum_stream *stream); /* called by way of the next one, whose callers stay small */

static inline size_t stream_below(const thrum_stream *stream)
{
    return THRUM_UNLIKELY_(stream->flags & STREAM_TLS) ? stream_below_tls(stream) : 0;
}

/* Write a part of a file; `file` outlives the await, which gives how many bytes it had. */
thrum_awaitable stream_write_file(thrum_stream *stream, stream_file *file) THRUM_MUST_USE_;

#endif
