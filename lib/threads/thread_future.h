/* The inside of a future between threads. */
#ifndef THRUM_THREADS_THREAD_FUTURE_H
#define THRUM_THREADS_THREAD_FUTURE_H

#include <pthread.h>
#include <stdatomic.h>

#include <thrum/thread_futures.h>

/* A loop that waits. It is told under the guard, so that it can take itself out before it goes. */
typedef struct thread_waiter {
    struct thread_waiter *next, **link; /* `link` is NULL when it stands in no list */
    thrum_loop *loop;
    thrum_post post;
} thread_waiter;

struct thrum_thread_future {
    pthread_mutex_t guard;
    pthread_cond_t changed;
    unsigned char state;
    bool settled; /* nothing works for it any more */
    bool worked;  /* something does that is no caller of set_result() */
    int error;
    thrum_value value;
    thrum_error *detail; /* from malloc(), or NULL */
    thrum_thread_callback *callbacks, **last;
    thread_waiter *waiters;
    thrum_loop *loop;                               /* that works for it, or NULL */
    void (*cancelled)(thrum_thread_future *future); /* told of a cancellation, or NULL */
    atomic_uint references;
};

/* Zeroed memory, from malloc(). */
void thread_future_init(thrum_thread_future *future);

/* As set_result() and set_error(); the detail is copied. Nothing works for it any more. False: it was cancelled. */
bool thread_future_complete(thrum_thread_future *future, int error, thrum_value value, const thrum_error *detail);

/* Wait in the list. False: it is done. */
bool thread_future_wait(thrum_thread_future *future, thread_waiter *waiter);

/* The waiter is not told any more. In its loop's thread. */
void thread_future_leave(thrum_thread_future *future, thread_waiter *waiter);

#endif
