/* Supervising groups: a group each of whose children runs something again and again, and ends with an error only when
 * that failed too often. */
#include <thrum/supervisors.h>

#include <thrum/async.h>

#include "core/memory.h"
#include "core/operations.h"
#include "sync/limits.h"

/* What a child remembers between its lives. */
typedef struct record {
    thrum_time first; /* restart since they are counted */
    thrum_time delay; /* before the next one */
    uint16_t restarts;
} record;

enum { GOES_ON, ENDS, ESCALATES };

/* `delay` times `factor`, at most `limit`; without a division, which small targets lack. */
static thrum_time longer(thrum_time delay, unsigned factor, thrum_time limit)
{
    thrum_time sum = delay;
    while (factor-- > 1) {
        if (sum > limit - delay)
            return limit;
        sum += delay;
    }
    return sum;
}

static bool positive(thrum_time delay)
{
#if THRUM_TIME_BITS == 64
    return delay > 0;
#else
    return delay - 1 < UINT32_MAX / 2;
#endif
}

/* The delay before the restart that is due now. */
static thrum_time count_restart(const thrum_supervised *how, record *kept)
{
    thrum_time limit = positive(how->delay_limit) ? how->delay_limit : (thrum_time)(THRUM_NEVER / 4);
    thrum_time delay = kept->restarts == 0 ? how->delay : kept->delay;
    if (!positive(delay)) /* one below would grow, too, and out of its range */
        delay = 0;
    else if (delay > limit)
        delay = limit;
    if (kept->restarts == 0)
        kept->first = thrum_now();
    if (kept->restarts < UINT16_MAX)
        kept->restarts++;
    kept->delay = longer(delay, how->factor, limit);
    return delay;
}

/* A child has ended, with `error` or 0. What becomes of it? */
static int decide(thrum_supervisor *supervisor, const thrum_supervised *how, record *kept, int error, thrum_time *delay)
{
    thrum_failure failure = {supervisor, how->name, how->context, NULL, 0, error, 0, false, false};
    if (how->within && kept->restarts && thrum_now() - kept->first > how->within)
        kept->restarts = 0;
    failure.restarts = kept->restarts;
    bool wanted = how->policy == THRUM_RESTART_ALWAYS || (error && how->policy == THRUM_RESTART_ON_FAILURE);
    bool allowed = how->restarts == THRUM_RESTARTS_UNLIMITED || kept->restarts < how->restarts;
    bool out = error == THRUM_EINTERRUPTED || error == THRUM_EEXIT;
    failure.again = wanted && allowed && !out;
    failure.escalates = (wanted && !allowed && error) || out;
    if (failure.again) {
        failure.delay = *delay = count_restart(how, kept);
        supervisor->restarts++;
    }
    if (error) {
        supervisor->failures++;
        failure.detail = thrum_error_last();
        if (supervisor->report)
            supervisor->report(&failure, supervisor->context);
    }
    return failure.again ? GOES_ON : failure.escalates ? ESCALATES : ENDS;
}

static ASYNC(supervised, ARGS((thrum_supervisor *, supervisor), (thrum_supervised, how)),
             LOCALS(record kept; thrum_time delay; int error; int next;))
{
    ASYNC_BEGIN;
    for (;;) {
        AWAIT_CATCH(self->error, self->how.start(self->how.context));
        self->next = decide(self->supervisor, &self->how, &self->kept, self->error, &self->delay);
        if (self->next == ESCALATES)
            ASYNC_RAISE(self->error);
        if (self->next == ENDS)
            break;
        AWAIT(thrum_sleep(self->delay)); /* the others have their turn, also without a delay */
    }
    ASYNC_END;
}

thrum_task *thrum_supervisor_spawn(thrum_supervisor *supervisor, const thrum_supervised *child)
{
    not_for_interrupts();
    thrum_supervised how;
    memset(&how, 0, sizeof how);
    memcpy(&how, child, child->size < sizeof how ? child->size : sizeof how);
    if (!how.start) {
        supervisor->group.spawn_error = THRUM_EINVAL;
        return NULL;
    }
    thrum_awaitable what = supervised(supervisor, how);
    if (head_of(what)->operations->start) { /* there was no frame for it, which is no failure of the whole */
        thrum_drop(what);
        supervisor->group.spawn_error = THRUM_ENOMEM;
        return NULL;
    }
    return thrum_group_spawn(&supervisor->group, what);
}

int thrum_supervisor_error(const thrum_supervisor *supervisor)
{
    return thrum_group_error(&supervisor->group);
}

void thrum_supervisor_cancel(thrum_supervisor *supervisor)
{
    thrum_group_cancel(&supervisor->group);
}

void thrum_supervisor_counts_get(const thrum_supervisor *supervisor, thrum_supervisor_counts *counts)
{
    counts->failures = supervisor->failures;
    counts->restarts = supervisor->restarts;
    counts->children = thrum_group_size(&supervisor->group);
}

thrum_awaitable thrum_supervisor_open(thrum_supervisor *supervisor, thrum_failure_report *report, void *context)
{
    if (!(supervisor->scope.flags & SCOPE_OPEN)) {
        supervisor->report = report;
        supervisor->context = context;
        supervisor->failures = supervisor->restarts = 0;
    }
    return thrum_group_open(&supervisor->group);
}
