/* Capacity limiter. A token goes to the first in line at the moment when it comes free: from then on that is a
 * borrower, which a task that is cancelled before it runs undoes. So a token that nobody has means that nobody
 * waits. */
#include <thrum/limiters.h>

#include "core/memory.h"
#include "core/operations.h"
#include "sync/waitqueue.h"

static thrum_cancel_result acquire_cancel(thrum_task *task);

static const void *waited_in(const thrum_task *task)
{
    return task->operations->cancel == acquire_cancel ? ((const thrum_limiter_hold *)task->object)->limiter : NULL;
}

static const check_kind checked = {"limiter", waited_in};

static bool is_sound(const thrum_limiter *limiter)
{
    return !limiter->waiters.first || line_is_sound(&checked, &limiter->waiters, limiter);
}

void thrum_limiter_init(thrum_limiter *limiter, uint32_t tokens)
{
    object_begins(&checked, limiter);
    memset(limiter, 0, sizeof *limiter);
    limiter->total = tokens;
}

static bool borrows(const thrum_limiter *limiter, const void *borrower)
{
    const thrum_limiter_hold *hold = limiter->borrowers;
    while (hold && hold->borrower != borrower)
        hold = hold->next;
    return hold != NULL;
}

static bool available(const thrum_limiter *limiter)
{
    return limiter->borrowed < limiter->total;
}

static void lend(thrum_limiter *limiter, thrum_limiter_hold *hold)
{
    hold->held = true;
    hold->previous = NULL;
    hold->next = limiter->borrowers;
    if (hold->next)
        hold->next->previous = hold;
    limiter->borrowers = hold;
    limiter->borrowed++;
}

static thrum_limiter_hold *hold_of(const thrum_waiter *waiter)
{
    return (thrum_limiter_hold *)((const thrum_task *)(const void *)waiter)->object;
}

/* Somebody else may have borrowed in the same name since a task came to wait, which then is as if it had come now. */
static void lend_to_those_who_wait(thrum_limiter *limiter)
{
    while (limiter->waiters.first && available(limiter)) {
        thrum_limiter_hold *hold = hold_of(limiter->waiters.first);
        if (hold->limiter != limiter)
            return; /* it was moved, and they wait in the place where it was */
        thrum_waiter *waiter = thrum_waiters_pop(&limiter->waiters);
        bool twice = borrows(limiter, hold->borrower);
        if (!twice)
            lend(limiter, hold);
        thrum_wake(waiter, twice ? THRUM_ESTATE : 0, 0);
    }
}

void thrum_limiter_set_total(thrum_limiter *limiter, uint32_t tokens)
{
    not_for_interrupts();
    if (!is_sound(limiter))
        return;
    limiter->total = tokens;
    lend_to_those_who_wait(limiter);
}

int thrum_limiter_release(thrum_limiter_hold *hold)
{
    not_for_interrupts();
    thrum_limiter *limiter = hold->limiter;
    if (!limiter || !hold->held)
        return THRUM_ESTATE;
    if (!hold->previous && limiter->borrowers != hold) /* it was moved or made anew since */
        return refused(limiter, "a limiter was given a token that it does not know", THRUM_ESTATE);
    if (!is_sound(limiter))
        return THRUM_ESTATE;
    if (hold->next)
        hold->next->previous = hold->previous;
    if (hold->previous)
        hold->previous->next = hold->next;
    else
        limiter->borrowers = hold->next;
    hold->limiter = NULL;
    hold->held = false;
    limiter->borrowed--;
    lend_to_those_who_wait(limiter);
    return 0;
}

int thrum_limiter_acquire_nowait(thrum_limiter *limiter, thrum_limiter_hold *hold, const void *borrower)
{
    not_for_interrupts();
    if (!borrower)
        borrower = thrum_state_here()->current;
    if (!borrower || hold->limiter || borrows(limiter, borrower))
        return THRUM_ESTATE;
    if (!available(limiter) || limiter->waiters.first)
        return is_sound(limiter) ? THRUM_EFULL : THRUM_ESTATE;
    hold->limiter = limiter;
    hold->borrower = borrower;
    lend(limiter, hold);
    return 0;
}

