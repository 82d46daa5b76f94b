/* Timers in one sorted list: the least memory, and fast enough for the few timers of a microcontroller. O(n) to start,
 * counted from the latest, where new timers mostly belong. */
#include "core/timers.h"

#if !THRUM_RADIX_TIMERS

#include <thrum/timeouts.h>

#include "core/probes.h"
#include "core/ready.h"
#include "core/scheduler.h"

void thrum_timers_open(thrum_timers *timers, thrum_time now)
{
    (void)now;
    timers->first = NULL;
}

void thrum_timer_start(thrum_timers *timers, thrum_waiter *waiter, thrum_time when)
{
    thrum_waiter *first = timers->first, *after = first;
#if THRUM_TIME_BITS != 64
    /* The clock passes this value, too, which means that there is no timer: rather one tick late than never. */
    if (when == THRUM_NEVER)
        when = 0;
#endif
#if THRUM_HOSTED
    if (time_reached(when, thrum_state_here()->now))
        thrum_core_hurry();
#endif
    waiter->node.state = NODE_TIMED;
    waiter->as.when = when;
    if (!first) {
        thrum_waiters_add(timers, waiter);
        return;
    }
    do { /* from the latest, which stands before the first */
        after = (thrum_waiter *)(void *)after->node.prev;
        if (time_reached(after->as.when, when)) {
            list_append(after->node.next, &waiter->node);
            return;
        }
    } while (after != first);
    list_append(&first->node, &waiter->node);
    timers->first = waiter;
}

void thrum_timer_stop(thrum_timers *timers, thrum_waiter *waiter)
{
    thrum_waiters_remove(timers, waiter);
    waiter->node.state = NODE_PARKED;
}

void thrum_timers_collect(thrum_state *state, thrum_time now)
{
    thrum_timers *timers = timers_of(state);
    do {
        thrum_node *node = &thrum_waiters_pop(timers)->node;
        PROBE2(timer__fire, node, task_of(node)->waiter.as.when);
        ready_push(state, node, node->flags & TASK_IS ? NODE_DUE : NODE_CALL);
    } while (thrum_timers_due(timers, now));
}

#endif
