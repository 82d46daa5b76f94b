/* Frames, and what happens at an await and when a frame is left. */
#include "core/coroutines.h"

#include "core/cancelling.h"
#include "core/checks.h"
#include "core/details.h"
#include "core/inlining.h"
#include "core/memory.h"
#include "core/operations.h"
#include "core/panic.h"
#include "core/ready.h"
#include "core/verbs.h"

static void *reserve_take(thrum_reserve *reserve, size_t size)
{
    pool_block *block = (pool_block *)reserve->free;
    if (block) {
        reserve->free = block->next;
        return block;
    }
    return reserve->fresh < reserve->count ? (char *)reserve->frames + size * reserve->fresh++ : NULL;
}

static bool reserve_give(thrum_reserve *reserve, thrum_coro *coro, size_t size)
{
    uintptr_t at = (uintptr_t)coro, first = (uintptr_t)reserve->frames;
    if (at < first || at >= first + size * reserve->count)
        return false;
    pool_block *block = (pool_block *)(void *)coro;
    block->next = (pool_block *)reserve->free;
    reserve->free = block;
    return true;
}

/* What is in a frame that has ended shall not be taken for something. */
static void ended(const thrum_state *state, thrum_coro *coro, size_t size)
{
    (void)state;
    if (THRUM_DEBUG || in_debug_mode(state))
        memset(coro, 0xdb, size);
}

static void sized_give(thrum_state *state, thrum_coro *coro)
{
    thrum_sized_frame *frame = (thrum_sized_frame *)(void *)coro;
    const thrum_operations *operations = coro->head.operations;
    size_t size = frame->size;
    frame->end(frame);
    ended(state, coro, size);
    if (used_is_kept(state))
        thrum_keep(state, frame, operations, size, POOL_FRAME);
    else
        pool_give(&state->pool, frame, size, POOL_FRAME);
    (void)operations;
}

#if THRUM_SMALL
void *thrum_reserve_take_(const thrum_function *function)
{
    return reserve_take(function->reserve->reserve, function->size);
}

bool thrum_reserve_give_(thrum_coro *coro, const thrum_function *function)
{
    return reserve_give(function->reserve->reserve, coro, function->size);
}

static bool give_sized(thrum_coro *coro, const thrum_function *function)
{
    (void)function;
    sized_give(thrum_state_here(), coro);
    return true;
}

const thrum_store thrum_sized_store = {NULL, give_sized, NULL};

#define take_reserved(function) (function)->reserve->take(function)
#define give_reserved(coro, function) (function)->reserve->give(coro, function)
#else
#define take_reserved(function) reserve_take((function)->reserve, (function)->size)
#define give_reserved(coro, function) reserve_give((function)->reserve, coro, (function)->size)
#endif

static THRUM_INLINE_ thrum_coro *frame_begin(void *memory, const thrum_function *function)
{
    thrum_coro *coro = (thrum_coro *)memory;
    if (THRUM_SMALL) {
        memset(coro, 0, function->clear);
    } else {
        coro->caller = NULL;
        coro->result = 0;
        coro->resume = 0;
        THRUM_LEAVING_(coro) = 0;
    }
    coro->head.operations = &function->operations;
    return coro;
}

static THRUM_COLD_ thrum_coro *frame_new(const thrum_function *function)
{
    void *frame = function->reserve ? take_reserved(function) : NULL;
    if (!frame)
        frame = pool_take(&thrum_state_here()->pool, function->size, POOL_FRAME);
    if (frame && in_debug_mode(thrum_state_here()))
        thrum_made_note(frame);
    return frame ? frame_begin(frame, function) : NULL;
}

static THRUM_COLD_ thrum_awaitable frame_or_none(const thrum_function *function)
{
    thrum_awaitable made = {(uintptr_t)(void *)frame_new(function)};
    return made.word ? made : thrum_no_frame_();
}

/* One that was given back before, where that takes no look; or NULL. */
static THRUM_INLINE_ thrum_coro *frame_again(const thrum_function *function)
{
#if THRUM_ALLOCATORS && !THRUM_SMALL
    thrum_pool *pool = &thrum_state_here()->pool;
    size_t slot = function->slot;
    if (THRUM_LIKELY_(slot < pool->slots)) {
        pool_block **list = &pool->lists->free[POOL_FRAME][slot];
        pool_block *block = *list;
        if (THRUM_LIKELY_(block != NULL)) {
            *list = block->next;
            return frame_begin(block, function);
        }
    }
#endif
    (void)function;
    return NULL;
}

