/* In debug builds the program ends when an interrupt calls what is not for interrupts: all that changes something, in
 * whatever state that is, refused or not, or asks the loop. What is for interrupts goes through, and so does what only
 * reads what it is given. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thrum/port.h>

#include "bare_support.h"

extern volatile sig_atomic_t thrum_port_interrupts;

static thrum_signal posted = THRUM_SIGNAL_INIT, idle = THRUM_SIGNAL_INIT;
static uint8_t bytes[4];
static thrum_ring ring = THRUM_RING_INIT(bytes);
static thrum_handle handle, queued, waiting;
static thrum_future future = THRUM_FUTURE_INIT, completed = THRUM_FUTURE_INIT;
static thrum_future *const futures[] = {&future};
static thrum_event event = THRUM_EVENT_INIT;
static thrum_lock lock = THRUM_LOCK_INIT, held_lock = THRUM_LOCK_INIT;
static thrum_lock_hold lock_hold;
static thrum_condition condition = THRUM_CONDITION_INIT, held_condition = THRUM_CONDITION_INIT;
static thrum_semaphore semaphore = THRUM_SEMAPHORE_INIT(1), empty_semaphore = THRUM_SEMAPHORE_INIT(0);
static thrum_semaphore full_semaphore = THRUM_BOUNDED_SEMAPHORE_INIT(1);
static thrum_semaphore_hold semaphore_hold;
static thrum_barrier barrier = THRUM_BARRIER_INIT(2);
static thrum_barrier_pass pass;
static thrum_queue queue, empty_queue, full_queue;
static uint32_t order[4];
static uint8_t storage[4], other_storage[1], no_storage[1], item;
static thrum_channel channel;
static thrum_sender sender, other_sender;
static thrum_receiver receiver, other_receiver;
static thrum_end_hold end_hold;
static thrum_limiter limiter = THRUM_LIMITER_INIT(2);
static thrum_limiter_hold limiter_hold, other_limiter_hold;
static thrum_rwlock rwlock = THRUM_RWLOCK_INIT, read_lock = THRUM_RWLOCK_INIT, written = THRUM_RWLOCK_INIT;
static thrum_rwlock_read_hold read_hold;
static thrum_rwlock_write_hold write_hold;
static thrum_ticker ticker = THRUM_TICKER_INIT(10);
static thrum_group group, other_group;
static thrum_started started;
static thrum_supervisor supervisor, other_supervisor;
static thrum_deadline deadline, other_deadline;
static thrum_cancel_scope scope, other_scope, shield;
static thrum_completed in_order, other_order;
static thrum_iteration iteration, other_iteration;
static thrum_waiters waiters, no_waiters;
static thrum_waiter waiter, other_waiter;
static thrum_task *task, *current, *ended_task;
static thrum_task *tasks[1];
static thrum_awaitable made;
static thrum_iterable items, generator;
static thrum_value value;
static thrum_pool_stats pool_stats;
static thrum_limiter_stats limiter_stats;
static thrum_supervisor_counts counts;
static size_t winner;
static bool are_done[1];
static thrum_outcome outcomes[1];
static thrum_slice slice = {"x", 1};
static char line[8];
static uint64_t more_memory[64];

static bool level(void *pin)
{
    (void)pin;
    return true;
}

static int begins(thrum_transfer *transfer)
{
    (void)transfer;
    return 0;
}

static void aborts(thrum_transfer *transfer)
{
    (void)transfer;
}

static void sends(thrum_stream *stream)
{
    (void)stream;
}

static thrum_edge edge = THRUM_EDGE_INIT(level, NULL);
static const thrum_transfer_driver transfer_driver = {begins, aborts};
static thrum_transfer transfer = THRUM_TRANSFER_INIT(transfer, &transfer_driver, NULL);
static const thrum_serial_driver serial_driver = {sends, NULL, NULL};
THRUM_SERIAL(stream, &serial_driver, NULL, 8, 8);

static ASYNC(waits, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_signal_wait(&posted));
    ASYNC_END;
}

static ASYNC_GEN(gives, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    YIELD(1);
    ASYNC_END;
}

static thrum_awaitable starts(void *context)
{
    (void)context;
    return waits();
}

static thrum_awaitable starts_child(thrum_started *child, void *argument)
{
    (void)child, (void)argument;
    return waits();
}

static thrum_awaitable starts_racer(void *context, size_t index)
{
    (void)context, (void)index;
    return waits();
}

static int compares(const void *a, const void *b)
{
    (void)a, (void)b;
    return 0;
}

static bool is_so(void *context)
{
    (void)context;
    return true;
}

static void is_called(thrum_handle *called)
{
    (void)called;
}

static const thrum_operations operations = {NULL, NULL, NULL, NULL, "nothing", NULL};
static const thrum_spawn_options options = {.size = sizeof options};
static const thrum_supervised child = {.size = sizeof child, .start = starts}, no_child = {.size = sizeof no_child};

static void nothing_wrong(void)
{
    uint8_t byte = 1;
    CHECK(thrum_ring_push(&ring, &byte));
    CHECK(thrum_ring_pop(&ring, &byte));
    CHECK_EQ(thrum_ring_count(&ring), 0);
    CHECK_EQ(thrum_ring_room(&ring), 4);
    CHECK_EQ(thrum_ring_refused(&ring), 0);
    CHECK(thrum_serial_received_from_isr(&stream, 'x'));
    CHECK_EQ(thrum_serial_room_from_isr(&stream), 7);
    CHECK_EQ(thrum_serial_next_from_isr(&stream), -1);
    thrum_serial_lost_from_isr(&stream, 1);
    thrum_serial_ended_from_isr(&stream, 0);
    thrum_transfer_done_from_isr(&transfer, 0);
    (void)thrum_port_now();
    thrum_signal_post_from_isr(&posted);
}

/* ---- what is not for interrupts; what may be refused also where it is ---- */

