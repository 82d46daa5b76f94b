/* Timers in a radix heap. Time only goes forward, so a timer can stand in the bucket of the highest bit in which its time
 * differs from a time that has been reached, the floor: a later bucket holds only later timers, and all timers of one
 * time stand in one bucket in the order of arming. Start and stop are a list operation each. When the floor rises past a
 * bucket its timers are due; those of the bucket in which the floor now lies move down, each at most once a bit.
 * Radix heap: Ahuja, Mehlhorn, Orlin, Tarjan, "Faster algorithms for the shortest path problem", 1990. */
#include "core/timers.h"

#if THRUM_RADIX_TIMERS

#include <thrum/timeouts.h>

#include "core/state.h"

static thrum_waiter *waiter_of(thrum_node *node) { return (thrum_waiter *)(void *)node; }

static unsigned highest_bit(uint64_t bits)
{
#if defined(__GNUC__)
    return 63u - (unsigned)__builtin_clzll(bits);
#else
    unsigned bit = 0;
    while (bits >>= 1)
        bit++;
    return bit;
#endif
}

static unsigned lowest_bit(uint64_t bits) { return highest_bit(bits & (~bits + 1)); }

static unsigned bucket_of(const thrum_timers *timers, thrum_time when)
{
    return when <= timers->floor ? 0 : 1 + highest_bit((uint64_t)(when ^ timers->floor));
}

void thrum_timers_open(thrum_timers *timers, thrum_time now)
{
    timers->filled = 0;
    timers->floor = now;
    for (unsigned i = 0; i < THRUM_TIMER_BUCKETS; i++)
        list_init(&timers->buckets[i].list);
}

static void insert(thrum_timers *timers, thrum_waiter *waiter)
{
    thrum_time when = waiter->as.when;
    unsigned i = bucket_of(timers, when);
    thrum_timer_bucket *bucket = &timers->buckets[i];
    if (!(timers->filled >> i & 1) || when < bucket->earliest) {
        bucket->earliest = when;
        bucket->stale = false;
    }
    timers->filled |= UINT64_C(1) << i;
    list_append(&bucket->list, &waiter->node);
}

void thrum_timer_start(thrum_timers *timers, thrum_waiter *waiter, thrum_time when)
{
    waiter->node.state = NODE_TIMED;
    waiter->as.when = when < 0 ? 0 : when;
    insert(timers, waiter);
}

void thrum_timer_stop(thrum_timers *timers, thrum_waiter *waiter)
{
    unsigned i = bucket_of(timers, waiter->as.when);
    thrum_timer_bucket *bucket = &timers->buckets[i];
    list_remove(&waiter->node);
    if (list_empty(&bucket->list))
        timers->filled &= ~(UINT64_C(1) << i);
    else if (waiter->as.when == bucket->earliest)
        bucket->stale = true;
    waiter->node.state = NODE_PARKED;
}

/* The earliest time was that of a timer that is gone. Look again, but not through thousands at every stop: a time that
 * is too early costs one pass that finds nothing. */
static void look_again(thrum_timer_bucket *bucket)
{
    thrum_time earliest = THRUM_NEVER;
    unsigned seen = 0;
    for (thrum_node *node = bucket->list.next; node != &bucket->list; node = node->next) {
        if (++seen > 64)
            return;
        if (waiter_of(node)->as.when < earliest)
            earliest = waiter_of(node)->as.when;
    }
    bucket->earliest = earliest;
    bucket->stale = false;
}

thrum_time thrum_timers_next(thrum_timers *timers)
{
    if (!timers->filled)
        return THRUM_NEVER;
    thrum_timer_bucket *bucket = &timers->buckets[lowest_bit(timers->filled)];
    if (bucket->stale)
        look_again(bucket);
    return bucket->earliest;
}

/* ---- what is due, in order ---- */

/* Stable merge sort of a chain through `next`, bottom up: runs of 1, 2, 4... are merged until one is left. */
static thrum_node *sort(thrum_node *chain)
{
    for (size_t length = 1;; length *= 2) {
        thrum_node *left = chain, *sorted = NULL, **end = &sorted;
        size_t merges = 0;
        while (left) {
            thrum_node *right = left;
            size_t lefts = 0, rights = length;
            merges++;
            while (lefts < length && right) {
                lefts++;
                right = right->next;
            }
            while (lefts || (rights && right)) {
                thrum_node **take = &left;
                if (!lefts || (rights && right && waiter_of(right)->as.when < waiter_of(left)->as.when))
                    take = &right;
                if (take == &left)
                    lefts--;
                else
                    rights--;
                *end = *take;
                end = &(*take)->next;
                *take = (*take)->next;
            }
            left = right;
        }
        *end = NULL;
        chain = sorted;
        if (merges <= 1)
            return chain;
    }
}

static bool sorted(const thrum_node *list)
{
    for (const thrum_node *node = list->next; node->next != list; node = node->next)
        if (((const thrum_waiter *)(const void *)node->next)->as.when <
            ((const thrum_waiter *)(const void *)node)->as.when)
            return false;
    return true;
}

void thrum_timers_collect(thrum_state *state, thrum_time now)
{
    thrum_timers *timers = &state->timers;
    if (!timers->filled || timers->buckets[lowest_bit(timers->filled)].earliest > now)
        return;
    thrum_node due, mixed;
    list_init(&due);
    list_init(&mixed);
    unsigned here = bucket_of(timers, now);
    for (unsigned i = 0; i < here; i++)
        list_splice(&due, &timers->buckets[i].list);
    list_splice(here ? &mixed : &due, &timers->buckets[here].list);
    timers->filled &= here == 63 ? 0 : ~((UINT64_C(2) << here) - 1);
    if (now > timers->floor)
        timers->floor = now;
    while (!list_empty(&mixed)) {
        thrum_node *node = mixed.next;
        list_remove(node);
        if (waiter_of(node)->as.when <= now)
            list_append(&due, node);
        else
            insert(timers, waiter_of(node));
    }
    if (list_empty(&due))
        return;
    bool in_order = sorted(&due);
    thrum_node *node = due.next;
    due.prev->next = NULL;
    if (!in_order)
        node = sort(node);
    for (thrum_node *next; node; node = next) {
        next = node->next;
        ready_push(state, node, node->flags & TASK_IS ? NODE_DUE : NODE_CALL);
    }
}

#endif
