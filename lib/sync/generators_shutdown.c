/* Closing the generators that nobody closed. */
#include "core/coroutines.h"
#include "core/scheduler.h"
#include "sync/generators.h"

#include <thrum/taskgroups.h>

/* The iterations over what is to be closed, wherever they are, have ended. Those that are being driven right now know
 * the new epoch, too. */
static size_t mark_left(void)
{
    thrum_state *state = thrum_state_here();
    size_t count = 0;
    generators_open(state)->epoch++;
    for (thrum_yields *yields = generators_open(state)->first; yields; yields = yields->next)
        if (generator_runs(yields)) {
            yields->iteration->epoch = generators_open(state)->epoch;
        } else if (!yields->iteration) {
            yields->iteration = GENERATOR_LEFT;
            count++;
        }
    return count;
}

bool thrum_generators_left(void)
{
    const thrum_yields *yields = generators_open(thrum_state_here())->first;
    while (yields && yields->iteration)
        yields = yields->next;
    return yields != NULL;
}

/* One that is left, and its iteration. */
typedef struct leftover {
    thrum_iteration iteration;
    const thrum_function *function;
    int error;
} leftover;

static bool adopt_one(leftover *one)
{
    thrum_yields *yields = generators_open(thrum_state_here())->first;
    while (yields && yields->iteration != GENERATOR_LEFT)
        yields = yields->next;
    if (!yields)
        return false;
    one->function = function_of(generator_coro(yields));
    thrum_iteration_adopt(&one->iteration, yields);
    return true;
}

static void report(const leftover *one)
{
    const thrum_core_report failed = {.message = "a generator failed while it was closed",
                                      .error = one->error,
                                      .function = one->function,
                                      .line = one->function->line};
    if (one->error)
        thrum_core_tell(&failed);
}

static ASYNC(close_one, ARGS_NONE, LOCALS(leftover one;))
{
    ASYNC_BEGIN;
    if (adopt_one(&self->one)) {
        AWAIT_CATCH(self->one.error, thrum_iteration_close(&self->one.iteration));
        report(&self->one);
    }
    ASYNC_END;
}

static ASYNC(shutdown_generators, ARGS_NONE, LOCALS(thrum_group group; size_t count; leftover one;))
{
    ASYNC_BEGIN;
    self->count = mark_left();
    WITH (self->group, thrum_group_open(&self->group)) {
        while (self->count && !thrum_group_spawn_detached(&self->group, close_one()))
            self->count--;
    }
    while (adopt_one(&self->one)) { /* there was no memory for a task */
        AWAIT_CATCH(self->one.error, thrum_iteration_close(&self->one.iteration));
        report(&self->one);
    }
    ASYNC_END;
}

thrum_awaitable thrum_shutdown_generators(void)
{
    return shutdown_generators();
}