#define ROW(statement, name)                                                                                           \
    if (!number--) {                                                                                                   \
        if (now)                                                                                                       \
            statement;                                                                                                 \
        return name;                                                                                                   \
    }
#define CALLED(call) ROW((void)(call), #call)
#define KEPT(call) ROW((void)!(call), #call) /* of which the compiler wants the result used */
#define MADE(call) ROW(made = (call), #call)
#define ITEMS(call) ROW(items = (call), #call)

/* The call of that number, made now or only told; NULL behind the last. */
static const char *changing(unsigned number, bool now)
{
    CALLED(thrum_error_set(THRUM_EINVAL, 0, "test", 0, NULL))
    MADE(thrum_awaitable_make(&operations, NULL, 0, 0))
    MADE(thrum_awaitable_failing(THRUM_EBUSY))
    CALLED(thrum_drop(thrum_yield()))
    CALLED(thrum_done(current, 0, 0))
    CALLED(thrum_parked(current))
    CALLED(thrum_wake(&task->waiter, 0, 0))
    CALLED(thrum_wake(&waiter, 0, 0))
    CALLED(thrum_waiters_add(&waiters, &other_waiter))
    CALLED(thrum_waiters_remove(&waiters, &waiter))
    CALLED(thrum_waiters_pop(&waiters))
    CALLED(thrum_waiters_pop(&no_waiters))
    CALLED(thrum_handle_init(&handle, is_called, NULL))
    CALLED(thrum_call_soon(&handle))
    CALLED(thrum_call_later(1, &handle))
    CALLED(thrum_call_at(1, &handle))
    CALLED(thrum_handle_cancel(&handle))
    CALLED(thrum_handle_cancel(&queued))
    CALLED(thrum_handle_cancel(&waiting))
    KEPT(thrum_spawn(thrum_yield()))
    CALLED(thrum_spawn_detached(thrum_yield()))
    KEPT(thrum_spawn_eager(thrum_yield()))
    KEPT(thrum_spawn_with(thrum_yield(), &options))
    KEPT(thrum_task_create(thrum_yield(), &options))
    CALLED(thrum_task_release(task))
    CALLED(thrum_task_release(ended_task))
    MADE(thrum_task_wait(task))
    CALLED(thrum_task_cancel(task))
    CALLED(thrum_task_cancel(ended_task))
    CALLED(thrum_task_cancel(current))
    CALLED(thrum_task_cancel_with(task, "why"))
    CALLED(thrum_task_uncancel(task))
    CALLED(thrum_uncancel())
    CALLED(thrum_task_add_done_callback(task, &handle))
    CALLED(thrum_task_add_done_callback(ended_task, &handle))
    CALLED(thrum_task_remove_done_callback(task, &handle))
    CALLED(thrum_task_result(task, &value))
    CALLED(thrum_task_result(ended_task, &value))
    CALLED(thrum_task_set_name(task, "name"))
    MADE(thrum_sleep(1))
    MADE(thrum_sleep_until(1))
    CALLED(thrum_future_init(&future))
    MADE(thrum_future_wait(&future))
    CALLED(thrum_future_set_result(&future, 1))
    CALLED(thrum_future_set_result(&completed, 1))
    CALLED(thrum_future_set_error(&future, THRUM_EINVAL))
    CALLED(thrum_future_set_error(&future, 1))
    CALLED(thrum_future_set_error(&completed, THRUM_EINVAL))
    CALLED(thrum_future_result(&completed, &value))
    CALLED(thrum_future_cancel(&future))
    CALLED(thrum_future_cancel(&completed))
    CALLED(thrum_future_add_done_callback(&future, &handle))
    CALLED(thrum_future_add_done_callback(&completed, &handle))
    CALLED(thrum_future_remove_done_callback(&future, &handle))
    CALLED(thrum_future_remove_done_callback(&future, &waiting))
    CALLED(thrum_event_init(&event))
    CALLED(thrum_event_set(&event))
    CALLED(thrum_event_clear(&event))
    MADE(thrum_event_wait(&event))
    CALLED(thrum_lock_init(&lock))
    MADE(thrum_lock_acquire(&lock))
    CALLED(thrum_lock_try(&lock))
    CALLED(thrum_lock_try(&held_lock))
    CALLED(thrum_lock_release(&lock))
    CALLED(thrum_lock_release(&held_lock))
    MADE(thrum_lock_hold_enter(&lock_hold, &lock))
    CALLED(thrum_condition_init(&condition, NULL))
    MADE(thrum_condition_wait(&condition))
    MADE(thrum_condition_wait_for(&condition, is_so, NULL))
    CALLED(thrum_condition_notify(&condition, 1))
    CALLED(thrum_condition_notify(&held_condition, 1))
    CALLED(thrum_condition_notify_all(&condition))
    CALLED(thrum_condition_notify_all(&held_condition))
    CALLED(thrum_semaphore_init(&semaphore, 1))
    CALLED(thrum_bounded_semaphore_init(&semaphore, 1))
    MADE(thrum_semaphore_acquire(&semaphore))
    CALLED(thrum_semaphore_release(&semaphore))
    CALLED(thrum_semaphore_release(&full_semaphore))
    CALLED(thrum_semaphore_try(&semaphore))
    CALLED(thrum_semaphore_try(&empty_semaphore))
    MADE(thrum_semaphore_hold_enter(&semaphore_hold, &semaphore))
    CALLED(thrum_barrier_init(&barrier, 1))
    MADE(thrum_barrier_wait(&barrier))
    CALLED(thrum_barrier_reset(&barrier))
    CALLED(thrum_barrier_abort(&barrier))
    MADE(thrum_barrier_pass_enter(&pass, &barrier))
    CALLED(thrum_queue_init(&queue, storage, 4, 1))
    CALLED(thrum_lifo_queue_init(&queue, storage, 4, 1))
    CALLED(thrum_priority_queue_init(&queue, storage, order, 4, 1, compares))
    CALLED(thrum_queue_init_growing(&queue, 4, 1))
    CALLED(thrum_lifo_queue_init_growing(&queue, 4, 1))
    CALLED(thrum_priority_queue_init_growing(&queue, 4, 1, compares))
    MADE(thrum_queue_put(&queue, &item))
    MADE(thrum_queue_put_value(&queue, 1))
    CALLED(thrum_queue_put_nowait(&queue, &item))
    CALLED(thrum_queue_put_nowait(&full_queue, &item))
    MADE(thrum_queue_get(&queue, &item))
    MADE(thrum_queue_get_value(&queue))
    CALLED(thrum_queue_get_nowait(&queue, &item))
    CALLED(thrum_queue_get_nowait(&empty_queue, &item))
    ITEMS(thrum_queue_items(&queue, &item))
    CALLED(thrum_queue_task_done(&queue))
    CALLED(thrum_queue_task_done(&empty_queue))
    MADE(thrum_queue_join(&queue))
    CALLED(thrum_queue_shutdown(&queue, false))
    CALLED(thrum_queue_close(&queue))
    MADE(thrum_gather_array(0, NULL, NULL))
    MADE(thrum_gather_all_array(0, NULL, outcomes))
    ITEMS(thrum_iterable_make(&operations, NULL, 0, 0))
    CALLED(thrum_iterable_drop(items))
    CALLED(thrum_iteration_open(&other_iteration, items))
    CALLED(thrum_iteration_open(&other_iteration, generator))
    MADE(thrum_iteration_next(&iteration))
    MADE(thrum_iteration_send(&iteration, 1))
    MADE(thrum_iteration_throw(&iteration, THRUM_EINVAL))
    MADE(thrum_iteration_close(&iteration))
    ITEMS(thrum_iteration_rest(&iteration))
    MADE(thrum_shutdown_generators())
    MADE(thrum_completed_open_array(&other_order, 1, 0, NULL))
    MADE(thrum_completed_next(&in_order))
    ITEMS(thrum_completed_each(&in_order))
    MADE(thrum_timeout(1, thrum_yield()))
    MADE(thrum_timeout_at(1, thrum_yield()))
    MADE(thrum_deadline_after(&other_deadline, 1))
    MADE(thrum_deadline_at(&other_deadline, 1))
    CALLED(thrum_deadline_reschedule(&deadline, 1))
    CALLED(thrum_deadline_reschedule(&other_deadline, 1))
    MADE(thrum_cancel_scope_open(&other_scope, 1, 1, THRUM_CANCEL_LEVEL))
    MADE(thrum_move_on_after(&other_scope, 1))
    MADE(thrum_move_on_at(&other_scope, 1))
    MADE(thrum_shield_for(&other_scope, 1))
    CALLED(thrum_cancel_scope_cancel(&scope))
    CALLED(thrum_cancel_scope_cancel(&other_scope))
    CALLED(thrum_cancel_scope_reschedule(&scope, 1))
    CALLED(thrum_cancel_scope_reschedule(&other_scope, 1))
    CALLED(thrum_cancel_scope_unshield(&shield))
    CALLED(thrum_cancel_scope_unshield(&other_scope))
    CALLED(thrum_channel_init(&channel, &sender, &receiver, storage, 4, 1))
    CALLED(thrum_channel_init_growing(&channel, &sender, &receiver, 4, 1))
    MADE(thrum_channel_send(&sender, &item))
    CALLED(thrum_channel_send_nowait(&sender, &item))
    CALLED(thrum_channel_send_nowait(&other_sender, &item))
    MADE(thrum_channel_receive(&receiver, &item))
    CALLED(thrum_channel_receive_nowait(&receiver, &item))
    CALLED(thrum_channel_receive_nowait(&other_receiver, &item))
    ITEMS(thrum_channel_items(&receiver, &item))
    CALLED(thrum_sender_clone(&sender, &other_sender))
    CALLED(thrum_sender_close(&sender))
    CALLED(thrum_sender_close(&other_sender))
    CALLED(thrum_receiver_clone(&receiver, &other_receiver))
    CALLED(thrum_receiver_close(&receiver))
    CALLED(thrum_receiver_close(&other_receiver))
    MADE(thrum_sender_hold(&end_hold, &sender))
    MADE(thrum_receiver_hold(&end_hold, &receiver))
    CALLED(thrum_run(thrum_yield()))
    CALLED(thrum_bare_run(thrum_yield(), &value))
    CALLED(thrum_bare_open())
    CALLED(thrum_bare_step())
    CALLED(thrum_bare_sleep())
    CALLED(thrum_bare_close())
    CALLED(thrum_signal_tell(&posted, 1))
    CALLED(thrum_signal_tell(&idle, 1))
    CALLED(thrum_signal_init(&posted, NULL, NULL))
    MADE(thrum_signal_wait(&posted))
    CALLED(thrum_signal_cancel(&posted))
    CALLED(thrum_signal_cancel(&idle))
    MADE(thrum_edge_wait(&edge))
    MADE(thrum_edge_settled(&edge, 1))
    MADE(thrum_transfer_run(&transfer))
    CALLED(thrum_limiter_init(&limiter, 1))
    MADE(thrum_limiter_acquire(&limiter, &other_limiter_hold))
    MADE(thrum_limiter_acquire_on_behalf(&limiter, &other_limiter_hold, &limiter))
    CALLED(thrum_limiter_acquire_nowait(&limiter, &other_limiter_hold, &limiter))
    CALLED(thrum_limiter_release(&limiter_hold))
    CALLED(thrum_limiter_release(&other_limiter_hold))
    CALLED(thrum_limiter_set_total(&limiter, 3))
    MADE(thrum_limiter_hold_enter(&other_limiter_hold, &limiter))
    CALLED(thrum_pool_use_allocator(NULL))
    CALLED(thrum_pool_use_memory(more_memory, sizeof more_memory))
    CALLED(thrum_pool_clear())
    MADE(thrum_race_array(0, NULL, &winner))
    CALLED(thrum_rwlock_init(&rwlock))
    MADE(thrum_rwlock_acquire_read(&rwlock))
    MADE(thrum_rwlock_acquire_write(&rwlock))
    CALLED(thrum_rwlock_try_read(&rwlock))
    CALLED(thrum_rwlock_try_read(&written))
    CALLED(thrum_rwlock_try_write(&rwlock))
    CALLED(thrum_rwlock_try_write(&written))
    CALLED(thrum_rwlock_release_read(&read_lock))
    CALLED(thrum_rwlock_release_read(&rwlock))
    CALLED(thrum_rwlock_release_write(&written))
    CALLED(thrum_rwlock_release_write(&rwlock))
    CALLED(thrum_rwlock_downgrade(&written))
    CALLED(thrum_rwlock_downgrade(&rwlock))
    MADE(thrum_rwlock_read_hold_enter(&read_hold, &rwlock))
    MADE(thrum_rwlock_write_hold_enter(&write_hold, &rwlock))
    MADE(thrum_stream_read(&stream, line, 1))
    MADE(thrum_stream_read_exactly(&stream, line, 1))
    MADE(thrum_stream_read_until(&stream, line, 1, &slice, 1))
    MADE(thrum_stream_read_until(&stream, line, 1, &slice, 0))
    MADE(thrum_stream_read_line(&stream, line, sizeof line))
    ITEMS(thrum_stream_lines(&stream, line, sizeof line))
    CALLED(thrum_stream_unread(&stream, "x", 1))
    MADE(thrum_stream_write(&stream, "x", 1))
    MADE(thrum_stream_write_vectors(&stream, &slice, 1))
    MADE(thrum_stream_flush(&stream))
    CALLED(thrum_stream_write_eof(&stream))
    MADE(thrum_stream_close(&stream))
    CALLED(thrum_stream_abort(&stream))
    MADE(thrum_stream_wait_closed(&stream))
    CALLED(thrum_stream_release(&stream))
    CALLED(thrum_serial_init(&stream, &serial_driver, NULL, storage, 2, bytes, 2))
    MADE(thrum_shield(thrum_yield()))
    MADE(thrum_staggered_race(1, starts_racer, NULL, 1, &winner, outcomes))
    MADE(thrum_group_open(&other_group))
    CALLED(thrum_group_spawn(&group, thrum_yield()))
    CALLED(thrum_group_spawn_detached(&group, thrum_yield()))
    CALLED(thrum_group_spawn_eager(&group, thrum_yield()))
    CALLED(thrum_group_spawn_with(&group, thrum_yield(), &options))
    MADE(thrum_group_start(&group, starts_child, NULL))
    CALLED(thrum_started_set(&started, 1))
    MADE(thrum_group_join(&group))
    CALLED(thrum_group_cancel(&group))
    CALLED(thrum_group_cancel(&other_group))
    MADE(thrum_supervisor_open(&other_supervisor, NULL, NULL))
    CALLED(thrum_supervisor_spawn(&supervisor, &child))
    CALLED(thrum_supervisor_spawn(&supervisor, &no_child))
    CALLED(thrum_supervisor_cancel(&supervisor))
    CALLED(thrum_supervisor_cancel(&other_supervisor))
    CALLED(thrum_ticker_init(&ticker, 1))
    MADE(thrum_ticker_next(&ticker))
    CALLED(thrum_ticker_reset(&ticker, 1))
    MADE(thrum_wait_tasks(1, tasks, THRUM_ALL_COMPLETED, 1, are_done))
    MADE(thrum_wait_futures(1, futures, THRUM_ALL_COMPLETED, 1, are_done))
    MADE(thrum_wait_array(0, NULL, THRUM_ALL_COMPLETED, 1, are_done))
    CALLED(thrum_now())
    CALLED(thrum_current_task())
    CALLED(thrum_all_tasks(tasks, 1))
    CALLED(thrum_cancel_scope_current())
    CALLED(thrum_current_deadline())
    CALLED(thrum_pool_stats_get(&pool_stats))
    return NULL;
}

