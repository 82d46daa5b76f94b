/* Debug mode: the steps of a pass are run one by one, and one that keeps the loop too long is named. */
#include "core/coroutines.h"
#include "loop/log.h"
#include "loop/loop.h"

/* asyncio: loop.slow_callback_duration */
static const thrum_time SLOW = THRUM_TICKS_PER_SECOND / 10;

static void tell(thrum_time took, const thrum_function *function, uint32_t line)
{
    unsigned milliseconds = (unsigned)(took / (THRUM_TICKS_PER_SECOND / 1000));
    if (!function)
        thrum_log("a call took %u ms", milliseconds);
    else if (line)
        thrum_log("a step of %s took %u ms, from %s:%u on", thrum_function_name(function), milliseconds,
                  thrum_function_file(function), (unsigned)line);
    else
        thrum_log("the first step of %s, %s, took %u ms", thrum_function_name(function), thrum_function_file(function),
                  milliseconds);
}

void loop_run_watched(thrum_loop *loop, thrum_time now)
{
    thrum_state *state = loop->state;
    thrum_node batch, next;
    list_init(&batch);
    list_init(&next);
    state->now = now;
    thrum_timers_collect(state, now);
    list_splice(&batch, &state->ready);
    while (!list_empty(&batch)) {
        thrum_node *node = batch.next;
        const thrum_function *function = NULL;
        uint32_t line = 0;
        if (node->flags & TASK_IS && task_of(node)->leaf) {
            /* The task may be gone after the step. */
            const thrum_coro *leaf = task_of(node)->leaf;
            function = function_of(leaf);
            line = line_of(leaf);
        }
        list_remove(node);
        list_append(&state->ready, node);
        thrum_core_batch(1);
        list_splice(&next, &state->ready);
        thrum_time then = loop->backend->now(loop);
        if (then - now >= SLOW)
            tell(then - now, function, line);
        now = then;
    }
    list_splice(&state->ready, &next);
}
