#include "loop/inbox.h"

#include <pthread.h>
#include <sched.h>

#include "core/contextvars.h"
#include "loop/loop.h"

/* The state of a post, an opaque word in the public struct. */
enum { POST_IDLE, POST_QUEUED, POST_ANSWERS };

/* How often a cancellation looks for a post that another thread has marked, but not pushed yet; and how often a lock is
 * looked at before others may run. */
enum { LOOKS = 100000, SPINS = 64 };

static atomic_uintptr_t *state_of(thrum_post *post)
{
    return (atomic_uintptr_t *)(void *)&post->state;
}

_Static_assert(sizeof(atomic_uintptr_t) == sizeof(uintptr_t), "a post's state is used as an atomic");

/* The post may be used again, or be gone, from here on. Sees what everybody wrote who found it queued already. */
static uintptr_t let_go(thrum_post *post)
{
    return atomic_exchange_explicit(state_of(post), POST_IDLE, memory_order_acq_rel);
}

/* Stands in `newest` of an inbox that is closed. */
static thrum_post closed;

/* ---- who waits for a call to end ---- */

static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t call_ended = PTHREAD_COND_INITIALIZER;

void thrum_inbox_fork(bool before)
{
    if (before)
        pthread_mutex_lock(&guard);
    else
        pthread_mutex_unlock(&guard);
}

static void tell_of_end(void)
{
    pthread_mutex_lock(&guard);
    pthread_cond_broadcast(&call_ended);
    pthread_mutex_unlock(&guard);
}

/* ---- the lock: of a few instructions, or as many as posts are queued when one is taken back ---- */

static void lock(thrum_inbox *inbox)
{
    unsigned spins = 0;
    while (atomic_exchange_explicit(&inbox->locked, true, memory_order_acquire))
        if (++spins % SPINS == 0)
            sched_yield();
}

static void unlock(thrum_inbox *inbox)
{
    atomic_store_explicit(&inbox->locked, false, memory_order_release);
}

/* ---- it opens ---- */

void thrum_inbox_forget(thrum_inbox *inbox)
{
    atomic_store(&inbox->locked, false);
    atomic_store(&inbox->pending, NULL);
    atomic_store(&inbox->gate, 0);
    atomic_store(&inbox->newest, NULL);
    inbox->batch = inbox->running = NULL;
    inbox->waiting = 0;
}

void thrum_inbox_open(thrum_inbox *inbox)
{
    atomic_store(&inbox->awake, true);
    atomic_fetch_and(&inbox->gate, ~(uintptr_t)1);
    atomic_store(&inbox->newest, NULL);
    inbox->called = 0;
}

/* ---- pushing ---- */

/* The loop may be closing: `gate` keeps its backend there while it is used. */
static void wake_through_gate(thrum_inbox *inbox, thrum_inbox_waker *wake, thrum_loop *loop)
{
    if (!(atomic_fetch_add_explicit(&inbox->gate, 2, memory_order_acquire) & 1))
        wake(loop);
    atomic_fetch_sub_explicit(&inbox->gate, 2, memory_order_release);
}

int thrum_inbox_post(thrum_inbox *inbox, thrum_post *post, bool answers, thrum_inbox_waker *wake, thrum_loop *loop)
{
    if (atomic_exchange_explicit(state_of(post), answers ? POST_ANSWERS : POST_QUEUED, memory_order_acq_rel))
        return 0;
    thrum_post *newest = atomic_load_explicit(&inbox->newest, memory_order_relaxed);
    do {
        if (newest == &closed) {
            let_go(post);
            return THRUM_ECLOSED;
        }
        post->next = newest;
    } while (!atomic_compare_exchange_weak(&inbox->newest, &newest, post));
    if (!newest && !atomic_load(&inbox->awake))
        wake_through_gate(inbox, wake, loop);
    return 0;
}

/* ---- taking out; the lock is held ---- */

/* Move everything from the stack to the end of `pending`, in the order of posting. */
static void fetch(thrum_inbox *inbox)
{
    thrum_post *post = atomic_load_explicit(&inbox->newest, memory_order_relaxed), *oldest = NULL;
    if (!post || post == &closed)
        return;
    post = atomic_exchange(&inbox->newest, NULL);
    while (post) {
        thrum_post *next = post->next;
        post->next = oldest;
        oldest = post;
        post = next;
    }
    thrum_post *last = atomic_load_explicit(&inbox->pending, memory_order_relaxed);
    if (!last) {
        atomic_store(&inbox->pending, oldest);
        return;
    }
    while (last->next)
        last = last->next;
    last->next = oldest;
}

