/* Signals to wait for. A receiver keeps a bit for each signal, set in the signal handler; the post only has the waiting
 * task look. */
#include <thrum/signals.h>

#include <stdlib.h>

#include "core/checks.h"
#include "loop/io.h"
#include "loop/loop.h"
#include "os/dispositions.h"

struct thrum_signal_receiver {
    signal_listener listener; /* stands first; its owner is the loop */
    signal_bits came;
    int last; /* the one that was taken last: the next one is looked for behind it, so that each has its turn */
    thrum_post post;
    thrum_task *task; /* that waits */
    bool items;       /* it loops over them */
    bool once;        /* of thrum_wait_signal(): closed when the wait ends */
    bool closed;      /* and freed by the task that waits */
    thrum_loop_closer closer;
};

static thrum_loop *loop_of(const thrum_signal_receiver *receiver)
{
    return (thrum_loop *)(uintptr_t)receiver->listener.owner;
}

static void heard(signal_listener *listener, int number)
{
    thrum_signal_receiver *receiver = (thrum_signal_receiver *)(void *)listener;
    signal_bits_add(&receiver->came, number);
    thrum_call_soon_threadsafe(loop_of(receiver), &receiver->post);
}

/* In the loop. */
static void arrived(thrum_post *post)
{
    const thrum_signal_receiver *receiver = (const thrum_signal_receiver *)post->context;
    if (receiver->task)
        thrum_wake(&receiver->task->waiter, 0, 0);
}

/* ---- opening and closing ---- */

/* No signal can come any more. */
static void stop(thrum_signal_receiver *receiver)
{
    disposition_leave(&receiver->listener);
    thrum_post_cancel(loop_of(receiver), &receiver->post);
    receiver->closed = true;
    if (receiver->task)
        thrum_wake(&receiver->task->waiter, 0, 0);
    else
        free(receiver);
}

static void loop_closes(thrum_loop_closer *closer)
{
    thrum_signal_receiver *receiver =
        (thrum_signal_receiver *)(void *)((char *)closer - offsetof(thrum_signal_receiver, closer));
    loop_tell_unclosed("signal receiver", receiver);
    stop(receiver);
}

int thrum_signal_receiver_open(thrum_signal_receiver **made, const int *numbers, size_t count)
{
    thrum_loop *loop = loop_here();
    int error = 0;
    *made = NULL;
    if (!loop)
        return THRUM_ESTATE;
    if (!numbers || !count)
        return THRUM_EINVAL;
    thrum_signal_receiver *receiver = (thrum_signal_receiver *)calloc(1, sizeof *receiver);
    if (!receiver)
        return THRUM_ENOMEM;
    receiver->listener.heard = heard;
    receiver->listener.owner = loop;
    receiver->post = (thrum_post){.call = arrived, .context = receiver};
    for (size_t i = 0; i < count && !error; i++)
        error = disposition_listen(&receiver->listener, numbers[i], DISPOSITION_REPLACE);
    if (error) {
        stop(receiver);
        return error;
    }
    receiver->closer.close = loop_closes;
    thrum_loop_remember(&receiver->closer);
    thrum_made_note(receiver);
    *made = receiver;
    return 0;
}

void thrum_signal_receiver_close(thrum_signal_receiver *receiver)
{
    if (!receiver)
        return;
    thrum_loop_forget(&receiver->closer);
    stop(receiver);
}

/* ---- waiting ---- */

/* A signal that has come, or 0. */
static int take(thrum_signal_receiver *receiver)
{
    for (int i = 1; i <= DISPOSITIONS; i++) {
        int number = (receiver->last + i) % DISPOSITIONS;
        if (signal_bits_take(&receiver->came, number))
            return receiver->last = number;
    }
    return 0;
}

/* The application's loop runs on for the task that waits. Virtual time does not stand still for it. */
static void hold(const thrum_loop *loop, void how(thrum_loop *))
{
    if (!loop->verbs.stepwise)
        how((thrum_loop *)(uintptr_t)loop);
}

static void leave(thrum_signal_receiver *receiver)
{
    receiver->task = NULL;
    hold(loop_of(receiver), loop_unhold);
    if (receiver->closed)
        free(receiver);
    else if (receiver->once)
        thrum_signal_receiver_close(receiver);
}

static thrum_step park(thrum_task *task, thrum_signal_receiver *receiver)
{
    receiver->task = task;
    hold(loop_of(receiver), loop_hold);
    return thrum_parked(task);
}

static thrum_step next_start(thrum_task *task, thrum_record *record)
{
    thrum_signal_receiver *receiver = (thrum_signal_receiver *)record->object;
    if (receiver->task)
        return thrum_done(task, THRUM_EBUSY, 0);
    int number = take(receiver);
    if (number)
        return thrum_done(task, 0, number);
    receiver->items = record->a;
    return park(task, receiver);
}

static thrum_step next_resume(thrum_task *task)
{
    thrum_signal_receiver *receiver = (thrum_signal_receiver *)task->object;
    bool items = receiver->items, closed = receiver->closed;
    int number = closed ? 0 : take(receiver);
    if (!closed && !number)
        return thrum_parked(task);
    leave(receiver);
    return thrum_done(task, !closed ? 0 : items ? THRUM_ESTOP : THRUM_ECLOSED, number);
}

static thrum_cancel_result next_cancel(thrum_task *task)
{
    leave((thrum_signal_receiver *)task->object);
    return THRUM_DETACHED;
}

static const thrum_operations next_operations = {next_start, next_resume, next_cancel, NULL, "signal", NULL};

thrum_awaitable thrum_signal_receiver_next(thrum_signal_receiver *receiver)
{
    return thrum_awaitable_make(&next_operations, receiver, false, 0);
}

thrum_iterable thrum_signal_receiver_each(thrum_signal_receiver *receiver)
{
    return thrum_iterable_make(&next_operations, receiver, true, 0);
}

/* ---- one wait, with a receiver of its own ---- */

static thrum_step once_start(thrum_task *task, thrum_record *record)
{
    const int number = (int)record->a;
    thrum_signal_receiver *receiver;
    int error = thrum_signal_receiver_open(&receiver, &number, 1);
    if (error)
        return thrum_done(task, error, 0);
    receiver->once = true;
    task->object = receiver;
    return park(task, receiver);
}

static const thrum_operations once_operations = {once_start, next_resume, next_cancel, NULL, "signal", NULL};

thrum_awaitable thrum_wait_signal(int number)
{
    return thrum_awaitable_make(&once_operations, NULL, number, 0);
}
