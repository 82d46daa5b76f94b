/* Frames, and what happens at an await and when a frame is left. */
#include "core/coroutines.h"

#include "core/details.h"
#include "core/memory.h"
#include "core/panic.h"

static void *reserve_take(thrum_reserve *reserve, size_t size)
{
    pool_block *block = (pool_block *)reserve->free;
    if (block) {
        reserve->free = block->next;
        return block;
    }
    return reserve->fresh < reserve->count ? (char *)reserve->frames + size * reserve->fresh++ : NULL;
}

static THRUM_COLD_ void *frame_new_slow(thrum_pool *pool, const thrum_function *function)
{
    if (function->reserve) {
        void *frame = reserve_take(function->reserve, function->size);
        if (frame)
            return frame;
    }
    return pool_take(pool, function->size, POOL_FRAME);
}

void *thrum_frame_new_(const thrum_function *function)
{
    thrum_pool *pool = &thrum_state_here()->pool;
    if (THRUM_LIKELY_(function->slot < pool->slots)) {
        pool_block **list = &pool->lists->free[POOL_FRAME][function->slot];
        pool_block *block = *list;
        if (THRUM_LIKELY_(block != NULL)) {
            *list = block->next;
            return block;
        }
    }
    return frame_new_slow(pool, function);
}

static bool reserve_give(thrum_coro *coro, const thrum_function *function)
{
    thrum_reserve *reserve = function->reserve;
    uintptr_t at = (uintptr_t)coro, first = (uintptr_t)reserve->frames;
    if (at < first || at >= first + function->size * reserve->count)
        return false;
    pool_block *block = (pool_block *)(void *)coro;
    block->next = (pool_block *)reserve->free;
    reserve->free = block;
    return true;
}

void thrum_frame_release_slow(thrum_state *state, thrum_coro *coro, const thrum_function *function)
{
    if (function->reserve && reserve_give(coro, function))
        return;
    pool_give(&state->pool, coro, function->size, POOL_FRAME);
}

int32_t thrum_frame_failed(thrum_task *task, thrum_coro *coro)
{
    int32_t error = (int32_t)coro->result;
    if (task->extension)
        thrum_detail_unhold(task, coro, (int)error);
    return error;
}

void thrum_frame_free(thrum_coro *coro)
{
    thrum_frame_release(thrum_state_here(), coro, function_of(coro));
}

/* ---- waiting ---- */

void thrum_cancel_parked(thrum_state *state, thrum_task *task)
{
    const thrum_operations *operations = task->operations;
    switch (operations && operations->cancel ? operations->cancel(task) : THRUM_REFUSED) {
    case THRUM_DETACHED:
        task->operations = NULL;
        task->waiter.node.error = THRUM_ECANCELED;
        if (task->extension)
            thrum_detail_canceled(task);
        ready_push(state, &task->waiter.node, NODE_READY);
        break;
    case THRUM_FORWARDED:
        break;
    case THRUM_REFUSED:
        task->waiter.node.flags |= TASK_MUST_CANCEL;
        break;
    }
}

/* An await is complete, but the task had its share of this pass: it comes back to the same outcome. */
thrum_step thrum_to_the_tail(thrum_state *state, thrum_task *task)
{
    thrum_step step = {THRUM_PARKED_};
    task->waiter.node.flags |= TASK_AS_IS;
    ready_push(state, &task->waiter.node, NODE_LOOK);
    return step;
}

/* A task that is to be cancelled begins to wait: it does not wait long. One that was cancelled at the tail, where it
 * came to since its awaits complete at once, may never come to wait: there this await, unless it cleans up, does not
 * even begin. */
static THRUM_COLD_ thrum_step start_canceled(thrum_task *task, const thrum_operations *operations, thrum_record *record)
{
    uint8_t flags = task->waiter.node.flags;
    if (flags & TASK_LATE && !(THRUM_LEAVING_(task->leaf) & THRUM_IN_FINALLY_)) {
        task->waiter.node.flags = (uint8_t)(flags & ~(TASK_LATE | TASK_MUST_CANCEL));
        task->operations = NULL;
        if (operations->drop)
            operations->drop(record);
        if (task->extension)
            thrum_detail_canceled(task);
        return done(thrum_state_here(), task, THRUM_ECANCELED, 0);
    }
    thrum_step step = operations->start(task, record);
    if (step.what != THRUM_PARKED_)
        return step;
    if (thrum_task_woken(task)) {
        look_first(task);
    } else {
        task->waiter.node.flags &= (uint8_t)~TASK_MUST_CANCEL;
        thrum_cancel_parked(thrum_state_here(), task);
    }
    return step;
}

/* A new frame is the leaf now. Hosts step it right here, so that a call that does not suspend costs little more than a
 * C call; to a bound, beyond which, and on microcontrollers, the scheduler does. */
static THRUM_COLD_ thrum_step call(thrum_task *task, thrum_coro *coro)
{
    thrum_step step = {THRUM_CALLED_};
    thrum_coro *caller = task->leaf;
    coro->caller = caller;
    task->leaf = coro;
#if THRUM_NESTED_CALLS
    thrum_state *state = thrum_state_here();
    if (state->nested >= THRUM_NESTED_CALLS)
        return step;
    const thrum_function *function = function_of(coro);
    state->nested++;
    step = function->operations.resume(task);
    state->nested--;
    if (step.what == THRUM_DONE_) {
        thrum_value value = coro->result;
        int32_t error = thrum_frame_end(state, task, coro, function);
        task->leaf = caller;
        return done(state, task, (int)error, value);
    }
#endif
    return step;
}