/* The same of what only reads, and looks at nothing but what it is given. */
static const char *reading(unsigned number, bool now)
{
    CALLED(thrum_version())
    CALLED(thrum_error_name(THRUM_EINVAL))
    CALLED(thrum_error_text(THRUM_EINVAL))
    CALLED(thrum_error_last())
    CALLED(thrum_function_name(NULL))
    CALLED(thrum_function_file(NULL))
    MADE(thrum_yield())
    CALLED(thrum_task_woken(task))
    CALLED(thrum_task_done(task))
    CALLED(thrum_task_cancelled(task))
    CALLED(thrum_task_cancelling(task))
    CALLED(thrum_task_error(ended_task))
    CALLED(thrum_task_name(task))
    CALLED(thrum_handle_pending(&queued))
    CALLED(thrum_handle_when(&queued))
    CALLED(thrum_handle_compare(&queued, &waiting))
    CALLED(thrum_handle_error(&queued))
    CALLED(thrum_handle_value(&queued))
    CALLED(thrum_future_done(&completed))
    CALLED(thrum_future_cancelled(&completed))
    CALLED(thrum_event_is_set(&event))
    CALLED(thrum_lock_locked(&held_lock))
    CALLED(thrum_condition_lock(&condition))
    CALLED(thrum_semaphore_locked(&semaphore))
    CALLED(thrum_barrier_parties(&barrier))
    CALLED(thrum_barrier_waiting(&barrier))
    CALLED(thrum_barrier_broken(&barrier))
    CALLED(thrum_queue_size(&queue))
    CALLED(thrum_queue_capacity(&queue))
    CALLED(thrum_queue_empty(&queue))
    CALLED(thrum_queue_full(&queue))
    CALLED(thrum_channel_size(&channel))
    CALLED(thrum_limiter_stats_get(&limiter, &limiter_stats))
    CALLED(thrum_limiter_borrowers(&limiter, NULL, 0))
    CALLED(thrum_rwlock_readers(&read_lock))
    CALLED(thrum_rwlock_writing(&written))
    CALLED(thrum_group_error(&group))
    CALLED(thrum_group_size(&group))
    CALLED(thrum_supervisor_error(&supervisor))
    CALLED(thrum_supervisor_counts_get(&supervisor, &counts))
    CALLED(thrum_deadline_when(&deadline))
    CALLED(thrum_deadline_expired(&deadline))
    CALLED(thrum_cancel_scope_when(&scope))
    CALLED(thrum_cancel_scope_cancelled(&scope))
    CALLED(thrum_cancel_scope_caught(&scope))
    CALLED(thrum_cancel_scope_held(&scope))
    CALLED(thrum_completed_left(&in_order))
    CALLED(thrum_completed_result(&in_order, 0, &value))
    CALLED(thrum_completed_error(&in_order, 0))
    CALLED(thrum_stream_at_eof(&stream))
    CALLED(thrum_stream_buffered(&stream))
    CALLED(thrum_stream_unsent(&stream))
    CALLED(thrum_stream_is_closing(&stream))
    CALLED(thrum_serial_overruns(&stream))
    CALLED(thrum_serial_done(&stream))
    return NULL;
}

