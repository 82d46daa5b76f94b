/* Debug mode comes and goes. In it, and under a watchdog, the steps of a pass are run one by one and measured; one that
 * keeps the loop too long is named, as is a poller that comes back late. */
#include <stdlib.h>

#include "core/checks.h"
#include "core/coroutines.h"
#include "core/details.h"
#include "loop/log.h"
#include "loop/loop.h"

void thrum_loop_set_slow_callback_duration(thrum_loop *loop, thrum_time duration)
{
    loop->slow = duration;
}

thrum_time thrum_loop_slow_callback_duration(const thrum_loop *loop)
{
    return loop->slow;
}

bool loop_debug_wanted(void)
{
    const char *wanted = getenv("THRUM_DEBUG");
    return wanted && *wanted && !(wanted[0] == '0' && !wanted[1]);
}

void thrum_loop_set_debug(thrum_loop *loop, bool debug)
{
    if (loop != loop_here()) {
        thrum_log("thrum_loop_set_debug() in another thread: thrum_call_soon_threadsafe() is for that");
        return;
    }
    if (debug != loop->debug)
        loop_count_debugging(debug);
    loop->debug = debug;
    thrum_checks_set(debug);
}

bool thrum_loop_get_debug(const thrum_loop *loop)
{
    return loop->debug;
}

static unsigned in_milliseconds(thrum_time ticks)
{
    return (unsigned)(ticks / (THRUM_TICKS_PER_SECOND / 1000));
}

static void tell(thrum_time took, const thrum_function *function, uint32_t line)
{
    if (!function)
        thrum_log("a call ran %u ms", in_milliseconds(took));
    else if (line)
        thrum_log("%s, %s:%u, ran %u ms without awaiting", thrum_function_name(function), thrum_function_file(function),
                  (unsigned)line, in_milliseconds(took));
    else
        thrum_log("%s, %s, ran %u ms without awaiting, from its beginning", thrum_function_name(function),
                  thrum_function_file(function), in_milliseconds(took));
}

int loop_wait_watched(thrum_loop *loop, thrum_time until)
{
    thrum_time asked = loop->verbs.now(loop_own(loop));
    int error = loop->verbs.wait(loop_own(loop), until, &loop->woke);
    /* What was asked for when it was past already should have come back at once. */
    thrum_time late = loop->verbs.now(loop_own(loop)) - (until > asked ? until : asked);
    if (!loop->verbs.drives && until != THRUM_NEVER && late >= loop->slow)
        thrum_log("waiting for descriptors took %u ms longer than asked for", in_milliseconds(late));
    return error;
}

#if THRUM_DETAILS

/* Whether the task can be told of after its step. */
static bool watched(thrum_task *task)
{
    return thrum_task_extend(task) != NULL;
}

/* How long it has waited is counted from here; 0 stands for what is not known. */
static void note_since(thrum_loop *loop, thrum_task *task)
{
    uint8_t stands = task->waiter.node.state;
    if (extension_of(task) && (stands == NODE_PARKED || stands == NODE_TIMED))
        extension_of(task)->since = loop->state->now ? loop->state->now : 1;
}

#else

static bool watched(thrum_task *task)
{
    (void)task;
    return false;
}

static void note_since(thrum_loop *loop, thrum_task *task)
{
    (void)loop, (void)task;
}

#endif

static void begin(loop_watchdog *watchdog, const thrum_node *node)
{
    if (!watchdog)
        return;
    if (node->flags & TASK_IS)
        watchdog_begin(watchdog, ((const thrum_task *)(const void *)node)->leaf, 0);
    else
        watchdog_begin(watchdog, NULL, (uintptr_t)((const thrum_handle *)(const void *)node)->call);
}

/* The one that is ready. In debug mode no call nests in another, and the state's own record is nobody's, so that each
 * is seen (core/checks_used.c). */
static void run_one(thrum_state *state, bool debug)
{
#if CHECKS_KEEP
    if (debug && state->checks)
        thrum_scratch_hide(state);
#endif
#if THRUM_NESTED_CALLS
    int32_t nests = state->nests;
    if (debug)
        state->nests = 0;
#endif
    thrum_core_batch(1);
#if THRUM_NESTED_CALLS
    state->nests = nests;
#endif
    (void)state, (void)debug;
}

void loop_run_watched(thrum_loop *loop, thrum_time now)
{
    thrum_state *state = loop->state;
    thrum_node batch, next;
    list_init(&batch);
    list_init(&next);
    state->now = now;
    collect_due(state, now);
    list_splice(&batch, state->ready);
    loop->monitor.apart[0] = &batch;
    loop->monitor.apart[1] = &next;
    while (!list_empty(&batch)) {
        thrum_node *node = batch.next;
        const thrum_function *function = NULL;
        uint32_t line = 0;
        uint8_t what = node->state;
        state->stepping = NULL;
        if (node->flags & TASK_IS && task_of(node)->leaf) {
            /* The task may be gone after the step, of which `stepping` tells, where it has an extension. */
            const thrum_coro *leaf = task_of(node)->leaf;
            function = function_of(leaf);
            line = line_of(leaf);
            if (loop->debug && watched(task_of(node)))
                state->stepping = task_of(node);
        }
        list_remove(node);
        list_append(state->ready, node);
        begin(loop->watchdog, node);
        run_one(state, loop->debug);
        bool told = loop->watchdog && watchdog_end(loop->watchdog);
        list_splice(&next, state->ready);
        if (loop->debug)
            thrum_check_blocks(state->stepping);
        if (state->stepping)
            note_since(loop, state->stepping);
        thrum_time then = loop->verbs.now(loop_own(loop));
        if (what != NODE_DUE)
            histogram_add(&loop->monitor.steps, then - now);
        if (loop->debug && then - now >= loop->slow)
            tell(then - now, function, line);
        else if (told && then != now) /* virtual time stands still */
            watchdog_tell_end(loop->watchdog, then - now);
        now = then;
    }
    state->stepping = NULL;
    loop->monitor.apart[0] = loop->monitor.apart[1] = NULL;
    list_splice(state->ready, &next);
}
