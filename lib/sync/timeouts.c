/* Time limits. When the time is up the task is cancelled, and where the limited part ends that cancellation is taken
 * back and becomes THRUM_ETIMEDOUT: unless somebody else asked for one as well, which the task's count tells. */
#include <thrum/timeouts.h>

#include "core/checks.h"
#include "core/coroutines.h"
#include "core/details.h"
#include "core/inlining.h"
#include "core/operations.h"
#include "sync/limits.h"

/* What becomes of `error` where the limited part of `task` ends, the time having been up. */
static THRUM_COLD_ int32_t settle(thrum_task *task, unsigned before, int32_t error)
{
    /* Around a YIELD it arrived where the items are used: the generator is left because of it. */
    bool arrived = error == THRUM_ECANCELED || (error == THRUM_ELEFT && !(task->waiter.node.flags & TASK_MUST_CANCEL));
    bool ours = take_back(task, before);
    if (arrived)
        return ours ? THRUM_ETIMEDOUT : error;
    if (error)
        thrum_detail_context(task, (int)error, THRUM_ETIMEDOUT);
    return error;
}

/* ---- around a block ---- */

static void deadline_fire(thrum_handle *timer)
{
    thrum_deadline *deadline = (thrum_deadline *)timer->context;
    deadline->state = LIMIT_EXPIRING;
    thrum_cancel_by(deadline->task, &deadline->scope);
}

thrum_awaitable thrum_deadline_exit(thrum_scope *scope)
{
    thrum_deadline *deadline = (thrum_deadline *)(void *)scope;
    disarm(&deadline->timer);
    if (THRUM_UNLIKELY_(deadline->state == LIMIT_EXPIRING)) {
        deadline->state = LIMIT_EXPIRED;
        scope->error = settle(deadline->task, deadline->before, scope->error);
    } else {
        deadline->state = LIMIT_OVER;
    }
    return THRUM_NOTHING;
}

static thrum_step enter_start(thrum_task *task, thrum_record *record)
{
    thrum_deadline *deadline = (thrum_deadline *)record->object;
    if (deadline->state == LIMIT_SET || deadline->state == LIMIT_EXPIRING)
        return thrum_done(task, THRUM_ESTATE, 0);
    deadline->scope.exit = thrum_deadline_exit;
    deadline->scope.flags = SCOPE_OF_TASK;
    deadline->task = task;
    deadline->before = task->waiter.node.count;
    deadline->when = (thrum_time)record->a;
    deadline->state = LIMIT_SET;
    arm(&deadline->timer, deadline_fire, deadline, deadline->when);
    return done(thrum_state_here(), task, 0, 0);
}

static const thrum_operations enter_operations = {enter_start, NULL, NULL, NULL, THRUM_NAMED_("deadline"), NULL};

static inline thrum_awaitable enter(thrum_deadline *deadline, thrum_time when)
{
    return make_awaitable(thrum_state_here(), &enter_operations, deadline, (thrum_value)when);
}

thrum_awaitable thrum_deadline_at(thrum_deadline *deadline, thrum_time when)
{
    return enter(deadline, when);
}

thrum_awaitable thrum_deadline_after(thrum_deadline *deadline, thrum_time delay)
{
    return enter(deadline, later(delay));
}

int thrum_deadline_reschedule(thrum_deadline *deadline, thrum_time when)
{
    not_for_interrupts();
    if (deadline->state != LIMIT_SET)
        return THRUM_ESTATE;
    if (doubtful(thrum_state_here()) &&
        !thrum_check_scope(deadline->task, &deadline->scope,
                           "a deadline of another loop was used in this thread: thrum_call_soon_threadsafe() is for "
                           "that",
                           "a deadline was moved while it is open"))
        return THRUM_ESTATE;
    disarm(&deadline->timer);
    deadline->when = when;
    arm(&deadline->timer, deadline_fire, deadline, when);
    return 0;
}

thrum_time thrum_deadline_when(const thrum_deadline *deadline)
{
    return deadline->when;
}

bool thrum_deadline_expired(const thrum_deadline *deadline)
{
    return deadline->state == LIMIT_EXPIRING || deadline->state == LIMIT_EXPIRED;
}

/* ---- around one await ----
 *
 * A frame of its own on the task's chain, written by hand: it is on the path of every read with a timeout. */

typedef struct timeout_frame {
    thrum_coro coro;
    thrum_awaitable what;
    thrum_handle timer;
    thrum_time limit; /* a delay, then the time */
    thrum_task *task;
    const thrum_scope *outer; /* the innermost block that was open when it began */
    uint16_t before;
    uint8_t state;
    bool relative;
    bool of_task; /* `what` is one: see late_start() */
} timeout_frame;

static void timeout_fire(thrum_handle *timer)
{
    timeout_frame *frame = (timeout_frame *)timer->context;
    frame->state = LIMIT_EXPIRING;
    thrum_cancel_within(frame->task, frame->outer);
}

static thrum_step timeout_end(timeout_frame *frame, int32_t error, thrum_value value)
{
    thrum_step step = {THRUM_DONE_};
    if (error)
        THRUM_LEAVING_(&frame->coro) |= THRUM_FAILED_;
    frame->coro.result = error ? error : value;
    return step;
}

/* ---- no time at all: a task or future that is not done is cancelled, and its end waited for, beside it. Who cancels
 * the wait does not cancel it once more. asyncio's wait_for() has a callback and a future of its own in between, so
 * this takes a pass more than an await. ---- */

