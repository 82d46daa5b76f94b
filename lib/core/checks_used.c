/* Debug mode: what is used again that was used up.
 *
 * An awaitable is awaited, spawned or dropped once. Its frame or record goes back to the pool then, as a task's memory
 * does with its handle, and is soon somebody else's. So in debug mode such memory is kept for a while before it is
 * given back: who comes with an old handle finds operations there that tell of it and fail, where else another frame
 * would be run in his name. Frames that are in use bear a mark, since they look like new ones until their first await.
 * Nothing is looked for on the way of an await where debug mode is off: these operations are reached like all others,
 * records come from the pool in debug mode, and calls do not nest there (call_flat() in coroutines.c). */
#include "core/checks.h"

#include "core/coroutines.h"
#include "core/memory.h"
#include "core/operations.h"

#if CHECKS_KEEP

static thrum_step used_start(thrum_task *task, thrum_record *record)
{
    const thrum_awaitable what = {(uintptr_t)(void *)record};
    task->operations = NULL; /* it waits for nothing */
    (void)thrum_check_unused(what);
    return done(thrum_state_here(), task, THRUM_ESTATE, 0);
}

const thrum_operations thrum_used_up = {used_start, NULL, NULL, NULL, THRUM_NAMED_("what was used up"), NULL};

/* ---- kept ---- */

static void give_back(thrum_state *state, const kept_block *kept)
{
    const thrum_operations *was = kept->operations;
    thrum_coro *coro = (thrum_coro *)kept->block;
    state->checks->kept.bytes -= kept->size;
    if (kept->kind == POOL_FRAME && function_of_operations(was)->reserve) {
        thrum_frame_give_back(state, coro, function_of_operations(was), kept->size);
        return;
    }
    thrum_pool_unkeep(&state->pool, kept->size, kept->kind);
    pool_give(&state->pool, kept->block, kept->size, kept->kind);
}

static void give_oldest(thrum_state *state)
{
    thrum_kept *all = &state->checks->kept;
    const kept_block oldest = all->blocks[all->first];
    all->first = (all->first + 1) % KEPT_BLOCKS;
    all->count--;
    give_back(state, &oldest);
}

void thrum_keep(thrum_state *state, void *block, const thrum_operations *was, size_t size, unsigned kind)
{
    thrum_kept *all = &state->checks->kept;
    while (all->count == KEPT_BLOCKS || (all->count && all->bytes + size > KEPT_BYTES))
        give_oldest(state);
    const kept_block kept = {block, was, size, (uint8_t)kind};
    all->blocks[(all->first + all->count++) % KEPT_BLOCKS] = kept;
    all->bytes += size;
    if (kind != POOL_FRAME || !function_of_operations(was)->reserve)
        thrum_pool_keep(&state->pool, block, size, kind);
    if (kind == POOL_TASK)
        return;
    ((thrum_coro *)block)->head.operations = &thrum_used_up;
    ((thrum_coro *)block)->caller = (thrum_coro *)POOL_FREE_MARK;
}

bool thrum_kept_give(thrum_state *state)
{
    bool any = state->checks && state->checks->kept.count;
    while (state->checks && state->checks->kept.count)
        give_oldest(state);
    return any;
}

static const thrum_operations *what_was(const void *block)
{
    const thrum_checks *checks = thrum_state_here()->checks;
    for (size_t i = 0; checks && i < checks->kept.count; i++) {
        const kept_block *kept = &checks->kept.blocks[(checks->kept.first + i) % KEPT_BLOCKS];
        if (kept->block == block)
            return kept->operations;
    }
    return NULL;
}

/* ---- asked for ---- */

static bool is_taken(const thrum_coro *coro)
{
    return (uintptr_t)coro->caller > (uintptr_t)FRAME_BESIDE || coro->resume || THRUM_LEAVING_(coro) & FRAME_TAKEN;
}

bool thrum_check_unused(thrum_awaitable what)
{
    const thrum_head *head = head_of(what);
    const thrum_coro *coro = (const thrum_coro *)(const void *)head;
    const thrum_operations *was = head->operations;
    if (coro->caller == (thrum_coro *)POOL_FREE_MARK)
        was = what_was(head);
    else if (was->start || !is_taken(coro))
        return true;
    thrum_check_tell_of(was && was->name ? was->name : "something", ": an awaitable is used again", head, NULL);
    return false;
}

bool thrum_check_take(thrum_coro *coro)
{
    const thrum_awaitable what = {(uintptr_t)(void *)coro};
    if (!thrum_check_unused(what))
        return false;
    THRUM_LEAVING_(coro) |= FRAME_TAKEN;
    return true;
}

/* ---- the state's own record ----
 *
 * What is in it when it was given back cannot be told from what came next. So debug mode has it look as if it were in
 * use: then records come from the pool, where they are kept. */

void thrum_scratch_hide(thrum_state *state)
{
    if (state->scratch_used)
        return; /* hidden, or somebody's still */
    state->checks->scratch_held = false;
    state->scratch_used = true;
}

void thrum_scratch_show(thrum_state *state)
{
    state->scratch_used = state->scratch_used && state->checks->scratch_held;
}

bool thrum_scratch_lend(thrum_state *state)
{
    if (!state->checks || state->checks->scratch_held)
        return false;
    state->checks->scratch_held = true;
    return true;
}

#endif
