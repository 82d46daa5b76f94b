#include "loop/inbox.h"

#include <sched.h>

/* The state of a post, an opaque word in the public struct. */
enum { POST_IDLE, POST_QUEUED };

static atomic_uintptr_t *state_of(thrum_post *post)
{
    return (atomic_uintptr_t *)(void *)&post->state;
}

_Static_assert(sizeof(atomic_uintptr_t) == sizeof(uintptr_t), "a post's state is used as an atomic");

/* The post may be used again, or be gone, from here on. */
static void let_go(thrum_post *post)
{
    atomic_exchange_explicit(state_of(post), POST_IDLE, memory_order_acq_rel);
}

/* Stands in `newest` of an inbox that is closed. */
static thrum_post closed;

void thrum_inbox_open(thrum_inbox *inbox)
{
    atomic_store(&inbox->awake, true);
    atomic_fetch_and(&inbox->gate, ~(uintptr_t)1);
    atomic_store(&inbox->newest, NULL);
}

/* The loop may be closing: `gate` keeps its backend there while it is used. */
static void wake_through_gate(thrum_inbox *inbox, void (*wake)(thrum_loop *loop), thrum_loop *loop)
{
    if (!(atomic_fetch_add_explicit(&inbox->gate, 2, memory_order_acquire) & 1))
        wake(loop);
    atomic_fetch_sub_explicit(&inbox->gate, 2, memory_order_release);
}

int thrum_inbox_post(thrum_inbox *inbox, thrum_post *post, void (*wake)(thrum_loop *loop), thrum_loop *loop)
{
    if (atomic_exchange_explicit(state_of(post), POST_QUEUED, memory_order_acq_rel) == POST_QUEUED)
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

/* Take everything out, in the order of posting. */
static thrum_post *take(thrum_inbox *inbox, thrum_post *leave)
{
    thrum_post *post = atomic_exchange(&inbox->newest, leave), *oldest = NULL;
    while (post) {
        thrum_post *next = post->next;
        post->next = oldest;
        oldest = post;
        post = next;
    }
    return oldest;
}

void thrum_inbox_drain(thrum_inbox *inbox)
{
    thrum_post *post = take(inbox, NULL);
    while (post) {
        thrum_post *next = post->next;
        let_go(post);
        post->call(post);
        post = next;
    }
}

void thrum_inbox_close(thrum_inbox *inbox)
{
    thrum_post *post = take(inbox, &closed);
    while (post) {
        thrum_post *next = post->next;
        let_go(post);
        post = next;
    }
    atomic_fetch_or(&inbox->gate, 1);
    while (atomic_load_explicit(&inbox->gate, memory_order_acquire) != 1)
        sched_yield();
}
