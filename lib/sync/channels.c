/* Channels. Whoever waits is served by the other side, in order: so items are in the buffer only while nobody waits to
 * receive, and a task waits to send only while the buffer is full. A task that was served cannot be cancelled any more
 * in this await: its item has moved. */
#include <thrum/channels.h>
#include <thrum/generators.h>

#include "core/checks.h"
#include "core/coroutines.h"
#include "core/inlining.h"
#include "core/memory.h"
#include "core/operations.h"

/* ---- made ---- */

static thrum_cancel_result send_cancel(thrum_task *task);
static thrum_cancel_result receive_cancel(thrum_task *task);

static const void *waited_in(const thrum_task *task)
{
    thrum_cancel_result (*cancel)(thrum_task *) = task->operations->cancel;
    return cancel == send_cancel      ? ((const thrum_sender *)task->object)->channel
           : cancel == receive_cancel ? ((const thrum_receiver *)task->object)->channel
                                      : NULL;
}

static const check_kind checked = {"channel", waited_in};

static bool is_sound(const thrum_channel *channel)
{
    return (!channel->sending.first || line_is_sound(&checked, &channel->sending, channel)) &&
           (!channel->receiving.first || line_is_sound(&checked, &channel->receiving, channel));
}

/* There is an end, and none is counted. */
static THRUM_COLD_ int not_counted(const thrum_channel *channel, int error)
{
    return refused(channel,
                   "an end of a channel was copied (thrum_sender_clone() is for that), or the channel overwritten",
                   error);
}

static int open_ends(thrum_channel *channel, thrum_sender *sender, thrum_receiver *receiver, int error)
{
    object_begins(&checked, channel);
    channel->sending.first = channel->receiving.first = NULL;
    channel->senders = channel->receivers = error ? 0 : 1;
    sender->channel = receiver->channel = error ? NULL : channel;
    return error;
}

int thrum_channel_init(thrum_channel *channel, thrum_sender *sender, thrum_receiver *receiver, void *storage,
                       size_t capacity, size_t size)
{
    int error = thrum_queue_init(&channel->buffer, storage, capacity, size);
    if (capacity == 0 && size > 0) { /* a buffer that is always full and empty */
        channel->buffer.limit = 0;
        channel->buffer.shut = false;
        error = 0;
    }
    return open_ends(channel, sender, receiver, error);
}

int thrum_channel_init_growing(thrum_channel *channel, thrum_sender *sender, thrum_receiver *receiver, size_t maximum,
                               size_t size)
{
    return open_ends(channel, sender, receiver, thrum_queue_init_growing(&channel->buffer, maximum, size));
}

/* ---- send ---- */

/* The memory that a task waits with: of the item that it sends, or for the one that it receives. */
static void *memory_of(const thrum_waiter *waiter)
{
    return (void *)(intptr_t)waiter->as.value;
}

int thrum_channel_send_nowait(thrum_sender *sender, const void *item)
{
    not_for_interrupts();
    thrum_channel *channel = sender->channel;
    if (!channel)
        return THRUM_ESTATE;
    if (channel->receivers == 0)
        return channel->senders ? THRUM_ECLOSED : not_counted(channel, THRUM_ECLOSED);
    if (!is_sound(channel))
        return THRUM_ESTATE;
    thrum_waiter *receiver = thrum_waiters_pop(&channel->receiving);
    if (!receiver)
        return thrum_queue_put_nowait(&channel->buffer, item);
    memcpy(memory_of(receiver), item, channel->buffer.size);
    thrum_wake(receiver, 0, receiver->as.value);
    return 0;
}

static thrum_step wait_in(thrum_waiters *waiters, thrum_task *task, thrum_value memory)
{
    task->waiter.as.value = memory;
    thrum_waiters_add(waiters, &task->waiter);
    return parked(task);
}

static thrum_cancel_result cancel(thrum_waiters *waiters, thrum_task *task)
{
    if (thrum_task_woken(task))
        return task->waiter.node.error ? THRUM_DETACHED : THRUM_REFUSED;
    thrum_waiters_remove(waiters, &task->waiter);
    return THRUM_DETACHED;
}

