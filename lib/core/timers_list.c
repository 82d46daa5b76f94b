/* Timers in one sorted list: the least memory, and fast enough for the few timers of a microcontroller. O(n) to start,
 * counted from the latest, where new timers mostly belong. */
#include "core/timers.h"

#if !THRUM_RADIX_TIMERS

#include <thrum/timeouts.h>

#include "core/state.h"

static thrum_time when_of(const thrum_node *node)
{
    return ((const thrum_waiter *)(const void *)node)->as.when;
}

void thrum_timers_open(thrum_timers *timers, thrum_time now)
{
    (void)now;
    list_init(&timers->list);
}

void thrum_timer_start(thrum_timers *timers, thrum_waiter *waiter, thrum_time when)
{
    thrum_node *after = timers->list.prev;
    waiter->node.state = NODE_TIMED;
    waiter->as.when = when;
    while (after != &timers->list && !time_reached(when_of(after), when))
        after = after->prev;
    list_append(after->next, &waiter->node);
}

void thrum_timer_stop(thrum_timers *timers, thrum_waiter *waiter)
{
    (void)timers;
    list_remove(&waiter->node);
    waiter->node.state = NODE_PARKED;
}

thrum_time thrum_timers_next(thrum_timers *timers)
{
    return list_empty(&timers->list) ? THRUM_NEVER : when_of(timers->list.next);
}

void thrum_timers_collect(thrum_state *state, thrum_time now)
{
    thrum_node *list = &state->timers->list;
    while (!list_empty(list) && time_reached(when_of(list->next), now)) {
        thrum_node *node = list->next;
        list_remove(node);
        ready_push(state, node, node->flags & TASK_IS ? NODE_DUE : NODE_CALL);
    }
}

#endif
