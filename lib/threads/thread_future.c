/* Futures between threads: a result under a lock, with threads, callbacks and loops that wait for it. */
#include "threads/thread_future.h"

#include <thrum/timeouts.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loop/loop.h"
#include "loop/system.h"

enum { PENDING, RUNNING, CANCELLED, DONE };

/* Timed waits go by a clock that nobody sets, where the system has that. */
void thread_future_init(thrum_thread_future *future)
{
    pthread_mutex_init(&future->guard, NULL);
    system_condition_init(&future->changed);
    future->last = &future->callbacks;
    atomic_init(&future->references, 1);
}

thrum_thread_future *thrum_thread_future_new(void)
{
    thrum_thread_future *future = (thrum_thread_future *)calloc(1, sizeof *future);
    if (future)
        thread_future_init(future);
    return future;
}

thrum_thread_future *thrum_thread_future_hold(thrum_thread_future *future)
{
    atomic_fetch_add_explicit(&future->references, 1, memory_order_relaxed);
    return future;
}

void thrum_thread_future_release(thrum_thread_future *future)
{
    if (!future || atomic_fetch_sub_explicit(&future->references, 1, memory_order_acq_rel) != 1)
        return;
    pthread_cond_destroy(&future->changed);
    pthread_mutex_destroy(&future->guard);
    free(future->detail);
    free(future);
}

/* ---- it is done ---- */

/* Whoever made it so comes here with the guard, and without it afterwards. */
static void tell(thrum_thread_future *future)
{
    thrum_thread_callback *callback = future->callbacks;
    future->callbacks = NULL;
    future->last = &future->callbacks;
    for (thread_waiter *waiter = future->waiters, *next; waiter; waiter = next) {
        next = waiter->next;
        waiter->link = NULL;
        thrum_call_soon_threadsafe(waiter->loop, &waiter->post);
    }
    future->waiters = NULL;
    pthread_cond_broadcast(&future->changed);
    pthread_mutex_unlock(&future->guard);
    while (callback) {
        thrum_thread_callback *next = callback->next;
        callback->call(callback, future);
        callback = next;
    }
}

static thrum_error *copy_of(const thrum_error *detail)
{
    thrum_error *copy = detail ? (thrum_error *)malloc(sizeof *copy) : NULL;
    if (copy) {
        *copy = *detail;
        copy->next = copy->errors = NULL; /* those belong to the other thread */
    }
    return copy;
}

bool thread_future_complete(thrum_thread_future *future, int error, thrum_value value, const thrum_error *detail)
{
    thrum_error *copy = copy_of(detail);
    thrum_thread_future_hold(future); /* a callback may give the last reference back */
    pthread_mutex_lock(&future->guard);
    bool cancelled = future->state == CANCELLED;
    future->settled = true;
    future->loop = NULL;
    if (cancelled) {
        pthread_cond_broadcast(&future->changed);
        pthread_mutex_unlock(&future->guard);
        free(copy);
    } else {
        future->state = error == THRUM_ECANCELED ? CANCELLED : DONE;
        future->error = error;
        future->value = value;
        future->detail = copy;
        tell(future);
    }
    thrum_thread_future_release(future);
    return !cancelled;
}

static int set(thrum_thread_future *future, int error, thrum_value value)
{
    thrum_thread_future_hold(future);
    pthread_mutex_lock(&future->guard);
    bool done = future->state == DONE || future->state == CANCELLED || future->worked;
    if (done) {
        pthread_mutex_unlock(&future->guard);
    } else {
        future->state = error == THRUM_ECANCELED ? CANCELLED : DONE;
        future->settled = true;
        future->error = error;
        future->value = value;
        tell(future);
    }
    thrum_thread_future_release(future);
    return done ? THRUM_EDONE : 0;
}

int thrum_thread_future_set_result(thrum_thread_future *future, thrum_value value)
{
    return set(future, 0, value);
}

int thrum_thread_future_set_error(thrum_thread_future *future, int error)
{
    return error < 0 ? set(future, error, 0) : THRUM_EINVAL;
}

bool thrum_thread_future_begin(thrum_thread_future *future)
{
    pthread_mutex_lock(&future->guard);
    bool pending = future->state == PENDING;
    if (pending)
        future->state = RUNNING;
    pthread_mutex_unlock(&future->guard);
    return pending;
}

