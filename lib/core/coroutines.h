/* Frames, and what happens at an await. */
#ifndef THRUM_CORE_COROUTINES_H
#define THRUM_CORE_COROUTINES_H

#include <thrum/generators.h>

#include "core/checks.h"
#include "core/memory.h"
#include "core/state.h"

/* Give the memory of a frame back that was left, or never begun. */
void thrum_frame_free(thrum_coro *coro);

static inline void thrum_record_free(thrum_record *record)
{
    thrum_state *state = thrum_state_here();
    if (THRUM_LIKELY_(record == &state->scratch))
        scratch_give(state);
    else if (used_is_kept(state))
        thrum_keep(state, record, record->head.operations, sizeof *record, POOL_OTHER);
    else
        pool_give(&state->pool, record, sizeof *record, POOL_OTHER);
}

/* Begin to wait for something in a task that runs: done, parked, or a new frame is its leaf. */
thrum_step thrum_begin(thrum_task *task, thrum_awaitable what);

/* The same with a record that stays where it is, to be begun again. */
thrum_step thrum_begin_item(thrum_task *task, thrum_record *record);

/* A parked task is to be cancelled now: its operation says how. */
void thrum_cancel_parked(thrum_state *state, thrum_task *task);

/* Waiting for a task and for a future: what is done already gives its outcome also to those who have no time. */
extern const thrum_operations thrum_task_wait_operations, thrum_future_wait_operations;

/* `caller` of frames that were never awaited, while a loop closes: one may hold another, so each is dropped once, from
 * wherever that comes first, and all are freed in the end. */
#define FRAME_LEFT_OVER ((thrum_coro *)2)
#define FRAME_DROPPED ((thrum_coro *)4)
/* And of one that is no async function's call, but goes when its loop closes. */
#define FRAME_BESIDE ((thrum_coro *)8)

/* What the exit of a block gives, which begins at once and must not fail: no memory is taken. */
thrum_awaitable thrum_exit_make(const thrum_operations *operations, void *object);

/* Those of an async function. */
static inline const thrum_function *function_of_operations(const thrum_operations *operations)
{
    return (const thrum_function *)(const void *)operations;
}

static inline const thrum_function *function_of(const thrum_coro *coro)
{
    return function_of_operations(coro->head.operations);
}

/* In debug mode: a frame is in use. It is said beside how it is being left; where that has no room for it, such a frame
 * is known by its caller, or by where it is. */
#if THRUM_PACKED_FRAMES_
#define FRAME_TAKEN UINT32_C(0)
#else
#define FRAME_TAKEN UINT32_C(1)
#endif

/* A frame that a task was to begin with is dropped after all. */
static inline void frame_drop_taken(thrum_coro *coro)
{
    const thrum_awaitable unbegun = {(uintptr_t)(void *)coro};
    THRUM_LEAVING_(coro) &= ~FRAME_TAKEN;
    thrum_drop(unbegun);
}

/* Whether a frame came to an await, or to where it is left: not before its first step, and not in all of that. */
static inline bool frame_begun(const thrum_coro *coro)
{
    return (coro->resume & THRUM_LABEL_MASK_) != 0;
}

/* The same for others than the task itself, who come to run in its first step only where that starts a task eagerly:
 * then it has a line before it has a label. */
static inline bool frame_untouched(const thrum_coro *coro)
{
    return coro->resume == 0;
}

/* A frame whose size is known when it is made: that of its function is 0. Taken with thrum_sized_frame_new(). */
typedef struct thrum_sized_frame {
    thrum_coro coro;
    size_t size;
    void (*end)(struct thrum_sized_frame *frame); /* before its memory goes, also when its loop closes */
} thrum_sized_frame;

/* Their function's `reserve`. */
#if THRUM_SMALL
extern const thrum_store thrum_sized_store;
#define THRUM_SIZED_STORE &thrum_sized_store
#else
#define THRUM_SIZED_STORE NULL
#endif

/* Not cleared but for the above; NULL when there is no memory. */
thrum_sized_frame *thrum_sized_frame_new(const thrum_function *function, size_t size,
                                         void (*end)(thrum_sized_frame *frame));

void thrum_frame_release_slow(thrum_state *state, thrum_coro *coro, const thrum_function *function);

/* The end of that: its memory, of so many bytes, goes to where it came from. */
void thrum_frame_give_back(thrum_state *state, thrum_coro *coro, const thrum_function *function, size_t size);

#if THRUM_ALLOCATORS
/* Whether frames of this function are blocks that are simply given back. */
static inline bool thrum_frame_simple(const thrum_state *state, const thrum_function *function)
{
    return THRUM_LIKELY_(function->slot < state->pool.slots);
}

static inline void thrum_frame_give(thrum_state *state, thrum_coro *coro, const thrum_function *function)
{
#if THRUM_DEBUG
    memset(coro, 0xdb, function->size);
#endif
    pool_block *block = (pool_block *)(void *)coro;
    pool_block **list = &state->pool.lists->free[POOL_FRAME][function->slot];
    block->next = *list;
    block->mark = POOL_FREE_MARK;
    *list = block;
}

static inline void thrum_frame_release(thrum_state *state, thrum_coro *coro, const thrum_function *function)
{
    if (thrum_frame_simple(state, function))
        thrum_frame_give(state, coro, function);
    else
        thrum_frame_release_slow(state, coro, function);
}
#else
#define thrum_frame_simple(state, function) false
#define thrum_frame_give(state, coro, function) thrum_frame_release_slow(state, coro, function)
#define thrum_frame_release(state, coro, function) thrum_frame_release_slow(state, coro, function)
#endif

/* A frame has ended: its memory goes back; the error it ended with, or 0. */
int32_t thrum_frame_end(thrum_state *state, thrum_task *task, thrum_coro *coro, const thrum_function *function);

/* ---- generators ---- */

/* `iteration` of one that must not go on: it came to a YIELD while it was closed, or lost its iteration in a step. */
#define GENERATOR_LOST ((thrum_iteration *)1)
/* And of one that thrum_shutdown_generators() is to close. */
#define GENERATOR_LEFT ((thrum_iteration *)2)

static inline bool generator_runs(const thrum_yields *yields)
{
    return yields->iteration && yields->iteration != GENERATOR_LOST && yields->iteration != GENERATOR_LEFT;
}

static inline thrum_coro *generator_coro(thrum_yields *yields)
{
    return (thrum_coro *)(void *)((char *)yields - sizeof(thrum_coro));
}

static inline uint32_t line_of(const thrum_coro *coro)
{
    return coro->resume >> 16 & THRUM_LINE_MASK_;
}

#endif