/* ---- in an interrupt ---- */

typedef const char *table(unsigned number, bool now);
static table *volatile called; /* NULL: nothing wrong is */
static volatile unsigned called_number;

enum { CAME_THROUGH = 7 };

static void interrupt(int number)
{
    (void)number;
    thrum_port_interrupts++;
    if (called) {
        (void)called(called_number, true);
        _exit(CAME_THROUGH);
    }
    nothing_wrong();
    thrum_port_interrupts--;
}

/* Everything is in use that can be, when the interrupt comes. */
static ASYNC(is_interrupted, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    current = thrum_current_task();
    task = tasks[0] = thrum_spawn(waits());
    ended_task = thrum_spawn(thrum_yield());
    AWAIT(ended_task);
    thrum_handle_init(&handle, is_called, NULL);
    thrum_handle_init(&queued, is_called, NULL);
    thrum_handle_init(&waiting, is_called, NULL);
    CHECK_EQ(thrum_future_add_done_callback(&future, &waiting), 0);
    CHECK_EQ(thrum_future_set_result(&completed, 1), 0);
    CHECK(thrum_lock_try(&held_lock));
    CHECK(thrum_lock_try(thrum_condition_lock(&held_condition)));
    CHECK_EQ(thrum_queue_init(&queue, storage, 4, 1), 0);
    CHECK_EQ(thrum_queue_put_nowait(&queue, &item), 0);
    CHECK_EQ(thrum_queue_put_nowait(&queue, &item), 0);
    CHECK_EQ(thrum_queue_init(&full_queue, other_storage, 1, 1), 0);
    CHECK_EQ(thrum_queue_put_nowait(&full_queue, &item), 0);
    CHECK_EQ(thrum_queue_init(&empty_queue, no_storage, 1, 1), 0);
    CHECK_EQ(thrum_channel_init_growing(&channel, &sender, &receiver, 4, 1), 0);
    CHECK_EQ(thrum_limiter_acquire_nowait(&limiter, &limiter_hold, current), 0);
    CHECK(thrum_rwlock_try_read(&read_lock));
    CHECK(thrum_rwlock_try_write(&written));
    thrum_waiters_add(&waiters, &waiter);
    items = thrum_queue_items(&queue, &item);
    generator = gives();
    WITH (group, thrum_group_open(&group)) {
        WITH (supervisor, thrum_supervisor_open(&supervisor, NULL, NULL)) {
            WITH (deadline, thrum_deadline_after(&deadline, SECONDS(1))) {
                WITH (scope, thrum_move_on_after(&scope, SECONDS(1))) {
                    WITH (shield, thrum_shield_for(&shield, SECONDS(1))) {
                        WITH (in_order, thrum_completed_open(&in_order, SECONDS(1), ended_task)) {
                            CHECK_EQ(thrum_call_soon(&queued), 0);
                            raise(SIGUSR1);
                        }
                    }
                }
            }
        }
    }
    thrum_iterable_drop(items);
    thrum_iterable_drop(generator);
    thrum_signal_post_from_isr(&posted);
    AWAIT(task);
    thrum_task_release(task);
    thrum_task_release(ended_task);
    ASYNC_END;
}