static thrum_step send_start(thrum_task *task, thrum_record *record)
{
    thrum_sender *sender = (thrum_sender *)record->object;
    int error = thrum_channel_send_nowait(sender, (const void *)(intptr_t)record->a);
    if (error == THRUM_EFULL)
        return wait_in(&sender->channel->sending, task, record->a);
    return done(thrum_state_here(), task, error, 0);
}

static thrum_cancel_result send_cancel(thrum_task *task)
{
    thrum_channel *channel = ((thrum_sender *)task->object)->channel;
    return cancel(channel ? &channel->sending : NULL, task); /* NULL: closed, and it was woken */
}

static const thrum_operations send_operations = {send_start, NULL, send_cancel, NULL, THRUM_NAMED_("channel send"),
                                                 NULL};

thrum_awaitable thrum_channel_send(thrum_sender *sender, const void *item)
{
    return make_awaitable(thrum_state_here(), &send_operations, sender, (thrum_value)(intptr_t)item);
}

/* ---- receive ---- */

int thrum_channel_receive_nowait(thrum_receiver *receiver, void *item)
{
    not_for_interrupts();
    thrum_channel *channel = receiver->channel;
    if (!channel)
        return THRUM_ESTATE;
    if (!is_sound(channel))
        return THRUM_ESTATE;
    bool buffered = thrum_queue_get_nowait(&channel->buffer, item) == 0;
    thrum_waiter *sender = thrum_waiters_pop(&channel->sending);
    if (sender) {
        if (buffered)
            thrum_queue_put_nowait(&channel->buffer, memory_of(sender)); /* there is room now */
        else
            memcpy(item, memory_of(sender), channel->buffer.size);
        thrum_wake(sender, 0, 0);
    } else if (!buffered) {
        return channel->senders     ? THRUM_EEMPTY
               : channel->receivers ? THRUM_ESHUTDOWN
                                    : not_counted(channel, THRUM_ESHUTDOWN);
    }
    return 0;
}

static thrum_step receive(thrum_task *task, const thrum_record *record, int at_end, thrum_value result)
{
    thrum_receiver *receiver = (thrum_receiver *)record->object;
    int error = thrum_channel_receive_nowait(receiver, (void *)(intptr_t)record->a);
    if (error == THRUM_EEMPTY)
        return wait_in(&receiver->channel->receiving, task, record->a);
    if (error == THRUM_ESHUTDOWN)
        error = at_end;
    return done(thrum_state_here(), task, error, error ? 0 : result);
}

static thrum_step receive_start(thrum_task *task, thrum_record *record)
{
    return receive(task, record, THRUM_ESHUTDOWN, 0);
}

static thrum_step receive_resume(thrum_task *task)
{
    return done(thrum_state_here(), task, (int)task->waiter.node.error, 0);
}

static thrum_cancel_result receive_cancel(thrum_task *task)
{
    thrum_channel *channel = ((thrum_receiver *)task->object)->channel;
    return cancel(channel ? &channel->receiving : NULL, task);
}

static const thrum_operations receive_operations = {
    receive_start, receive_resume, receive_cancel, NULL, THRUM_NAMED_("channel receive"), NULL};

thrum_awaitable thrum_channel_receive(thrum_receiver *receiver, void *item)
{
    return make_awaitable(thrum_state_here(), &receive_operations, receiver, (thrum_value)(intptr_t)item);
}

/* An iteration gives the pointer to its item. */
static thrum_step item_start(thrum_task *task, thrum_record *record)
{
    return receive(task, record, THRUM_ESTOP, record->a);
}

static thrum_step item_resume(thrum_task *task)
{
    int error = (int)task->waiter.node.error;
    if (error == THRUM_ESHUTDOWN)
        error = THRUM_ESTOP;
    return done(thrum_state_here(), task, error, error ? 0 : task->waiter.as.value);
}

static const thrum_operations item_operations = {
    item_start, item_resume, receive_cancel, NULL, THRUM_NAMED_("channel receive"), NULL};

thrum_iterable thrum_channel_items(thrum_receiver *receiver, void *item)
{
    return thrum_iterable_make(&item_operations, receiver, (thrum_value)(intptr_t)item, 0);
}

