/* A stream as the files of this folder see it. */
#ifndef THRUM_NET_STREAM_H
#define THRUM_NET_STREAM_H

#include <string.h>

#include <thrum/handles.h>
#include <thrum/streams.h>
#include <thrum/tasks.h>

#include "core/state.h"
#include "loop/io.h"
#include "net/address.h"
#include "net/buffer.h"
#include "net/carrier.h"
#include "net/tls/above.h"

enum {
    STREAM_INPUT_ENDED = 0x0001,     /* recv() gave end of file */
    STREAM_WRITE_EOF = 0x0002,       /* the output ends behind what is written */
    STREAM_FIN_SENT = 0x0004,        /* and has ended */
    STREAM_CLOSING = 0x0008,         /* no more use */
    STREAM_CLOSED = 0x0010,          /* the descriptor is gone */
    STREAM_SERVED = 0x0020,          /* a server's */
    STREAM_ENDED_BY_SERVER = 0x0040, /* closed by its server: reads give end of file */
    STREAM_TRY_FIRST = 0x0080,       /* the last read filled its buffer: there may be more */
    STREAM_CONNECTING = 0x0100,      /* the reader waits for connect() */
    STREAM_LOSS_TOLD = 0x0200,       /* somebody was told of `loss` */
    STREAM_FORGOTTEN = 0x0400,       /* the loop is gone */
    STREAM_LENT = 0x0800,            /* the input's memory was lent: it stays until the stream is used again */
    STREAM_CARRIED = 0x1000,         /* by `carrier`: there is no descriptor */
    STREAM_FED = 0x2000,             /* by hand, right into `input` */
    STREAM_FED_EOF = 0x4000,         /* the end was fed */
    STREAM_TRANSPORT = 0x8000,       /* its reader is a protocol: `transport` */
    STREAM_FINISHED = 0x10000,       /* everything has left while it closes: the transport is to tell of the end */
    STREAM_WHOLE = 0x20000,          /* the output cannot end before the input */
    STREAM_SHARED = 0x40000,         /* a pipe: what is not read stays for others */
    STREAM_TLS = 0x100000,           /* carried by TLS: the link begins with a stream_above */
    STREAM_INNER = 0x200000,         /* under such a one: no program has it */
    STREAM_PEER4 = 0x400000,         /* `peer4` is known */
    STREAM_PEER6 = 0x800000,         /* `peer6` is */
    STREAM_CLIENT = 0x1000000        /* it hangs in its server's list, not in the loop's */
};

/* A link of a circle; a circle of one is empty. */
typedef struct net_link {
    struct net_link *next, *previous;
} net_link;

static inline void link_init(net_link *link)
{
    link->next = link->previous = link;
}
static inline bool link_alone(const net_link *link)
{
    return link->next == link;
}
static inline void link_before(net_link *at, net_link *link)
{
    link->next = at;
    link->previous = at->previous;
    at->previous->next = link;
    at->previous = link;
}
static inline void link_remove(net_link *link)
{
    link->previous->next = link->next;
    link->next->previous = link->previous;
    link_init(link);
}

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

/* What the task that reads has asked for. */
typedef struct stream_request {
    union {
        char *to;
        const void **lent;
    };
    size_t size;
    union {
        size_t done;
        size_t scanned; /* for separators */
    };
    const thrum_slice *separators;
} stream_request;

/* What a stream has only while something keeps it from sending or from ending, so that one that waits for its peer does
 * without: stream_outlet.c. */
typedef struct stream_outlet {
    thrum_io io;        /* until the kernel has room */
    thrum_handle pump;  /* sends when nobody waits to write */
    thrum_handle timer; /* the deadline of a close */
} stream_outlet;

/* What many streams have alike, in one place for all of them: stream_settings.c. */
typedef struct stream_settings {
    net_link link;  /* of those in use */
    size_t streams; /* that have them */
    size_t limit, high, low;
    thrum_time close_deadline;
} stream_settings;

/* Most connections wait for their peer most of the time, so what they need only then and when is elsewhere: see
 * tests/bench/README.md for what one takes. */
struct thrum_stream {
    thrum_io in; /* and the descriptor; of STREAM_CARRIED see stream_carrier() */
    uint32_t flags;
    int read_error;               /* what ended the input */
    int write_error;              /* what ended the output */
    int loss;                     /* why bytes were lost, and how many */
    unsigned burst;               /* bytes read without going through the loop */
    unsigned separators, longest; /* of the request: how many, and bytes of one */
    unsigned corked;              /* its place among streams that have collected small writes; 0: none */
    size_t lost;
    thrum_task *reader; /* with STREAM_TRANSPORT one that stands for it, and is never woken */
    union {
        stream_request request;
        struct thrum_transport *transport; /* of STREAM_TRANSPORT */
        stream_above *above;               /* of STREAM_INNER: instead of tasks; or NULL */
    };
    net_buffer *input, *output;
    stream_writer *writers; /* the first one, or NULL */
    stream_outlet *outlet;  /* NULL: it is not needed */
    stream_settings *settings;
    thrum_waiters closers; /* who waits for the end */
    union {
        thrum_loop_closer closer; /* in the loop's list, or in none */
        struct {                  /* of STREAM_CLIENT */
            net_link client;
            struct thrum_server *server;
        };
    };
    union { /* of an Internet socket, kept beyond the end */
        struct {
            struct in_addr address;
            in_port_t port;
        } peer4;
        struct sockaddr_in6 *peer6;
    };
};

