/* A stream as the files of this folder see it; what sends is in stream_output.h. */
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
#include "net/links.h"
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
    STREAM_CARRIED = 0x1000,         /* by a carrier: there is no descriptor */
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
    struct stream_writer *writers; /* the first one, or NULL */
    struct stream_outlet *outlet;  /* NULL: it is not needed */
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

/* Free what is closed, or closes now; whoever waits gets THRUM_ECLOSED. */
void stream_free(thrum_stream *stream);

/* Note where an error comes from: operation, number, the peer's address. Gives `code`. */
int stream_fail(const thrum_stream *stream, int code, const char *operation, size_t number);

/* Wake a task that waits for a stream and will not find it: its operation's `resume` gets this error and number. It may
 * be woken already. */
void stream_wake_without(thrum_task *task, int error, size_t number);

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

/* A stream goes on with these, and with its limit as it is. 0; THRUM_ENOMEM: nothing has changed. */
int stream_settings_change(thrum_stream *stream, size_t high, size_t low, thrum_time close_deadline);

/* ---- stream_close.c ---- */

/* End the output. */
void stream_end_output(const thrum_stream *stream);

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