/* ---- ends ---- */

int thrum_sender_clone(const thrum_sender *sender, thrum_sender *clone)
{
    not_for_interrupts();
    clone->channel = sender->channel;
    if (!clone->channel)
        return THRUM_ESTATE;
    clone->channel->senders++;
    return 0;
}

int thrum_receiver_clone(const thrum_receiver *receiver, thrum_receiver *clone)
{
    not_for_interrupts();
    clone->channel = receiver->channel;
    if (!clone->channel)
        return THRUM_ESTATE;
    clone->channel->receivers++;
    return 0;
}

/* Wake who waits through one end; through any when `end` is NULL. */
static void turn_away(thrum_waiters *waiters, const void *end, int error)
{
    thrum_waiters rest = {NULL};
    thrum_waiter *waiter;
    while ((waiter = thrum_waiters_pop(waiters)) != NULL) {
        if (end && ((thrum_task *)(void *)waiter)->object != end)
            thrum_waiters_add(&rest, waiter);
        else
            thrum_wake(waiter, error, 0);
    }
    *waiters = rest;
}

void thrum_sender_close(thrum_sender *sender)
{
    not_for_interrupts();
    thrum_channel *channel = sender->channel;
    if (!channel || !is_sound(channel))
        return;
    turn_away(&channel->sending, sender, THRUM_ESTATE);
    sender->channel = NULL;
    if (!channel->senders)
        (void)not_counted(channel, 0);
    else if (--channel->senders == 0)
        turn_away(&channel->receiving, NULL, THRUM_ESHUTDOWN);
}

void thrum_receiver_close(thrum_receiver *receiver)
{
    not_for_interrupts();
    thrum_channel *channel = receiver->channel;
    if (!channel || !is_sound(channel))
        return;
    turn_away(&channel->receiving, receiver, THRUM_ESTATE);
    receiver->channel = NULL;
    if (!channel->receivers) {
        (void)not_counted(channel, 0);
    } else if (--channel->receivers == 0) {
        turn_away(&channel->sending, NULL, THRUM_ECLOSED);
        thrum_queue_close(&channel->buffer);
    }
}

/* ---- open for the length of a block ---- */

static thrum_awaitable leave_sender(thrum_scope *scope)
{
    thrum_sender_close((thrum_sender *)((thrum_end_hold *)(void *)scope)->end);
    return THRUM_NOTHING;
}

static thrum_awaitable leave_receiver(thrum_scope *scope)
{
    thrum_receiver_close((thrum_receiver *)((thrum_end_hold *)(void *)scope)->end);
    return THRUM_NOTHING;
}

static thrum_step hold_end(thrum_task *task, const thrum_record *record, const thrum_channel *channel,
                           thrum_scope_exit *exit)
{
    thrum_end_hold *hold = (thrum_end_hold *)(intptr_t)record->a;
    hold->end = record->object;
    hold->scope.exit = exit;
    return done(thrum_state_here(), task, channel ? 0 : THRUM_ESTATE, 0);
}

static thrum_step hold_sender(thrum_task *task, thrum_record *record)
{
    return hold_end(task, record, ((const thrum_sender *)record->object)->channel, leave_sender);
}

static thrum_step hold_receiver(thrum_task *task, thrum_record *record)
{
    return hold_end(task, record, ((const thrum_receiver *)record->object)->channel, leave_receiver);
}

static const thrum_operations sender_operations = {hold_sender, NULL, NULL, NULL, "channel sender", NULL};
static const thrum_operations receiver_operations = {hold_receiver, NULL, NULL, NULL, "channel receiver", NULL};

thrum_awaitable thrum_sender_hold(thrum_end_hold *hold, thrum_sender *sender)
{
    return make_awaitable(thrum_state_here(), &sender_operations, sender, (thrum_value)(intptr_t)hold);
}

thrum_awaitable thrum_receiver_hold(thrum_end_hold *hold, thrum_receiver *receiver)
{
    return make_awaitable(thrum_state_here(), &receiver_operations, receiver, (thrum_value)(intptr_t)hold);
}
