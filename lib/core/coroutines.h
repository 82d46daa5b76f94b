/* Frames, and what happens at an await. */
#ifndef THRUM_CORE_COROUTINES_H
#define THRUM_CORE_COROUTINES_H

#include "core/state.h"

/* Give the memory of a frame back that was left, or never begun. */
void thrum_frame_free(thrum_coro *coro);

void thrum_record_free(thrum_record *record);

/* Begin to wait for something in a task that runs: done, parked, or a new frame is its leaf. */
thrum_step thrum_begin(thrum_state *state, thrum_task *task, thrum_head *what);

/* A parked task is to be cancelled now: its operation says how. */
void thrum_cancel_parked(thrum_state *state, thrum_task *task);

/* Waiting for a task and for a future: what is done already gives its outcome also to those who have no time. */
extern const thrum_operations thrum_task_wait_operations, thrum_future_wait_operations;

static inline const thrum_function *function_of(const thrum_coro *coro)
{
    return (const thrum_function *)(const void *)coro->head.operations;
}

static inline uint32_t line_of(const thrum_coro *coro) { return coro->resume >> 16 & THRUM_LINE_MASK_; }

#endif