void thrum_limiter_stats_get(const thrum_limiter *limiter, thrum_limiter_stats *stats)
{
    const thrum_waiter *first = limiter->waiters.first;
    stats->total = limiter->total;
    stats->borrowed = limiter->borrowed;
    stats->waiting = 0;
    if (!first)
        return;
    const thrum_node *node = &first->node;
    do {
        stats->waiting++;
        node = node->next;
    } while (node != &first->node);
}

size_t thrum_limiter_borrowers(const thrum_limiter *limiter, const void **borrowers, size_t room)
{
    size_t count = 0;
    for (const thrum_limiter_hold *hold = limiter->borrowers; hold; hold = hold->next) {
        if (count < room)
            borrowers[count] = hold->borrower;
        count++;
    }
    return count;
}

/* ---- waiting ---- */

static thrum_step acquire(thrum_task *task, thrum_limiter *limiter, thrum_limiter_hold *hold, const void *borrower)
{
    int error = thrum_limiter_acquire_nowait(limiter, hold, borrower);
    if (error != THRUM_EFULL)
        return done(thrum_state_here(), task, error, 0);
    task->object = hold;
    hold->limiter = limiter;
    hold->borrower = borrower ? borrower : task;
    return queue_enter(&checked, limiter, &limiter->waiters, task);
}

static thrum_step acquire_start(thrum_task *task, thrum_record *record)
{
    return acquire(task, (thrum_limiter *)record->object, (thrum_limiter_hold *)(uintptr_t)record->a,
                   (const void *)(uintptr_t)record->b);
}

static thrum_step acquire_resume(thrum_task *task)
{
    thrum_limiter_hold *hold = (thrum_limiter_hold *)task->object;
    int error = (int)task->waiter.node.error;
    if (error && thrum_limiter_release(hold) != 0)
        hold->limiter = NULL;
    return queue_done(task, error, 0);
}

static thrum_cancel_result acquire_cancel(thrum_task *task)
{
    return queue_leave(&((thrum_limiter_hold *)task->object)->limiter->waiters, task, 0);
}

static const thrum_operations acquire_operations = {acquire_start, acquire_resume,          acquire_cancel,
                                                    NULL,          THRUM_NAMED_("limiter"), NULL};

thrum_awaitable thrum_limiter_acquire_on_behalf(thrum_limiter *limiter, thrum_limiter_hold *hold, const void *borrower)
{
    return thrum_awaitable_make(&acquire_operations, limiter, (thrum_value)(uintptr_t)hold,
                                (thrum_value)(uintptr_t)borrower);
}

thrum_awaitable thrum_limiter_acquire(thrum_limiter *limiter, thrum_limiter_hold *hold)
{
    return thrum_limiter_acquire_on_behalf(limiter, hold, NULL);
}

/* ---- a token held for the length of a block ---- */

static thrum_awaitable hold_exit(thrum_scope *scope)
{
    int error = thrum_limiter_release((thrum_limiter_hold *)(void *)scope);
    return error ? thrum_awaitable_failing(error) : THRUM_NOTHING;
}

static thrum_step hold_start(thrum_task *task, thrum_record *record)
{
    thrum_limiter_hold *hold = (thrum_limiter_hold *)(uintptr_t)record->a;
    hold->scope.exit = hold_exit;
    return acquire(task, (thrum_limiter *)record->object, hold, NULL);
}

static const thrum_operations hold_operations = {hold_start, acquire_resume,          acquire_cancel,
                                                 NULL,       THRUM_NAMED_("limiter"), NULL};

thrum_awaitable thrum_limiter_hold_enter(thrum_limiter_hold *hold, thrum_limiter *limiter)
{
    return make_awaitable(thrum_state_here(), &hold_operations, limiter, (thrum_value)(uintptr_t)hold);
}