/* The head of a list without one post. */
static thrum_post *without(thrum_post *list, const thrum_post *post, bool *found)
{
    for (thrum_post **link = &list; *link; link = &(*link)->next)
        if (*link == post) {
            *link = post->next;
            *found = true;
            break;
        }
    return list;
}

/* Other threads have variables of their own; what one post sets is not for the next. */
static void call(thrum_post *post)
{
    const thrum_loop *loop = loop_here();
    if (THRUM_UNLIKELY_(loop && loop->watchdog))
        watchdog_next(loop->watchdog, (uintptr_t)post->call);
#if THRUM_CONTEXTS
    context_entry entry;
    context_enter(thrum_state_here(), &entry, NULL);
    post->call(post);
    context_leave(thrum_state_here(), &entry);
#else
    post->call(post);
#endif
}

void thrum_inbox_drain(thrum_inbox *inbox)
{
    thrum_post *post;
    lock(inbox);
    fetch(inbox);
    inbox->batch = atomic_load_explicit(&inbox->pending, memory_order_relaxed);
    atomic_store_explicit(&inbox->pending, NULL, memory_order_relaxed);
    while ((post = inbox->batch) != NULL) {
        inbox->batch = post->next;
        inbox->running = post;
        let_go(post);
        unlock(inbox);
        call(post);
        inbox->called++;
        lock(inbox);
        inbox->running = NULL;
        if (inbox->waiting) {
            atomic_fetch_add(&inbox->ran, 1);
            tell_of_end();
        }
    }
    unlock(inbox);
}

/* ---- taking back ---- */

/* The lock is held, and given back. */
static void await_end(thrum_inbox *inbox)
{
    unsigned ran = atomic_load(&inbox->ran);
    inbox->waiting++;
    unlock(inbox);
    pthread_mutex_lock(&guard);
    while (atomic_load(&inbox->ran) == ran)
        pthread_cond_wait(&call_ended, &guard);
    pthread_mutex_unlock(&guard);
    lock(inbox);
    inbox->waiting--;
    unlock(inbox);
}

bool thrum_inbox_cancel(thrum_inbox *inbox, thrum_post *post, bool own_thread, thrum_inbox_waker *wake,
                        thrum_loop *loop)
{
    bool found = false;
    for (unsigned look = 0; look < LOOKS; look++) {
        lock(inbox);
        bool queued = atomic_load(state_of(post)) != POST_IDLE;
        if (queued) {
            fetch(inbox);
            atomic_store(&inbox->pending, without(atomic_load(&inbox->pending), post, &found));
            if (!found)
                inbox->batch = without(inbox->batch, post, &found);
            if (found)
                let_go(post);
        }
        /* Whoever pushes next may not know that the loop has to be woken for the rest. */
        bool rest = atomic_load(&inbox->pending) != NULL;
        bool running = inbox->running == post && !own_thread;
        if (running && (found || !queued))
            await_end(inbox);
        else
            unlock(inbox);
        if (rest && !atomic_load(&inbox->awake))
            wake_through_gate(inbox, wake, loop);
        if (found || !queued)
            break;
        sched_yield(); /* another thread is about to push it */
    }
    return found;
}

/* ---- it closes ---- */

thrum_post *thrum_inbox_close(thrum_inbox *inbox)
{
    thrum_post *answers = NULL, **last = &answers;
    thrum_post *none;
    lock(inbox);
    do {
        fetch(inbox);
        none = NULL;
    } while (!atomic_compare_exchange_strong(&inbox->newest, &none, &closed));
    thrum_post *post = atomic_load(&inbox->pending);
    atomic_store(&inbox->pending, NULL);
    while (post) {
        thrum_post *next = post->next;
        if (let_go(post) == POST_ANSWERS) {
            post->next = NULL;
            *last = post;
            last = &post->next;
        }
        post = next;
    }
    unlock(inbox);
    atomic_fetch_or(&inbox->gate, 1);
    while (atomic_load_explicit(&inbox->gate, memory_order_acquire) != 1)
        sched_yield();
    return answers;
}

void thrum_inbox_answer(thrum_post *posts)
{
    while (posts) {
        thrum_post *next = posts->next;
        posts->call(posts);
        posts = next;
    }
}
