/* Tickers: deadlines that are counted from the first one on, and never from when somebody came to wait. */
#include <thrum/tickers.h>
#include <thrum/timeouts.h>

#include "core/state.h"

/* A wait of half the clock's range or more would be over at once. */
static bool usable(thrum_time period)
{
#if THRUM_TIME_BITS == 64
    return period > 0;
#else
    return (int32_t)period > 0;
#endif
}

static thrum_time after(thrum_time now, thrum_time period)
{
#if THRUM_TIME_BITS == 64
    return period < THRUM_NEVER - now ? now + period : THRUM_NEVER;
#else
    return now + period;
#endif
}

/* A tick has come: take it and those before it, and give how many those were. */
static thrum_time take(thrum_ticker *ticker, thrum_time now)
{
    thrum_time late = now - ticker->next, missed = 0;
    if (THRUM_UNLIKELY_(late >= ticker->period))
        missed = late / ticker->period;
    ticker->next = after(ticker->next + missed * ticker->period, ticker->period);
    return missed;
}

/* The tick is taken in the step that tells of it, so that a task which is cancelled before has taken none. */
static void fire(thrum_handle *timer)
{
    thrum_wake(&((thrum_ticker *)timer->context)->task->waiter, 0, 0);
}

static void arm_for_next(thrum_ticker *ticker)
{
    thrum_handle_init(&ticker->timer, fire, ticker);
    (void)thrum_call_at(ticker->next, &ticker->timer);
}

static thrum_step next_start(thrum_task *task, thrum_record *record)
{
    thrum_ticker *ticker = (thrum_ticker *)record->object;
    thrum_time now = thrum_now();
    if (ticker->task || !usable(ticker->period))
        return thrum_done(task, ticker->task ? THRUM_EBUSY : THRUM_EINVAL, 0);
    if (!ticker->begun) {
        ticker->begun = true;
        ticker->next = after(now, ticker->period);
    }
    if (time_reached(ticker->next, now))
        return thrum_done(task, 0, (thrum_value)take(ticker, now));
    ticker->task = task;
    arm_for_next(ticker);
    return thrum_parked(task);
}

static thrum_step next_resume(thrum_task *task)
{
    thrum_ticker *ticker = (thrum_ticker *)task->object;
    thrum_time now = thrum_now();
    if (!time_reached(ticker->next, now)) { /* it was begun anew after the tick */
        arm_for_next(ticker);
        return thrum_parked(task);
    }
    ticker->task = NULL;
    return thrum_done(task, 0, (thrum_value)take(ticker, now));
}

static thrum_cancel_result next_cancel(thrum_task *task)
{
    thrum_ticker *ticker = (thrum_ticker *)task->object;
    (void)thrum_handle_cancel(&ticker->timer);
    ticker->task = NULL;
    return THRUM_DETACHED;
}

static const thrum_operations next_operations = {next_start, next_resume, next_cancel, NULL, "ticker next", NULL};

void thrum_ticker_init(thrum_ticker *ticker, thrum_time period)
{
    not_for_interrupts();
    thrum_clear_(ticker, sizeof *ticker);
    ticker->period = period;
}

thrum_awaitable thrum_ticker_next(thrum_ticker *ticker)
{
    return thrum_awaitable_make(&next_operations, ticker, 0, 0);
}

void thrum_ticker_reset(thrum_ticker *ticker, thrum_time period)
{
    if (period)
        ticker->period = period;
    ticker->begun = usable(ticker->period);
    ticker->next = after(thrum_now(), ticker->period);
    if (ticker->task && thrum_handle_cancel(&ticker->timer))
        arm_for_next(ticker);
}