/* Never inlined: a compiler that sees the function takes the slot of one with a reserve for an index. */
THRUM_COLD_ void *thrum_frame_new_(const thrum_function *function)
{
    thrum_coro *coro = frame_again(function);
    return THRUM_LIKELY_(coro != NULL) ? coro : frame_new(function);
}

THRUM_COLD_ thrum_awaitable thrum_frame_begun_(const thrum_function *function)
{
    thrum_awaitable made = {(uintptr_t)(void *)frame_again(function)};
    return THRUM_LIKELY_(made.word) ? made : frame_or_none(function);
}

thrum_sized_frame *thrum_sized_frame_new(const thrum_function *function, size_t size,
                                         void (*end)(thrum_sized_frame *frame))
{
    thrum_sized_frame *frame = (thrum_sized_frame *)pool_take(&thrum_state_here()->pool, size, POOL_FRAME);
    if (!frame)
        return NULL;
    frame->coro.head.operations = &function->operations;
    frame->coro.caller = NULL;
    frame->coro.result = 0;
    frame->coro.resume = 0;
    THRUM_LEAVING_(&frame->coro) = 0;
    frame->size = size;
    frame->end = end;
    if (in_debug_mode(thrum_state_here()))
        thrum_made_note(frame);
    return frame;
}

void thrum_frame_release_slow(thrum_state *state, thrum_coro *coro, const thrum_function *function)
{
    if (!THRUM_SMALL && !function->size) {
        sized_give(state, coro);
        return;
    }
    if (function->size) /* others need what is in them */
        ended(state, coro, function->size);
    if (used_is_kept(state))
        thrum_keep(state, coro, &function->operations, function->size, POOL_FRAME);
    else
        thrum_frame_give_back(state, coro, function, function->size);
}

void thrum_frame_give_back(thrum_state *state, thrum_coro *coro, const thrum_function *function, size_t size)
{
    (void)state; /* a pool that is one array needs none */
    if (!function->reserve || !give_reserved(coro, function))
        pool_give(&state->pool, coro, size, POOL_FRAME);
}

int32_t thrum_frame_end(thrum_state *state, thrum_task *task, thrum_coro *coro, const thrum_function *function)
{
    int32_t error = THRUM_LEAVING_(coro) & THRUM_FAILED_ ? (int32_t)coro->result : 0;
    if (error && extension_of(task))
        thrum_detail_unhold(task, coro, (int)error);
    thrum_frame_release(state, coro, function);
    return error;
}

void thrum_frame_free(thrum_coro *coro)
{
    thrum_frame_release(thrum_state_here(), coro, function_of(coro));
}

/* ---- waiting ---- */

/* An await is complete, but the task had its share of this pass: it comes back to the same outcome. */
thrum_step thrum_to_the_tail(thrum_state *state, thrum_task *task)
{
    thrum_step step = {THRUM_PARKED_};
    task->waiter.node.flags |= TASK_AS_IS;
    ready_push(state, &task->waiter.node, NODE_LOOK);
    return step;
}

/* It does not wait long. One that was cancelled at the tail, where it came to since its awaits complete at once, may
 * never come to wait: there this await, unless it cleans up, does not even begin. */
THRUM_COLD_ thrum_step thrum_start_canceled(thrum_task *task, thrum_record *record, bool drop)
{
    const thrum_operations *operations = record->head.operations;
    uint8_t flags = task->waiter.node.flags;
    if (flags & TASK_LATE && !(THRUM_LEAVING_(task->leaf) & THRUM_IN_FINALLY_)) {
        task->waiter.node.flags = (uint8_t)(flags & ~(TASK_LATE | (levelled(task) ? 0 : TASK_MUST_CANCEL)));
        task->operations = NULL;
        if (drop && operations->drop)
            operations->drop(record);
        if (extension_of(task))
            thrum_detail_canceled(task);
        return done(thrum_state_here(), task, THRUM_ECANCELED, 0);
    }
    thrum_step step = operations->start(task, record);
    if (step.what != THRUM_PARKED_)
        return step;
    if (task_woken(task)) {
        look_first(task);
    } else {
        task->waiter.node.flags &= (uint8_t)~TASK_MUST_CANCEL;
        thrum_cancel_parked(thrum_state_here(), task);
    }
    return step;
}