/* What stands in for a descriptor, and its link: in the watcher's place for what a backend has, which watches no such
 * stream. NULL: there is a descriptor. */
static inline const thrum_carrier *stream_carrier(const thrum_stream *stream)
{
    return THRUM_UNLIKELY_(stream->flags & STREAM_CARRIED) ? (const thrum_carrier *)stream->in.storage[0] : NULL;
}

static inline void *stream_link(const thrum_stream *stream)
{
    return stream->flags & STREAM_CARRIED ? stream->in.storage[1] : NULL;
}

static inline void stream_carry(thrum_stream *stream, const thrum_carrier *carrier, void *link)
{
    memset(&stream->in, 0, sizeof stream->in);
    stream->in.descriptor = -1;
    stream->flags |= STREAM_CARRIED;
    stream->in.storage[0] = (void *)(uintptr_t)carrier;
    stream->in.storage[1] = link;
}

/* ---- stream.c ---- */

/* Limits filled in; 0 or THRUM_EINVAL. */
int stream_options_check(const thrum_stream_options *given, thrum_stream_options *options);

/* A stream of a socket that is non-blocking and close-on-exec already; options checked. `peer` may be NULL. */
int stream_new(thrum_stream **made, int descriptor, const thrum_stream_options *options, const struct sockaddr *peer);

/* The same over a carrier. */
int stream_new_carried(thrum_stream **made, const thrum_carrier *carrier, void *link,
                       const thrum_stream_options *options);

/* Be told from now on when there is input; or no more. */
static inline void stream_watch(thrum_stream *stream)
{
    if (THRUM_UNLIKELY_(stream->flags & STREAM_CARRIED))
        stream_carrier_watch(stream, &stream->in, true);
    else
        thrum_io_start(&stream->in);
}

static inline void stream_unwatch(thrum_stream *stream)
{
    if (THRUM_UNLIKELY_(stream->flags & STREAM_CARRIED))
        stream_carrier_watch(stream, &stream->in, false);
    else
        thrum_io_stop(&stream->in);
}

/* Remember the address of the other end, if it is one of an Internet socket, in place of what was remembered. False: no
 * memory. */
bool stream_keep_peer(thrum_stream *stream, const struct sockaddr *peer);

/* Hang it in its server's list, which closes with the loop as it would; or in the loop's again. */
void stream_join_server(thrum_stream *stream, struct thrum_server *server);
void stream_leave_server(thrum_stream *stream);

static inline struct thrum_server *stream_server(const thrum_stream *stream)
{
    return stream->flags & STREAM_CLIENT ? stream->server : NULL;
}

/* The loop ends: nobody is woken any more. Who hangs in the loop's list is told by itself. */
void stream_forget(thrum_stream *stream);

/* Whom a stream under TLS tells instead of tasks, or NULL. */
static inline stream_above *stream_over(const thrum_stream *stream)
{
    return stream->flags & STREAM_INNER ? stream->above : NULL;
}

/* What has left this stream, but not the one that carries it. */
size_t stream_below_tls(const thrum_stream *stream); /* called by way of the next one, whose callers stay small */

static inline size_t stream_below(const thrum_stream *stream)
{
    return THRUM_UNLIKELY_(stream->flags & STREAM_TLS) ? stream_below_tls(stream) : 0;
}

/* End the output. */
void stream_end_output(const thrum_stream *stream);

/* Free what is closed, or closes now; whoever waits gets THRUM_ECLOSED. */
void stream_free(thrum_stream *stream);

/* ---- transport.c, transport_read.c, transport_write.c: what STREAM_TRANSPORT means for the other files ---- */

void transport_readable(thrum_io *io);
void transport_closing(const thrum_stream *stream);       /* it begins to close */
void transport_finished(thrum_stream *stream, int error); /* closed, and all has left; or it is lost */
void transport_sent(thrum_stream *stream);                /* less is unsent than before */
void transport_pump(thrum_stream *stream);                /* stream_pump(), called by the loop */
void transport_orphaned(thrum_stream *stream);            /* the stream is freed */
bool transport_is_lost(const thrum_stream *stream);

/* ---- server.c ---- */

/* A stream of a server's that no handler has is over. */
void server_stream_over(thrum_stream *stream);

/* Note where an error comes from: operation, number, the peer's address. Gives `code`. */
int stream_fail(const thrum_stream *stream, int code, const char *operation, size_t number);

/* Wake a task that waits for a stream and will not find it: its operation's `resume` gets this error and number. It may
 * be woken already. */
void stream_wake_without(thrum_task *task, int error, size_t number);

/* ---- stream_read.c ---- */

