/* An endpoint of datagrams as the files of this folder see it. */
#ifndef THRUM_NET_DATAGRAM_H
#define THRUM_NET_DATAGRAM_H

#include <thrum/datagrams.h>
#include <thrum/handles.h>
#include <thrum/tasks.h>

#include <limits.h>

#include "core/contextvars.h"
#include "loop/io.h"
#include "loop/system.h"
#include "net/addresses.h"
#include "net/network.h"
#include "net/stream.h"

enum {
    DATAGRAM_CLOSING = 0x001,   /* no more use */
    DATAGRAM_CLOSED = 0x002,    /* the descriptor is gone */
    DATAGRAM_MADE = 0x004,      /* connection_made was called */
    DATAGRAM_LOSING = 0x008,    /* connection_lost is to be called */
    DATAGRAM_READABLE = 0x010,  /* the poll has found something to receive, which the next turn does */
    DATAGRAM_WRITABLE = 0x020,  /* or room to send */
    DATAGRAM_PAUSED = 0x040,    /* the protocol was told to pause */
    DATAGRAM_CONNECTED = 0x080, /* to `remote` */
    DATAGRAM_ERRORS = 0x100,    /* the system keeps a queue of errors */
    DATAGRAM_TRY_FIRST = 0x200, /* the last receive filled its list: there may be more */
    DATAGRAM_UNIX = 0x400,
    DATAGRAM_FORGOTTEN = 0x800 /* the loop is gone */
};

/* So many go into one system call. */
enum { DATAGRAM_BATCH = 32 };

enum { DATAGRAM_LATER = INT_MIN };

/* A copy that waits to be sent. */
typedef struct datagram_copy {
    struct datagram_copy *next;
    size_t size;
    thrum_address to;
    char data[];
} datagram_copy;

/* A task that waits to send: a block of the pool. */
typedef struct datagram_sender {
    net_link link; /* in the endpoint's senders, first come first */
    thrum_task *task;
    thrum_datagrams *endpoint;
    const thrum_datagram *list;
    size_t count, done;
    thrum_datagram one; /* of a plain send */
} datagram_sender;

/* What the network said of a datagram, for who receives next. */
typedef struct datagram_failure {
    int error;
    thrum_address about;
} datagram_failure;
enum { DATAGRAM_FAILURES = 4 };

/* The endpoint's own queue: `count` of `room` datagrams, whose memory lies behind the list. */
typedef struct datagram_queue {
    thrum_datagram *list; /* NULL: none */
    size_t room, most, first, count;
} datagram_queue;

struct thrum_datagrams {
    int descriptor;
    uint32_t flags;
    unsigned references;
    thrum_network_port port; /* in place of the descriptor, when it is on a network */
    thrum_io in, out;
    thrum_task *receiver;
    thrum_datagram *list; /* where it wants them */
    size_t wanted;
    datagram_queue queue;
    uint64_t dropped;
    datagram_failure failures[DATAGRAM_FAILURES];
    unsigned failed;
    datagram_copy *copies, **last;
    size_t buffered, high, low;
    net_link senders;
    thrum_waiters closers;
    thrum_address remote; /* who is sent to; none: whom the sender names */
    const thrum_datagram_protocol *protocol;
    void *context;
    struct context_map *variables; /* that the protocol's calls have */
    thrum_task *maker;             /* waits for connection_made */
    thrum_handle turn;             /* what the loop calls */
    thrum_loop_closer closer;
};

/* ---- datagram.c ---- */

/* An endpoint of a socket that does not block, with marks and queue of these options, which are checked. Without a
 * socket, -1, it is one of the loop's network, at `local`; `remote`, if any, is who alone may send. */
int datagram_new(thrum_datagrams **made, int descriptor, const thrum_datagram_options *options,
                 const net_address *local, const net_address *remote);

/* Have a protocol told of it, from the next pass on. */
void datagram_tell(thrum_datagrams *endpoint, const thrum_datagram_protocol *protocol, void *context);

/* The output is empty while the endpoint closes. */
void datagram_finish(thrum_datagrams *endpoint);

/* Calls of the protocol's in its context variables. */
static inline void datagram_enter(thrum_datagrams *endpoint, context_entry *entry)
{
    context_enter(thrum_state_here(), entry, endpoint->variables);
#if THRUM_CONTEXTS
    endpoint->variables = NULL;
#else
    (void)endpoint;
#endif
}

static inline void datagram_leave(thrum_datagrams *endpoint, context_entry *entry)
{
#if THRUM_CONTEXTS
    thrum_state_here()->entered = entry->outer;
    endpoint->variables = entry->slot.map;
#else
    (void)endpoint, (void)entry;
#endif
}

static inline void datagram_failed(thrum_datagrams *endpoint, int error, const thrum_address *about)
{
    if (endpoint->protocol->error_received)
        endpoint->protocol->error_received(endpoint->context, error, about);
}

/* ---- datagram_receive.c ---- */

void datagram_readable(thrum_io *io);

/* The turn of an endpoint without a receiver: into its queue, or to its protocol. */
void datagram_read(thrum_datagrams *endpoint);

/* What the system's queue of errors holds goes to who receives. False: it was empty. */
bool datagram_note_failures(thrum_datagrams *endpoint);

/* Memory for what protocols are told of; NULL: there is none. The last one gives it back. */
bool datagram_scratch_hold(void);
void datagram_scratch_release(void);

/* ---- datagram_send.c ---- */

void datagram_writable(thrum_io *io);

/* Send the copies that wait. */
void datagram_flush(thrum_datagrams *endpoint);

/* Nothing more leaves: copies are dropped, senders told. */
void datagram_drop_copies(thrum_datagrams *endpoint);
void datagram_senders_over(thrum_datagrams *endpoint, int error);

/* ---- listen.c ---- */

/* The Unix socket of somebody who died is in the way: nobody answers there. A live one, or any other file, stays. */
void listen_remove_stale(const net_address *address, int type);

#endif
