/* Calls from other threads and from signal handlers: a lock-free stack that any number of threads push to and the loop
 * empties. A push wakes the loop only when it is the first since the loop looked, and only while the loop may sleep. */
#ifndef THRUM_LOOP_INBOX_H
#define THRUM_LOOP_INBOX_H

#include <stdatomic.h>

#include <thrum/events.h>

typedef struct thrum_inbox {
    _Atomic(thrum_post *) newest;
    atomic_uintptr_t gate; /* bit 0: closed; the rest counts the threads that are waking the loop right now */
    atomic_bool awake;     /* the loop will look here before it sleeps: nobody needs to wake it */
} thrum_inbox;

/* Zeroed memory, or an inbox that was closed. */
void thrum_inbox_open(thrum_inbox *inbox);

/* Push. When the loop must be woken `wake(loop)` is called, and the loop does not go meanwhile. 0 or THRUM_ECLOSED. */
int thrum_inbox_post(thrum_inbox *inbox, thrum_post *post, void (*wake)(thrum_loop *loop), thrum_loop *loop);

/* Make every call that stands in it, oldest first. */
void thrum_inbox_drain(thrum_inbox *inbox);

/* From now on nothing comes in, which is told to everybody who tries as long as the memory is there. Forgets what was
 * not called, and waits for those who are waking the loop (a system call at most). */
void thrum_inbox_close(thrum_inbox *inbox);

static inline bool thrum_inbox_empty(thrum_inbox *inbox)
{
    return !atomic_load_explicit(&inbox->newest, memory_order_relaxed);
}

/* The loop goes to sleep: false when it must not, because something came in. Either this sees what a poster pushed, or
 * the poster sees that the loop sleeps: both orders are sequentially consistent. */
static inline bool thrum_inbox_sleep(thrum_inbox *inbox)
{
    atomic_store(&inbox->awake, false);
    return !atomic_load(&inbox->newest);
}

static inline void thrum_inbox_wake(thrum_inbox *inbox)
{
    atomic_store_explicit(&inbox->awake, true, memory_order_relaxed);
}

#endif
