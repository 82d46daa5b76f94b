/* Awaited calls on descriptors. */
#ifndef THRUM_NET_SOCKETS_H
#define THRUM_NET_SOCKETS_H

#include <thrum/sockets.h>

#include <limits.h>

#include "loop/io.h"

typedef struct sock_call sock_call;

/* One call, from where it is made to its end: a block of the pool. */
struct sock_call {
    /* The result, at least 0; SOCK_LATER; or an error. */
    long (*attempt)(sock_call *call);
    const thrum_operations *operations;
    thrum_task *task;
    int descriptor;
    uint8_t events; /* what is waited for */
    bool watching;  /* `io` is open */
    bool begun;     /* connect() was called */
    char *to;
    const char *data;
    size_t size, done;
    thrum_address *from;
    const thrum_address *address;
    int file; /* to be sent, from `offset` on */
    bool portable, fallback;
    uint64_t offset;
    thrum_io io;
};

enum { SOCK_LATER = INT_MIN };

/* Bytes that one call sends before the others have their turn: SOCK_LATER then, and since the descriptor is writable
 * still it goes on in the next pass. */
enum { SOCK_TURN = 1024 * 1024 };

/* A zeroed one, or NULL. */
sock_call *sock_new(long (*attempt)(sock_call *), int descriptor, uint8_t events);

/* To be awaited; of NULL, one that fails. */
thrum_awaitable sock_awaitable(const thrum_operations *operations, sock_call *call) THRUM_MUST_USE_;

/* What operations are made of: those of `partly` say how much was done. */
thrum_step sock_start(thrum_task *task, thrum_record *record);
thrum_step sock_resume(thrum_task *task);
thrum_cancel_result sock_cancel(thrum_task *task);
thrum_step sock_partly_resume(thrum_task *task);
thrum_cancel_result sock_partly_cancel(thrum_task *task);
void sock_drop(thrum_record *record);

/* What a failed call gives: SOCK_LATER or -errno. */
long sock_failed(void);

#endif
