/* Virtual time: nothing ready means that the clock jumps to the next timer. Nothing is ever waited for but threads that
 * are known to be at work. A seed other than 0 shuffles what runs in a pass, always alike. */
#include <semaphore.h>

#include "loop/loop.h"
#include "loop/shuffle.h"

typedef struct sim_loop {
    thrum_loop loop;
    thrum_time now;
    uint64_t seed;
    sem_t posted;
} sim_loop;

static int sim_open(thrum_loop *loop, const thrum_loop_options *options)
{
    sim_loop *sim = (sim_loop *)loop;
    if (options->poller != THRUM_POLLER_DEFAULT)
        return THRUM_EUNSUPPORTED;
    sim->now = options->start;
    sim->seed = options->seed;
    sem_init(&sim->posted, 0, 0);
    return 0;
}

static void sim_close(thrum_loop *loop)
{
    sem_destroy(&((sim_loop *)loop)->posted);
}

static thrum_time sim_now(const thrum_loop *loop)
{
    return ((const sim_loop *)loop)->now;
}

static thrum_time sim_resolution(const thrum_loop *loop)
{
    (void)loop;
    return 1;
}

static int sim_wait(thrum_loop *loop, thrum_time until)
{
    sim_loop *sim = (sim_loop *)loop;
    if (until > sim->now && loop->holds) {
        /* Time stands still while a thread works. */
        while (thrum_inbox_sleep(&loop->inbox) && sem_wait(&sim->posted) != 0)
            continue;
        thrum_inbox_wake(&loop->inbox);
    } else if (until == THRUM_NEVER) {
        const thrum_report report = {.message = "deadlock: nothing is ready and no timer is set"};
        thrum_loop_call_exception_handler(loop, &report);
        return THRUM_ESTATE;
    } else if (until > sim->now) {
        sim->now = until;
    }
    loop->woke = sim->now;
    if (sim->seed) {
        thrum_timers_collect(loop->state, sim->now);
        shuffle(&loop->state->ready, &sim->seed);
    }
    return 0;
}

static void sim_wake(thrum_loop *loop)
{
    sem_post(&((sim_loop *)loop)->posted);
}

const thrum_backend thrum_backend_sim = {
    .size = sizeof(sim_loop),
    .open = sim_open,
    .close = sim_close,
    .now = sim_now,
    .resolution = sim_resolution,
    .wait = sim_wait,
    .wake = sim_wake,
};
