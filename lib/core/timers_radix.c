/* Timers in a radix heap with 64 slots a level. Time only goes forward, so a timer can stand in the slot of the highest
 * base-64 digit in which its time differs from a time that has been reached, the floor. Later slots and levels hold
 * only later timers, and all timers of one time stand in one slot in the order of arming. Start and stop are a list
 * operation each. When the floor passes a slot, its timers are due; those of the slot in which the floor now lies move
 * down, each at most once a level. Times that are equal but for the last 16 bits (65 microseconds) are told apart when
 * due. Radix heap: Ahuja, Mehlhorn, Orlin, Tarjan, "Faster algorithms for the shortest path problem", 1990; its
 * relative with a wheel a level: Varghese and Lauck, "Hashed and hierarchical timing wheels", 1987. */
#include "core/timers.h"

#if THRUM_RADIX_TIMERS

#include <thrum/timeouts.h>

#include "core/inlining.h"
#include "core/probes.h"
#include "core/ready.h"
#include "core/scheduler.h"

static thrum_waiter *waiter_of(thrum_node *node)
{
    return (thrum_waiter *)(void *)node;
}

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

static unsigned lowest_bit(uint64_t bits)
{
    return highest_bit(bits & (~bits + 1));
}

enum { TICK_BITS = 16, DIGIT_BITS = 6 };

static void slot_init(thrum_waiter *slot)
{
    list_init(&slot->node);
    slot->as.when = THRUM_NEVER;
}

void thrum_timers_open(thrum_timers *timers, thrum_time now)
{
    timers->soonest = THRUM_NEVER;
    timers->stale = timers->unsorted = false;
    timers->floor = now;
    slot_init(&timers->current);
    for (unsigned level = 0; level < TIMER_LEVELS; level++)
        timers->filled[level] = 0;
    for (unsigned slot = 0; slot < TIMER_LEVELS * TIMER_SLOTS; slot++)
        slot_init(&timers->slots[slot]);
}

static inline void insert(thrum_timers *timers, thrum_waiter *waiter)
{
    thrum_time when = waiter->as.when;
    thrum_waiter *slot = &timers->current;
    uint64_t differs = when <= timers->floor ? 0 : (uint64_t)(when ^ timers->floor) >> TICK_BITS;
    if (differs) {
        unsigned level = highest_bit(differs) / DIGIT_BITS;
        unsigned digit = (unsigned)((uint64_t)when >> (TICK_BITS + DIGIT_BITS * level)) % TIMER_SLOTS;
        timers->filled[level] |= UINT64_C(1) << digit;
        slot = &timers->slots[level * TIMER_SLOTS + digit];
    } else if (!list_empty(&slot->node) && when < waiter_of(slot->node.prev)->as.when)
        timers->unsorted = true;
    if (when < slot->as.when)
        slot->as.when = when;
    list_append(&slot->node, &waiter->node);
}

/* No pass is to follow before it is looked at. */
static THRUM_COLD_ void start_due(thrum_timers *timers, thrum_waiter *waiter)
{
#if THRUM_HOSTED
    thrum_core_hurry();
#endif
    insert(timers, waiter);
}

void thrum_timer_start(thrum_timers *timers, thrum_waiter *waiter, thrum_time when)
{
    waiter->node.state = NODE_TIMED;
    waiter->as.when = when < 0 ? 0 : when;
    if (when < timers->soonest) {
        timers->soonest = waiter->as.when;
        timers->stale = false;
        if (THRUM_UNLIKELY_(when <= thrum_state_here()->now)) {
            start_due(timers, waiter);
            return;
        }
    }
    insert(timers, waiter);
}

/* The last timer of a slot is gone. */
static void slot_emptied(thrum_timers *timers, thrum_waiter *slot)
{
    slot->as.when = THRUM_NEVER;
    if (slot == &timers->current)
        return;
    size_t index = (size_t)(slot - timers->slots);
    timers->filled[index / TIMER_SLOTS] &= ~(UINT64_C(1) << index % TIMER_SLOTS);
}

void thrum_timer_stop(thrum_timers *timers, thrum_waiter *waiter)
{
    thrum_node *next = waiter->node.next;
    list_remove(&waiter->node);
    waiter->node.state = NODE_PARKED;
    if (list_empty(next)) /* then it is the sentinel */
        slot_emptied(timers, waiter_of(next));
    if (waiter->as.when <= timers->soonest)
        timers->stale = true;
}