#if THRUM_NESTED_CALLS
/* A call has ended. */
static THRUM_COLD_ thrum_step called_slow(thrum_state *state, thrum_task *task, thrum_coro *coro)
{
    thrum_value value = coro->result;
    task->leaf = coro->caller;
    int32_t error = thrum_frame_end(state, task, coro, function_of(coro));
    return done(state, task, (int)error, value);
}

/* What it needs is read again, so that call() keeps little across the step. */
static THRUM_INLINE_ thrum_step called(thrum_state *state, thrum_task *task, thrum_coro *coro)
{
    const thrum_function *function = function_of(coro);
    if (THRUM_UNLIKELY_(THRUM_LEAVING_(coro) & THRUM_FAILED_) || !thrum_frame_simple(state, function))
        return called_slow(state, task, coro);
    thrum_value value = coro->result;
    task->leaf = coro->caller;
    thrum_frame_give(state, coro, function);
    return done(state, task, 0, value);
}
#endif

/* The scheduler steps it. So does it with all of them in debug mode, where each is looked at first. */
static THRUM_COLD_ thrum_step call_flat(thrum_task *task, thrum_coro *coro)
{
    thrum_step step = {THRUM_CALLED_};
    if (in_debug_mode(thrum_state_here()) && !thrum_check_take(coro))
        return done(thrum_state_here(), task, THRUM_ESTATE, 0);
    coro->caller = task->leaf;
    task->leaf = coro;
    return step;
}

/* A new frame is the leaf now. Hosts step it right here, so that a call that does not suspend costs little more than a
 * C call; to a bound, beyond which, and on microcontrollers, the scheduler does. */
#if THRUM_NESTED_CALLS
static THRUM_COLD_ thrum_step call(thrum_task *task, thrum_coro *coro)
{
    thrum_step step = {THRUM_CALLED_};
    thrum_state *state = thrum_state_here();
    if (THRUM_LIKELY_(state->nests > 0)) {
        coro->caller = task->leaf;
        task->leaf = coro;
        state->nests--;
        step = coro->head.operations->resume(task);
        state->nests++;
        if (step.what == THRUM_DONE_)
            return called(state, task, coro);
        return step;
    }
    return call_flat(task, coro);
}
#else
#define call(task, coro) call_flat(task, coro)
#endif

static THRUM_INLINE_ thrum_step begin_record(thrum_task *task, thrum_record *record, bool drop)
{
    const thrum_operations *operations = record->head.operations;
    task->operations = operations;
    task->object = record->object;
    if (THRUM_UNLIKELY_(task->waiter.node.flags & TASK_MUST_CANCEL))
        return start_canceled(task, record, drop);
    return operations->start(task, record);
}

static inline void must_be_new(const thrum_task *task, const void *frame)
{
#if THRUM_DEBUG
    if (((const thrum_coro *)frame)->caller == POOL_FREE_MARK && !in_debug_mode(thrum_state_here()))
        thrum_panic("an awaitable is used again", function_of(task->leaf), line_of(task->leaf));
#else
    (void)task, (void)frame;
#endif
}

#if THRUM_SMALL
static thrum_step begin(thrum_task *task, thrum_awaitable what)
{
    thrum_record *record = (thrum_record *)(void *)head_of(what);
    if (!(what.word & WORD_RECORD))
        must_be_new(task, record);
    if (!record->head.operations->start)
        return call(task, (thrum_coro *)(void *)record);
    thrum_step step = begin_record(task, record, true);
    if (what.word & WORD_RECORD)
        thrum_record_free(record);
    return step;
}
#else
/* A record from the pool: it is given back before the operation starts. */
static THRUM_COLD_ thrum_step start_pooled(thrum_task *task, thrum_awaitable what)
{
    thrum_record *record = (thrum_record *)(void *)head_of(what);
    thrum_record copy = *record;
#if CHECKS_KEEP
    if (copy.head.operations == &thrum_used_up)
        return begin_record(task, record, false); /* where it is, so that it is known */
#endif
    thrum_record_free(record);
    return begin_record(task, &copy, true);
}

