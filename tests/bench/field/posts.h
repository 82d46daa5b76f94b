/* Calls from other threads at their least: an intrusive stack that any thread pushes to, and one thread empties. Who
 * pushes to an empty one has to wake that thread. */
#ifndef POSTS_H
#define POSTS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct post {
    struct post *next;
    void (*call)(struct post *post);
    void *context;
};

struct posts {
    _Atomic(struct post *) newest;
};

/* Whether it was empty. */
static inline bool posts_push(struct posts *posts, struct post *post)
{
    struct post *newest = atomic_load_explicit(&posts->newest, memory_order_relaxed);
    do
        post->next = newest;
    while (!atomic_compare_exchange_weak(&posts->newest, &newest, post));
    return !newest;
}

/* Calls all, in the order of posting. */
static inline void posts_call(struct posts *posts)
{
    struct post *post = atomic_exchange(&posts->newest, NULL), *oldest = NULL;
    while (post) {
        struct post *next = post->next;
        post->next = oldest;
        oldest = post;
        post = next;
    }
    while (oldest) {
        post = oldest;
        oldest = post->next;
        post->call(post);
    }
}

#endif
