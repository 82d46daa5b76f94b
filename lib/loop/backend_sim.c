/* Virtual time: nothing ready means that the clock jumps to the next timer. Nothing is ever waited for but threads that
 * are known to be at work: as long as one is, time stands still. */
#include <poll.h>

#include "loop/backends.h"
#include "loop/system.h"

typedef struct sim_side {
    thrum_time now;
    unsigned held; /* threads at work */
    system_waker waker;
} sim_side;

static int sim_open(void *own, thrum_loop *loop, const thrum_loop_options *options)
{
    sim_side *side = (sim_side *)own;
    (void)loop;
    if (options->poller != THRUM_POLLER_DEFAULT)
        return THRUM_EUNSUPPORTED;
    side->now = options->start;
    return system_waker_open(&side->waker);
}

static void sim_close(void *own)
{
    system_waker_close(&((sim_side *)own)->waker);
}

static thrum_time sim_now(const void *own)
{
    return ((const sim_side *)own)->now;
}

static int sim_wait(void *own, thrum_time until, thrum_time *woke)
{
    sim_side *side = (sim_side *)own;
    if (until && side->held) {
        struct pollfd woken = {.fd = side->waker.read, .events = POLLIN};
        (void)poll(&woken, 1, -1);
        system_waker_drain(&side->waker);
    } else if (until == THRUM_NEVER) {
        return THRUM_ESTATE;
    } else if (until > side->now) {
        side->now = until;
    }
    *woke = side->now;
    return 0;
}

static void sim_wake(void *own)
{
    system_waker_wake(&((sim_side *)own)->waker);
}

static void sim_hold(void *own, bool more)
{
    ((sim_side *)own)->held += more ? 1 : -1u;
}

const thrum_backend thrum_backend_sim = {
    .size = sizeof(thrum_backend),
    .storage = sizeof(sim_side),
    .stepwise = true,
    .open = sim_open,
    .close = sim_close,
    .now = sim_now,
    .wait = sim_wait,
    .wake = sim_wake,
    .hold = sim_hold,
};