bool thrum_thread_future_cancel(thrum_thread_future *future)
{
    bool cancelled = true;
    thrum_thread_future_hold(future);
    pthread_mutex_lock(&future->guard);
    if (future->state == PENDING) {
        future->state = CANCELLED;
        future->error = THRUM_ECANCELED;
        future->settled = !future->worked;
        bool worked = future->worked;
        tell(future);
        if (worked)
            future->cancelled(future);
    } else {
        cancelled = future->state == CANCELLED;
        pthread_mutex_unlock(&future->guard);
    }
    thrum_thread_future_release(future);
    return cancelled;
}

/* ---- asking ---- */

static unsigned char state_of(thrum_thread_future *future)
{
    pthread_mutex_lock(&future->guard);
    unsigned char state = future->state;
    pthread_mutex_unlock(&future->guard);
    return state;
}

bool thrum_thread_future_done(thrum_thread_future *future)
{
    return state_of(future) >= CANCELLED;
}

bool thrum_thread_future_cancelled(thrum_thread_future *future)
{
    return state_of(future) == CANCELLED;
}

const thrum_error *thrum_thread_future_error(thrum_thread_future *future)
{
    return state_of(future) == DONE ? future->detail : NULL;
}

/* ---- waiting in a thread ---- */

static bool over(const thrum_thread_future *future, bool settled)
{
    return settled ? future->settled : future->state >= CANCELLED;
}

/* The guard is held. 0; THRUM_ETIMEDOUT; THRUM_ESTATE. */
static int wait_for(thrum_thread_future *future, thrum_time timeout, bool settled)
{
    struct timespec limit;
    bool limited = timeout != THRUM_NEVER;
    int error = 0;
    if (over(future, settled))
        return 0;
    if (timeout <= 0)
        return THRUM_ETIMEDOUT;
    if (future->loop && future->loop == loop_here())
        return THRUM_ESTATE;
    if (limited)
        limit = system_limit(timeout);
    while (!over(future, settled) && error != ETIMEDOUT)
        error = limited ? pthread_cond_timedwait(&future->changed, &future->guard, &limit)
                        : pthread_cond_wait(&future->changed, &future->guard);
    return over(future, settled) ? 0 : THRUM_ETIMEDOUT;
}

int thrum_thread_future_result(thrum_thread_future *future, thrum_time timeout, thrum_value *value)
{
    pthread_mutex_lock(&future->guard);
    int error = wait_for(future, timeout, false);
    if (!error) {
        error = future->error;
        if (value)
            *value = future->value;
    }
    pthread_mutex_unlock(&future->guard);
    return error;
}

int thrum_thread_future_join(thrum_thread_future *future, thrum_time timeout)
{
    pthread_mutex_lock(&future->guard);
    int error = wait_for(future, timeout, true);
    pthread_mutex_unlock(&future->guard);
    return error;
}

/* ---- callbacks ---- */

void thrum_thread_future_add_done_callback(thrum_thread_future *future, thrum_thread_callback *callback)
{
    pthread_mutex_lock(&future->guard);
    bool done = future->state >= CANCELLED;
    if (!done) {
        callback->next = NULL;
        *future->last = callback;
        future->last = &callback->next;
    }
    pthread_mutex_unlock(&future->guard);
    if (done)
        callback->call(callback, future);
}

bool thrum_thread_future_remove_done_callback(thrum_thread_future *future, thrum_thread_callback *callback)
{
    bool found = false;
    pthread_mutex_lock(&future->guard);
    for (thrum_thread_callback **link = &future->callbacks; *link && !found; link = &(*link)->next) {
        if (*link == callback) {
            *link = callback->next;
            if (!*link)
                future->last = link;
            found = true;
            break;
        }
    }
    pthread_mutex_unlock(&future->guard);
    return found;
}

/* ---- waiting in a loop ---- */

bool thread_future_wait(thrum_thread_future *future, thread_waiter *waiter)
{
    pthread_mutex_lock(&future->guard);
    bool pending = future->state < CANCELLED;
    if (pending) {
        waiter->next = future->waiters;
        waiter->link = &future->waiters;
        if (waiter->next)
            waiter->next->link = &waiter->next;
        future->waiters = waiter;
    }
    pthread_mutex_unlock(&future->guard);
    return pending;
}

void thread_future_leave(thrum_thread_future *future, thread_waiter *waiter)
{
    pthread_mutex_lock(&future->guard);
    bool stood = waiter->link != NULL;
    if (stood) {
        *waiter->link = waiter->next;
        if (waiter->next)
            waiter->next->link = waiter->link;
    }
    pthread_mutex_unlock(&future->guard);
    if (!stood)
        thrum_post_cancel(waiter->loop, &waiter->post);
}