/* What the program says and how it ends, when an interrupt makes that call. */
static int ended(table *of, unsigned number, char *said, size_t room)
{
    int ends[2], status;
    CHECK_EQ(pipe(ends), 0);
    const pid_t forked = fork();
    CHECK_GE(forked, 0);
    if (forked == 0) {
        dup2(ends[1], STDERR_FILENO);
        signal(SIGABRT, SIG_DFL);
        bare_interrupt(interrupt);
        called = of;
        called_number = number;
        _exit(bare_run(is_interrupted) == 0 ? 0 : 1);
    }
    close(ends[1]);
    size_t length = 0;
    for (ssize_t got; length < room - 1 && (got = read(ends[0], said + length, room - 1 - length)) > 0;)
        length += (size_t)got;
    said[length] = '\0';
    close(ends[0]);
    CHECK_EQ(waitpid(forked, &status, 0), forked);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

TEST(misuse, what_is_for_interrupts_may_be_called)
{
    char said[200];
    CHECK_EQ(ended(NULL, 0, said, sizeof said), 0);
}

TEST_LIMIT(misuse, what_changes_something_panics, 60)
{
    unsigned others = 0;
    const char *name;
    for (unsigned i = 0; (name = changing(i, false)) != NULL; i++) {
        char said[200];
        if (ended(changing, i, said, sizeof said) == 128 + SIGABRT && strstr(said, "called from an interrupt"))
            continue;
        fprintf(stderr, "does not panic: %s\n", name);
        others++;
    }
    CHECK_EQ(others, 0);
}

TEST_LIMIT(misuse, what_only_reads_does_not, 60)
{
    unsigned others = 0;
    const char *name;
    for (unsigned i = 0; (name = reading(i, false)) != NULL; i++) {
        char said[200];
        if (ended(reading, i, said, sizeof said) == CAME_THROUGH)
            continue;
        fprintf(stderr, "does not come through: %s\n", name);
        others++;
    }
    CHECK_EQ(others, 0);
}
