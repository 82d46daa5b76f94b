/* Calls from other threads and from signal handlers: a lock-free stack that any number of threads push to and the loop
 * empties. A push wakes the loop only when it is the first since the loop looked, and only while the loop may sleep.
 * What was taken off the stack and not called yet stands in a list, which a short lock guards: from there, too, another
 * thread may take a post back. */
#ifndef THRUM_LOOP_INBOX_H
#define THRUM_LOOP_INBOX_H

#include <stdatomic.h>

#include <thrum/events.h>

typedef void thrum_inbox_waker(thrum_loop *loop);

typedef struct thrum_inbox {
    _Atomic(thrum_post *) newest;
    atomic_uintptr_t gate; /* bit 0: closed; the rest counts the threads that are waking the loop right now */
    atomic_bool awake;     /* the loop will look here before it sleeps: nobody needs to wake it */
    char apart[64];        /* what follows is the loop's, and those who push do not touch it */
    atomic_bool locked;
    _Atomic(thrum_post *) pending; /* oldest first; to be called in the next drain */
    thrum_post *batch;             /* in this one */
    thrum_post *running;           /* the one that is being called */
    atomic_uint ran;               /* how many were called */
    unsigned waiting;              /* threads that wait for the end of `running` */
    uint64_t called;               /* posts, since it was opened */
} thrum_inbox;

/* Zeroed memory, or an inbox that was closed. */
void thrum_inbox_open(thrum_inbox *inbox);

/* Push. When the loop must be woken `wake(loop)` is called, and the loop does not go meanwhile. One that `answers` is
 * called in any case: at the latest, when the inbox is closed. 0 or THRUM_ECLOSED. */
int thrum_inbox_post(thrum_inbox *inbox, thrum_post *post, bool answers, thrum_inbox_waker *wake, thrum_loop *loop);

/* Take a post out. True: it was there, and is not called. In another thread than the loop's: when it is being called,
 * this waits for the end of that. */
bool thrum_inbox_cancel(thrum_inbox *inbox, thrum_post *post, bool own_thread, thrum_inbox_waker *wake,
                        thrum_loop *loop);

/* Make every call that stands in it, oldest first; those that are posted meanwhile wait for the next time. */
void thrum_inbox_drain(thrum_inbox *inbox);

/* From now on nothing comes in, which is told to everybody who tries as long as the memory is there. Forgets what was
 * not called, and waits for those who are waking the loop (a system call at most). Gives those that answer, for
 * thrum_inbox_answer(). */
thrum_post *thrum_inbox_close(thrum_inbox *inbox);
void thrum_inbox_answer(thrum_post *posts);

/* In a child process, of a copy of the parent's: whatever threads were doing with it will not go on. */
void thrum_inbox_forget(thrum_inbox *inbox);

/* As thrum_log_fork(). */
void thrum_inbox_fork(bool before);

static inline bool thrum_inbox_empty(thrum_inbox *inbox)
{
    return !atomic_load_explicit(&inbox->newest, memory_order_relaxed) &&
           !atomic_load_explicit(&inbox->pending, memory_order_relaxed);
}

static inline bool thrum_inbox_closed(thrum_inbox *inbox)
{
    return atomic_load_explicit(&inbox->gate, memory_order_relaxed) & 1;
}

/* The loop goes to sleep: false when it must not, because something came in. Either this sees what a poster pushed, or
 * the poster sees that the loop sleeps: both orders are sequentially consistent. */
static inline bool thrum_inbox_sleep(thrum_inbox *inbox)
{
    atomic_store(&inbox->awake, false);
    return !atomic_load(&inbox->newest) && !atomic_load(&inbox->pending);
}

static inline void thrum_inbox_wake(thrum_inbox *inbox)
{
    atomic_store_explicit(&inbox->awake, true, memory_order_relaxed);
}

#endif
