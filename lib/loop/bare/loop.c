/* The bare-metal loop. A pass takes up what interrupts have posted and runs what is ready; when nothing is, the
 * processor sleeps until the next timer, or until an interrupt comes. Nothing ticks. */
#include <thrum/port.h>

#include "core/ready.h"
#include "core/scheduler.h"
#include "loop/bare/bare.h"
#include "loop/bare/mask.h"

void (*volatile bare_posts)(void);

int thrum_bare_open(void)
{
    if (thrum_state_here()->open)
        return THRUM_ESTATE;
    thrum_port_open();
    return thrum_core_open(NULL, thrum_port_now(), NULL) ? 0 : THRUM_ENOMEM;
}

void thrum_bare_close(void)
{
    thrum_core_close();
}

static bool nothing_to_do(void)
{
    return list_empty(ready_list(thrum_state_here())) && !bare_posts;
}

bool thrum_bare_step(void)
{
    void (*take)(void) = bare_posts;
    if (take)
        take();
    thrum_core_run(thrum_port_now());
    return !nothing_to_do();
}

void thrum_bare_sleep(void)
{
    thrum_timers *timers = timers_of(thrum_state_here());
    uintptr_t was = mask();
    /* What an interrupt posts from here on is pending, and ends the sleep. */
    if (nothing_to_do()) {
        if (thrum_timers_any(timers))
            thrum_port_arm(thrum_timers_next(timers));
        thrum_port_idle();
    }
    unmask(was);
}