/* A record from the pool: it is given back before the operation starts. */
static THRUM_COLD_ thrum_step start_record(thrum_task *task, thrum_record *record)
{
    thrum_record copy = *record;
    pool_give(&thrum_state_here()->pool, record, sizeof *record, POOL_OTHER);
    task->operations = copy.head.operations;
    task->object = copy.object;
    if (task->waiter.node.flags & TASK_MUST_CANCEL)
        return start_canceled(task, copy.head.operations, &copy);
    return copy.head.operations->start(task, &copy);
}

/* The fast way ends in a jump to the operation's start. */
static THRUM_INLINE_ thrum_step begin(thrum_task *task, thrum_awaitable what)
{
    thrum_record *record = (thrum_record *)(void *)what.word;
    if (what.word & WORD_RECORD) {
        thrum_state *state = thrum_state_here();
        record = (thrum_record *)(void *)(what.word - WORD_RECORD);
        if (THRUM_UNLIKELY_(record != &state->scratch))
            return start_record(task, record);
        state->scratch_used = false; /* what is in it stays until another one is made */
    } else {
#if THRUM_DEBUG
        if (((const thrum_coro *)(const void *)record)->caller == POOL_FREE_MARK)
            thrum_panic("an awaitable is used again", function_of(task->leaf), line_of(task->leaf));
#endif
        if (!record->head.operations->start)
            return call(task, (thrum_coro *)(void *)record);
    }
    const thrum_operations *operations = record->head.operations;
    task->operations = operations;
    task->object = record->object;
    if (THRUM_UNLIKELY_(task->waiter.node.flags & TASK_MUST_CANCEL))
        return start_canceled(task, operations, record);
    return operations->start(task, record);
}

thrum_step thrum_begin(thrum_task *task, thrum_awaitable what)
{
    return begin(task, what);
}

#if THRUM_PACKED_FRAMES_
thrum_step thrum_await_(thrum_task *task, thrum_awaitable what, uint32_t resume)
{
    thrum_coro *leaf = task->leaf;
    leaf->resume = (leaf->resume & (THRUM_FAILED_ | THRUM_IN_FINALLY_)) | resume;
    return begin(task, what);
}
#else
thrum_step thrum_start_(thrum_task *task, thrum_awaitable what)
{
    return begin(task, what);
}
#endif

/* ---- leaving ---- */

void thrum_return_(thrum_task *task, thrum_coro *coro, thrum_value value)
{
    task->waiter.node.error = 0;
    THRUM_LEAVING_(coro) &= ~THRUM_FAILED_;
    if (task->extension)
        thrum_detail_unhold(task, coro, 0);
    coro->result = value;
}

void thrum_raise_(thrum_task *task, thrum_coro *coro, int error, uint32_t line)
{
    coro->resume = (coro->resume & ~(THRUM_LINE_MASK_ << 16)) | line;
    task->waiter.node.error = error ? (int32_t)error : THRUM_EINVAL;
}

int thrum_take_error_(thrum_task *task)
{
    int error = (int)task->waiter.node.error;
    task->waiter.node.error = 0;
    return error;
}

/* The innermost open block of this frame that has something to do on the way out; it is where control goes next. */
static bool unwind(thrum_task *task, thrum_coro *coro, int32_t error)
{
    thrum_scope *scope;
    bool failed = error != 0;
    while ((scope = task->scopes) && scope->owner == coro) {
        task->scopes = scope->outer;
        scope->flags &= (uint8_t)~SCOPE_OPEN;
        if (scope->flags & SCOPE_TRY) {
            if (!failed) { /* a return passes a TRY by */
                scope->phase = THRUM_OVER_;
                continue;
            }
        } else if (failed) {
            scope->flags |= SCOPE_LEFT_BY_ERROR;
        } else if (scope->phase == THRUM_BODY_) {
            scope->flags |= SCOPE_LEFT_BY_RETURN;
        }
        scope->error = error;
        scope->phase = THRUM_EXITING_;
        /* The error replaces a return that was on its way; what FINALLY interrupted goes on after it. */
        if (failed && !(THRUM_LEAVING_(coro) & THRUM_IN_FINALLY_))
            coro->result = 0;
        coro->resume = (coro->resume & ~THRUM_LABEL_MASK_) | scope->label;
        return true;
    }
    return false;
}

bool thrum_leave_(thrum_task *task, thrum_coro *coro, bool finally)
{
    int32_t error = task->waiter.node.error;
    if (error) {
        task->waiter.node.error = 0;
        if (error != THRUM_ECANCELED || task->extension)
            thrum_detail_pass(task, (int)error, THRUM_LEAVING_(coro) & THRUM_FAILED_ ? (int)coro->result : 0,
                              function_of(coro), line_of(coro));
    }
    if (task->scopes && unwind(task, coro, error))
        return false;
    if (error) {
        if (task->extension && THRUM_LEAVING_(coro) & THRUM_IN_FINALLY_)
            thrum_detail_unhold(task, coro, 0); /* replaced */
        THRUM_LEAVING_(coro) |= THRUM_FAILED_;
        coro->result = error;
    }
    if (!finally || THRUM_LEAVING_(coro) & THRUM_IN_FINALLY_)
        return true;
    if (task->extension && THRUM_LEAVING_(coro) & THRUM_FAILED_)
        thrum_detail_hold(task, coro, (int)coro->result);
    THRUM_LEAVING_(coro) |= THRUM_IN_FINALLY_;
    coro->resume |= THRUM_FINAL_;
    return false;
}

void thrum_lost_(const thrum_coro *coro)
{
    thrum_panic("an await inside a switch of the body: the frame cannot go on", function_of(coro), line_of(coro));
}
