/* Frames, and what happens at an await. */
#ifndef THRUM_CORE_COROUTINES_H
#define THRUM_CORE_COROUTINES_H

#include "core/memory.h"
#include "core/state.h"

/* Give the memory of a frame back that was left, or never begun. */
void thrum_frame_free(thrum_coro *coro);

static inline void thrum_record_free(thrum_record *record)
{
    thrum_state *state = thrum_state_here();
    if (THRUM_LIKELY_(record == &state->scratch))
        state->scratch_used = false;
    else
        pool_give(&state->pool, record, sizeof *record, POOL_OTHER);
}

/* Begin to wait for something in a task that runs: done, parked, or a new frame is its leaf. */
thrum_step thrum_begin(thrum_task *task, thrum_awaitable what);

/* A parked task is to be cancelled now: its operation says how. */
void thrum_cancel_parked(thrum_state *state, thrum_task *task);

/* Waiting for a task and for a future: what is done already gives its outcome also to those who have no time. */
extern const thrum_operations thrum_task_wait_operations, thrum_future_wait_operations;

/* `caller` of frames that were never awaited, while a loop closes: one may hold another, so each is dropped once, from
 * wherever that comes first, and all are freed in the end. */
#define FRAME_LEFT_OVER ((thrum_coro *)2)
#define FRAME_DROPPED ((thrum_coro *)4)

/* What the exit of a block gives, which begins at once and must not fail: no memory is taken. */
thrum_awaitable thrum_exit_make(const thrum_operations *operations, void *object);

static inline const thrum_function *function_of(const thrum_coro *coro)
{
    return (const thrum_function *)(const void *)coro->head.operations;
}

void thrum_frame_release_slow(thrum_state *state, thrum_coro *coro, const thrum_function *function);

static inline void thrum_frame_release(thrum_state *state, thrum_coro *coro, const thrum_function *function)
{
    thrum_pool *pool = &state->pool;
#if THRUM_DEBUG
    memset(coro, 0xdb, function->size);
#endif
    if (THRUM_UNLIKELY_(function->slot >= pool->slots)) {
        thrum_frame_release_slow(state, coro, function);
        return;
    }
    pool_block *block = (pool_block *)(void *)coro;
    pool_block **list = &pool->lists->free[POOL_FRAME][function->slot];
    block->next = *list;
    block->mark = POOL_FREE_MARK;
    *list = block;
}

/* A frame has ended: its memory goes back; the error it ended with, or 0. */
int32_t thrum_frame_failed(thrum_task *task, thrum_coro *coro);

static inline int32_t thrum_frame_end(thrum_state *state, thrum_task *task, thrum_coro *coro,
                                      const thrum_function *function)
{
    int32_t error = 0;
    if (THRUM_UNLIKELY_(THRUM_LEAVING_(coro) & THRUM_FAILED_))
        error = thrum_frame_failed(task, coro);
    thrum_frame_release(state, coro, function);
    return error;
}

static inline uint32_t line_of(const thrum_coro *coro)
{
    return coro->resume >> 16 & THRUM_LINE_MASK_;
}

#endif