/* The first slot that has timers, or NULL. */
static thrum_waiter *first_slot(thrum_timers *timers)
{
    if (!list_empty(&timers->current.node))
        return &timers->current;
    for (unsigned level = 0; level < TIMER_LEVELS; level++)
        if (timers->filled[level])
            return &timers->slots[level * TIMER_SLOTS + lowest_bit(timers->filled[level])];
    return NULL;
}

/* Look for the soonest timer, but not through thousands at every stop: a time that is too early costs one pass that
 * finds nothing. */
static void look_again(thrum_timers *timers)
{
    thrum_waiter *slot = first_slot(timers);
    thrum_time soonest = THRUM_NEVER;
    unsigned seen = 0;
    timers->stale = false;
    if (slot == &timers->current && !timers->unsorted)
        soonest = waiter_of(slot->node.next)->as.when;
    else if (slot)
        for (thrum_node *node = slot->node.next; node != &slot->node; node = node->next) {
            if (waiter_of(node)->as.when < soonest)
                soonest = waiter_of(node)->as.when;
            if (++seen > 64) {
                soonest = slot->as.when;
                break;
            }
        }
    timers->soonest = soonest;
}

thrum_time thrum_timers_next(thrum_timers *timers)
{
    if (timers->stale)
        look_again(timers);
    return timers->soonest;
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

/* Put `current` in order, unless it is; what is armed meanwhile seldom comes before what is there. */
static void sort_current(thrum_timers *timers)
{
    thrum_node *list = &timers->current.node;
    if (!timers->unsorted)
        return;
    timers->unsorted = false;
    list->prev->next = NULL;
    thrum_node *node = sort(list->next);
    list_init(list);
    for (thrum_node *next; node; node = next) {
        next = node->next;
        list_append(list, node);
    }
}

/* Move what stands in `current` and is due to the ready queue, in order. */
static void take_current(thrum_state *state, thrum_timers *timers, thrum_time now)
{
    thrum_node *list = &timers->current.node;
    sort_current(timers);
    while (!list_empty(list) && waiter_of(list->next)->as.when <= now) {
        thrum_node *node = list->next;
        THRUM_PREFETCH_(node->next->next);
        list_remove(node);
        PROBE2(timer__fire, node, waiter_of(node)->as.when);
        ready_push(state, node, node->flags & TASK_IS ? NODE_DUE : NODE_CALL);
    }
    timers->current.as.when = list_empty(list) ? THRUM_NEVER : waiter_of(list->next)->as.when;
}

/* Raise the floor to the beginning of the first slot that has timers, if `now` has reached that, and let them move
 * down: into `current` at last. Nothing lies between. */
static bool open_slot(thrum_timers *timers, thrum_time now)
{
    for (unsigned level = 0; level < TIMER_LEVELS; level++) {
        if (!timers->filled[level])
            continue;
        unsigned slot = lowest_bit(timers->filled[level]), shift = TICK_BITS + DIGIT_BITS * level;
        uint64_t above = ~((UINT64_C(1) << (shift + DIGIT_BITS < 64 ? shift + DIGIT_BITS : 63)) - 1);
        thrum_time begins = (thrum_time)(((uint64_t)timers->floor & above) | (uint64_t)slot << shift);
        if (begins > now)
            return false;
        thrum_node moving;
        list_init(&moving);
        thrum_waiter *from = &timers->slots[level * TIMER_SLOTS + slot];
        list_splice(&moving, &from->node);
        slot_emptied(timers, from);
        timers->floor = begins;
        /* Many timers lie all over the memory, and each is known by the one before only. A look from the other end
         * brings the second half into the cache while the first is moved; past the middle it goes astray, which does no
         * harm. */
        for (thrum_node *ahead = moving.prev; !list_empty(&moving); ahead = ahead->prev) {
            thrum_node *node = moving.next;
            THRUM_PREFETCH_(ahead);
            list_remove(node);
            insert(timers, waiter_of(node));
        }
        return true;
    }
    return false;
}

void thrum_timers_collect(thrum_state *state, thrum_time now)
{
    thrum_timers *timers = state->timers;
    if (timers->soonest > now)
        return;
    do
        if (!list_empty(&timers->current.node))
            take_current(state, timers, now);
    while (open_slot(timers, now));
    if (now > timers->floor)
        timers->floor = now;
    look_again(timers);
}

#endif
