/* A transport as the files of this folder see it: a stream whose reader is a protocol. STREAM_TRANSPORT is among the
 * stream's flags, and `transport` stands where a reading task's request would. */
#ifndef THRUM_NET_TRANSPORT_H
#define THRUM_NET_TRANSPORT_H

#include <thrum/handles.h>
#include <thrum/transports.h>

#include "core/contextvars.h"
#include "net/stream.h"

enum {
    TRANSPORT_UPGRADING = 0x100000, /* TLS begins on the stream, which ends by itself if it has to */
    TRANSPORT_MADE = 0x0001,        /* connection_made was told */
    TRANSPORT_CLOSING = 0x0002,     /* no more input */
    TRANSPORT_LOSING = 0x0004,      /* no more output: connection_lost is to be told */
    TRANSPORT_LOST = 0x0008,        /* it was told */
    TRANSPORT_HELD = 0x0010,        /* reading is paused */
    TRANSPORT_PAUSED = 0x0020,      /* pause_writing was told last */
    TRANSPORT_EOF_TOLD = 0x0040,    /* the end of the input has been seen to */
    TRANSPORT_READ = 0x0080,        /* the turn that is queued reads */
    TRANSPORT_RESUME = 0x0100,      /* it looks whether resume_writing is to be told */
    TRANSPORT_PUMPING = 0x0200,     /* who sends tells resume_writing itself */
    TRANSPORT_WROTE_EOF = 0x0400,   /* no more writes */
    TRANSPORT_SENDING = 0x0800,     /* a file */
    TRANSPORT_READ_PIPE = 0x1000,   /* the read end of a pipe: nothing can be written */
    TRANSPORT_WRITE_PIPE = 0x2000,  /* the write end: nothing comes but the end */
    TRANSPORT_LOST_QUIETLY = 0x4000 /* somebody waits who is told of the error */
};

struct thrum_transport {
    thrum_stream *stream; /* NULL: it is over, or the stream is a stream again */
    const thrum_protocol *protocol;
    void *context;
    uint32_t references;
    uint32_t flags;
    int error;                     /* that connection_lost is told */
    unsigned lost_writes;          /* 0: not lost; else 1 and the writes since then */
    thrum_handle turn;             /* the next call of the loop's */
    thrum_waiters makers, enders;  /* who waits for connection_made, and for the end */
    struct context_map *variables; /* that the protocol's calls have */
    thrum_loop_closer closer;      /* newer than the stream's, so it comes first */
};

/* Both are as they should be. */
bool protocol_right(const thrum_protocol *protocol);

/* Make a transport of a stream that nobody uses; connection_made is told in the next pass. The transport is the loop's:
 * no reference is given. THRUM_ENOMEM. */
int transport_new(thrum_transport **made, thrum_stream *stream, const thrum_protocol *protocol, void *context);

/* The same in memory of transport_take(), with the protocol that a factory makes: the memory comes first, so that one
 * that was made is told of both ends in any case. `kind`: TRANSPORT_READ_PIPE, TRANSPORT_WRITE_PIPE or 0. Memory and
 * stream are the caller's again when this fails. */
thrum_transport *transport_take(void);
void transport_give(thrum_transport *transport);
int transport_make(thrum_transport *memory, thrum_stream *stream, thrum_protocol_factory *factory, void *context,
                   uint32_t kind);

/* Make a transport of a descriptor, which is taken in any case. */
typedef int transport_adopts(thrum_stream **stream, int descriptor);
thrum_awaitable transport_adopt(thrum_protocol_factory *factory, void *context, int descriptor, transport_adopts *how,
                                uint32_t kind) THRUM_MUST_USE_;

/* Have the loop look at it in the next pass. */
void transport_schedule(thrum_transport *transport);

/* While TLS begins the stream is an ordinary one; it stays the transport's. */
void transport_stand_aside(thrum_transport *transport);
void transport_stand_again(thrum_transport *transport);

/* The stream is no transport's any more. */
void transport_detach(thrum_transport *transport);

/* Nothing more is told: the loop's reference goes. */
void transport_over(thrum_transport *transport);

/* It is lost, with an error or 0: what is unsent is dropped. */
void transport_force_close(thrum_transport *transport, int error);

/* The protocol has given an error: the same, and the exception handler is told. */
void transport_failed(thrum_transport *transport, int error);

/* Input is told of; not while it is paused. */
void transport_read(thrum_transport *transport);
void transport_begin_reading(thrum_transport *transport);

static inline bool transport_reads(const thrum_transport *transport)
{
    return transport->stream && !(transport->flags & (TRANSPORT_HELD | TRANSPORT_CLOSING));
}

/* More is unsent than the high mark, perhaps: pause_writing. */
void transport_check_pause(thrum_transport *transport);
/* Less is unsent than the low mark, perhaps: resume_writing. For calls of the loop's. */
void transport_check_resume(thrum_transport *transport);

/* Calls of the protocol's in its context variables: what they set stays set for the next ones. */
static inline void transport_enter(thrum_transport *transport, context_entry *entry)
{
    context_enter(thrum_state_here(), entry, transport->variables);
#if THRUM_CONTEXTS
    transport->variables = NULL;
#else
    (void)transport;
#endif
}

static inline void transport_leave(thrum_transport *transport, context_entry *entry)
{
#if THRUM_CONTEXTS
    thrum_state_here()->entered = entry->outer;
    transport->variables = entry->slot.map;
#else
    (void)transport, (void)entry;
#endif
}

#endif