/* The fast way ends in a jump to the operation's start. */
static THRUM_INLINE_ thrum_step begin(thrum_task *task, thrum_awaitable what)
{
    if (what.word & WORD_RECORD) {
        if (THRUM_UNLIKELY_(what.word & (WORD_POOLED - WORD_RECORD)))
            return start_pooled(task, what);
        what.word -= WORD_RECORD;
        scratch_give(thrum_state_here()); /* what is in it stays until another one is made */
        return begin_record(task, (thrum_record *)(void *)what.word, true);
    }
    thrum_record *record = (thrum_record *)(void *)what.word;
    must_be_new(task, record);
    if (!record->head.operations->start)
        return call(task, (thrum_coro *)(void *)record);
    return begin_record(task, record, true);
}
#endif

thrum_step thrum_begin_item(thrum_task *task, thrum_record *record)
{
    return begin_record(task, record, false);
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
    if (extension_of(task))
        thrum_detail_unhold(task, coro, 0);
    coro->result = value;
}

void thrum_raise_(thrum_task *task, thrum_coro *coro, int error, uint32_t line)
{
    coro->resume = (coro->resume & ~(THRUM_LINE_MASK_ << 16)) | line;
    task->waiter.node.error = error < 0 ? (int32_t)error : THRUM_EINVAL;
    thrum_detail_raised(task, (int)task->waiter.node.error);
}

int thrum_take_error_(thrum_task *task)
{
    int error = (int)task->waiter.node.error;
    task->waiter.node.error = 0;
    if (error && extension_of(task))
        thrum_detail_caught(task, error);
    return error;
}

static THRUM_COLD_ bool leave(thrum_task *task, thrum_coro *coro, bool finally)
{
    int32_t error = task->waiter.node.error;
    if (error) {
        task->waiter.node.error = 0;
        if ((error != THRUM_ECANCELED || extension_of(task)) && error != THRUM_ELEFT)
            thrum_detail_pass(task, (int)error, THRUM_LEAVING_(coro) & THRUM_FAILED_ ? (int)coro->result : 0,
                              function_of(coro), line_of(coro));
    }
    if (task->scopes && block_unwind(task, coro, error))
        return false;
    if (error) {
        if (extension_of(task) && THRUM_LEAVING_(coro) & THRUM_IN_FINALLY_)
            thrum_detail_unhold(task, coro, 0); /* replaced */
        THRUM_LEAVING_(coro) |= THRUM_FAILED_;
        coro->result = error;
    }
    if (!finally || THRUM_LEAVING_(coro) & THRUM_IN_FINALLY_)
        return true;
    if (extension_of(task) && THRUM_LEAVING_(coro) & THRUM_FAILED_)
        thrum_detail_hold(task, coro, (int)coro->result);
    THRUM_LEAVING_(coro) |= THRUM_IN_FINALLY_;
    coro->resume |= THRUM_FINAL_;
    return false;
}

static THRUM_INLINE_ bool leaves(thrum_task *task, thrum_coro *coro, bool finally)
{
    int32_t error = task->waiter.node.error;
    if (THRUM_SMALL || finally || task->scopes || extension_of(task) || (error && error != THRUM_ECANCELED))
        return leave(task, coro, finally);
    if (error) {
        task->waiter.node.error = 0;
        THRUM_LEAVING_(coro) |= THRUM_FAILED_;
        coro->result = error;
    }
    return true;
}

#if !THRUM_SMALL
/* For what was compiled with an earlier version. */
bool thrum_leave_(thrum_task *task, thrum_coro *coro, bool finally)
{
    return leaves(task, coro, finally);
}
#endif

thrum_step thrum_leave_step_(thrum_task *task, bool finally)
{
    thrum_step step = {leaves(task, task->leaf, finally) ? THRUM_DONE_ : THRUM_CALLED_};
    return step;
}

thrum_step thrum_lost_(const thrum_coro *coro)
{
    thrum_panic("an await inside a switch of the body: the frame cannot go on", function_of(coro), line_of(coro));
}