static thrum_waiters *late_waiters(const timeout_frame *frame, void *object)
{
    return frame->of_task ? &((thrum_task *)object)->waiters : &((thrum_future *)object)->waiters;
}

static thrum_step late_start(thrum_task *task, thrum_record *record)
{
    timeout_frame *frame = (timeout_frame *)(void *)task->leaf;
    thrum_waiters_add(late_waiters(frame, record->object), &task->waiter);
    thrum_step step = parked(task);
    if (frame->of_task)
        thrum_task_cancel((thrum_task *)record->object);
    else
        thrum_future_cancel((thrum_future *)record->object);
    return step;
}

static thrum_step late_resume(thrum_task *task)
{
    timeout_frame *frame = (timeout_frame *)(void *)task->leaf;
    int error = (int)task->waiter.node.error;
    thrum_value value = task->waiter.as.value;
    if (frame->state == LIMIT_SET) {
        frame->state = LIMIT_OVER;
        thrum_step step = parked(task);
        thrum_wake(&task->waiter, error, value);
        return step;
    }
    return done(thrum_state_here(), task, error == THRUM_ECANCELED ? THRUM_ETIMEDOUT : error, value);
}

static thrum_cancel_result late_cancel(thrum_task *task)
{
    if (!thrum_task_woken(task))
        thrum_waiters_remove(late_waiters((timeout_frame *)(void *)task->leaf, task->object), &task->waiter);
    return THRUM_DETACHED;
}

static const thrum_operations late_operations = {late_start, late_resume, late_cancel, NULL, THRUM_NAMED_("timeout"),
                                                 NULL};

/* The time is up before it begins. Only what goes on by itself may still have an outcome; the rest never begins. */
static thrum_step begin_late(thrum_task *task, timeout_frame *frame)
{
    thrum_step step = {THRUM_DONE_};
    thrum_record *record = (thrum_record *)(void *)head_of(frame->what);
    void *object = record->object;
    frame->of_task = record->head.operations == &thrum_task_wait_operations;
    if (!frame->of_task && record->head.operations != &thrum_future_wait_operations) {
        thrum_drop(frame->what);
        task->waiter.node.error = THRUM_ETIMEDOUT;
        return step;
    }
    if (frame->of_task ? object == task || thrum_task_done((thrum_task *)object)
                       : thrum_future_done((thrum_future *)object))
        return thrum_begin(task, frame->what);
    thrum_drop(frame->what);
    return thrum_begin(task, make_awaitable(thrum_state_here(), &late_operations, object, 0));
}

static thrum_step timeout_step(thrum_task *task)
{
    timeout_frame *frame = (timeout_frame *)(void *)task->leaf;
    if (frame->coro.resume == 0) { /* it begins */
        thrum_time when = frame->relative ? later(frame->limit) : frame->limit;
        frame->coro.resume = 1;
        frame->task = task;
        frame->limit = when;
        frame->outer = task->scopes;
        frame->before = task->waiter.node.count;
        frame->state = LIMIT_SET;
        thrum_step step;
        if (when != THRUM_NEVER && time_reached(when, thrum_now())) {
            step = begin_late(task, frame);
        } else {
            if (when != THRUM_NEVER)
                arm(&frame->timer, timeout_fire, frame, when);
            step = thrum_begin(task, frame->what);
        }
        if (step.what != THRUM_DONE_)
            return step;
    }
    int32_t error = task->waiter.node.error;
    task->waiter.node.error = 0;
    disarm(&frame->timer);
    if (frame->state == LIMIT_EXPIRING)
        error = settle(task, frame->before, error);
    return timeout_end(frame, error, task->waiter.as.value);
}

static void timeout_drop(thrum_record *record)
{
    thrum_drop(((timeout_frame *)(void *)record)->what);
}

static const thrum_function timeout_function = {
    {NULL, timeout_step, NULL, timeout_drop, THRUM_NAMED_("thrum_timeout"), NULL},
    THRUM_NAMED_(__FILE__),
    NULL,
    sizeof(timeout_frame),
    sizeof(timeout_frame),
    THRUM_SLOT_(sizeof(timeout_frame), 0),
    __LINE__};

bool thrum_timeout_limit(const thrum_coro *coro, thrum_time *when)
{
    if (coro->head.operations != &timeout_function.operations)
        return false;
    *when = ((const timeout_frame *)(const void *)coro)->limit;
    return true;
}

static thrum_awaitable timeout_new(thrum_time limit, thrum_awaitable what, bool relative)
{
    timeout_frame *frame = (timeout_frame *)thrum_frame_new_(&timeout_function);
    if (!frame) {
        thrum_drop(what);
        return thrum_awaitable_failing(THRUM_ENOMEM);
    }
    frame->what = what;
    frame->timer.waiter.node.state = NODE_IDLE;
    frame->timer.waiter.node.flags = 0;
    frame->limit = limit;
    frame->relative = relative;
    what.word = (uintptr_t)(void *)frame;
    return what;
}

thrum_awaitable thrum_timeout(thrum_time delay, thrum_awaitable what)
{
    return timeout_new(delay, what, true);
}

thrum_awaitable thrum_timeout_at(thrum_time when, thrum_awaitable what)
{
    return timeout_new(when, what, false);
}