/* Wait for input: everything collected is sent first. */
thrum_step stream_park_reader(thrum_stream *stream, thrum_task *task);

/* May this task read now? 0 or an error. The memory that was lent is not lent any more. */
int stream_may_read(thrum_stream *stream);

/* recv(): bytes; 0 at the end; STREAM_AGAIN, or the error that ended the input. */
enum { STREAM_AGAIN = THRUM_CARRIER_LATER };
long stream_receive_rest(thrum_stream *stream, void *to, size_t size, long got);

static inline long stream_receive(thrum_stream *stream, void *to, size_t size)
{
    if (THRUM_UNLIKELY_(stream->flags & (STREAM_INPUT_ENDED | STREAM_CLOSING | STREAM_CARRIED)))
        return stream->flags & (STREAM_INPUT_ENDED | STREAM_CLOSING) ? stream->read_error
                                                                     : stream_carrier_receive(stream, to, size);
    long got = (long)recv(stream->in.descriptor, to, size, 0);
    if (THRUM_UNLIKELY_(got <= 0))
        return stream_receive_rest(stream, to, size, got);
    stream->burst += (unsigned)got;
    stream->flags = (stream->flags & ~(uint32_t)STREAM_TRY_FIRST) | ((size_t)got == size ? STREAM_TRY_FIRST : 0);
    return got;
}

/* The same into the stream's buffer, which grows to hold at least `size` more; THRUM_ENOMEM. */
long stream_receive_buffered(thrum_stream *stream, size_t size);

/* Take from the buffer what is there, at most `size`. */
size_t stream_take(thrum_stream *stream, void *to, size_t size);

/* Whether another recv() now may be worth its while, and this stream has not had its share of this pass. */
bool stream_try_again(const thrum_stream *stream);

/* A step of a reading operation; its end. */
thrum_step stream_read_done(thrum_stream *stream, thrum_task *task, int error, size_t value);
thrum_cancel_result stream_read_cancel(thrum_task *task);

/* The reader goes on because the stream ends: it finds the end of file. */
void stream_wake_reader(thrum_stream *stream);

void stream_readable(thrum_io *io);

/* ---- stream_settings.c ---- */

/* Settings in use that are like these, whose links and count do not matter; one stream more has them. NULL: no
 * memory. */
stream_settings *stream_settings_take(const stream_settings *like);
void stream_settings_give(stream_settings *settings);

/* A stream's own from now on. 0 or THRUM_ENOMEM. */
int stream_settings_change(thrum_stream *stream, size_t high, size_t low, thrum_time close_deadline);

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

/* End a writer's wait: it is out of the queue, and its block freed unless it runs. */
void stream_writer_over(stream_writer *writer, int error);

void stream_writable(thrum_io *io);
void stream_pump_call(thrum_handle *handle);

static inline void stream_writer_add(thrum_stream *stream, stream_writer *writer)
{
    stream_writer *first = stream->writers;
    writer->next = first ? first : writer;
    writer->previous = first ? first->previous : writer;
    writer->previous->next = writer->next->previous = writer;
    if (!first)
        stream->writers = writer;
}

static inline void stream_writer_remove(stream_writer *writer)
{
    thrum_stream *stream = writer->stream;
    writer->previous->next = writer->next;
    writer->next->previous = writer->previous;
    if (stream->writers == writer)
        stream->writers = writer->next == writer ? NULL : writer->next;
}

/* ---- stream_sendfile.c ---- */

/* Send what is pending or a piece of the file: bytes sent (of `*wanted`, the pending ones first), STREAM_AGAIN, or an
 * error of the connection. When the file has ended, or failed, the writer's `total` is what was done. */
long stream_send_file(thrum_stream *stream, stream_writer *writer, size_t *wanted);

/* ---- stream_passing.c ---- */

/* Bytes and descriptors in the place of a file. */
long stream_send_passing(thrum_stream *stream, const stream_writer *writer, size_t *wanted);

/* For tests: never use sendfile(2). */
extern bool stream_sendfile_portable;

/* ---- stream_write.c ---- */

/* Write without waiting: what the system does not take now is kept, however much it is. 0, or the error that broke the
 * output. */
int stream_put(thrum_stream *stream, const void *data, size_t size);
int stream_put_slices(thrum_stream *stream, const thrum_slice *slices, size_t count);

/* Write a part of a file; `file` outlives the await, which gives how many bytes it had. */
thrum_awaitable stream_write_file(thrum_stream *stream, stream_file *file) THRUM_MUST_USE_;

/* ---- stream_close.c ---- */

/* Close gracefully in the background. */
void stream_begin_close(thrum_stream *stream);

/* The descriptor goes; everybody is told. */
void stream_shut(thrum_stream *stream, int error);

/* An error has ended the input or the output: who waits for the end is told, unless the stream is closing. */
void stream_lost(thrum_stream *stream);

/* The output is empty while the stream closes. */
void stream_finish(thrum_stream *stream);
void stream_finish_now(thrum_stream *stream);

void stream_deadline(thrum_handle *handle);

#endif
