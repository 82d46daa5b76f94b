#include "core/checks.h"

#include "core/contextvars.h"
#include "core/coroutines.h"
#include "core/details.h"
#include "core/panic.h"
#include "core/scheduler.h"

#if THRUM_CHECKS

bool (*thrum_stray_hook)(const thrum_core_report *report);

/* ---- where things were made ----
 *
 * A table by address, in which what comes later takes the place of what does not fit beside it: then one is not known.
 * Memory is used again and again, so a table of this size forgets little. */

enum { LOOKS_A_STEP = 1024 };

static made_entry *entry_of(thrum_checks *checks, const void *object)
{
    uint32_t hash = (uint32_t)((uintptr_t)object / 8) * UINT32_C(2654435769);
    return &checks->made[hash >> (32 - MADE_BITS)];
}

/* Whether a function is the library's own: its file lies beside this one's folder. */
static bool of_the_library(const thrum_function *function)
{
    static const char this_file[] = __FILE__;
    static const char *const folders[] = {"core/", "sync/", "loop/", "threads/", "net/", "os/"};
    const size_t prefix = sizeof this_file > sizeof "core/checks.c" ? sizeof this_file - sizeof "core/checks.c" : 0;
    const char *file = thrum_function_file(function);
    for (size_t i = 0; i < prefix; i++)
        if (file[i] != this_file[i])
            return false;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        size_t same = 0;
        while (folders[i][same] && file[prefix + same] == folders[i][same])
            same++;
        if (!folders[i][same])
            return true;
    }
    return false;
}

const thrum_function *thrum_users_function(const thrum_task *task, uint32_t *line)
{
    const thrum_coro *leaf = task ? task->leaf : NULL, *coro = leaf;
    while (coro && (coro->head.operations->start || of_the_library(function_of(coro))))
        coro = coro->caller;
    if (!coro)
        coro = leaf;
    *line = coro ? line_of(coro) : 0;
    return coro ? function_of(coro) : NULL;
}

/* Where the running code is. */
static const thrum_function *running_function(uint32_t *line)
{
    return thrum_users_function(thrum_state_here()->current, line);
}

void thrum_made_note(const void *object)
{
    thrum_checks *checks = thrum_state_here()->checks;
    if (!checks)
        return;
    made_entry *entry = entry_of(checks, object);
    entry->object = object;
    entry->in = running_function(&entry->line);
}

bool thrum_made_find(const void *object, const thrum_function **made_in, uint32_t *line)
{
    thrum_checks *checks = thrum_state_here()->checks;
    const made_entry *entry = checks ? entry_of(checks, object) : NULL;
    if (!entry || entry->object != object || !entry->in)
        return false;
    *made_in = entry->in;
    *line = entry->line;
    return true;
}

void thrum_made_note_task(thrum_task *task)
{
#if THRUM_DETAILS
    thrum_task_extension *extension = thrum_task_extend(task);
    if (extension)
        extension->made_in = running_function(&extension->made_line);
#else
    (void)task;
#endif
}

void thrum_made_find_task(const thrum_task *task, thrum_core_report *report)
{
#if THRUM_DETAILS
    if (extension_of(task)) {
        report->made_in = extension_of(task)->made_in;
        report->made_line = extension_of(task)->made_line;
    }
#else
    (void)task;
    (void)report;
#endif
}

/* ---- on and off ---- */

void thrum_checks_set(bool on)
{
    thrum_state *state = thrum_state_here();
    if (state->open == OPEN_NOT)
        return;
    if (!on)
        thrum_checks_end();
    set_open(state, on ? OPEN_DEBUG : OPEN_PLAIN);
    set_unusual(state, UNUSUAL_DEBUG, on);
    thrum_pool_slow_way(&state->pool, on);
#if THRUM_HOSTED
    if (on && !state->checks) {
        state->checks = (thrum_checks *)pool_take(&state->pool, sizeof *state->checks, POOL_OTHER);
        if (state->checks)
            memset(state->checks, 0, sizeof *state->checks);
#if CHECKS_KEEP
        if (state->checks)
            state->checks->scratch_held = state->scratch_used;
#endif
    }
#endif
}

void thrum_checks_end(void)
{
    thrum_state *state = thrum_state_here();
    set_unusual(state, UNUSUAL_DEBUG, false);
    thrum_pool_slow_way(&state->pool, false);
#if CHECKS_KEEP
    thrum_kept_give(state);
    if (state->checks)
        thrum_scratch_show(state);
#endif
    if (state->checks)
        pool_give(&state->pool, state->checks, sizeof *state->checks, POOL_OTHER);
    state->checks = NULL;
    state->stepping = NULL;
}

/* ---- whose it is ---- */

void thrum_check_tell(thrum_core_report *report)
{
    thrum_state *state = thrum_state_here();
    report->task = state->current;
    report->function = running_function(&report->line);
    if (state->report)
        state->report(report);
    else if (thrum_stray_hook)
        thrum_stray_hook(report);
}

static void tell(const char *message, const thrum_task *concerned)
{
    thrum_core_report report = {.message = message};
    if (thrum_state_here()->open == OPEN_NOT && !(thrum_stray_hook && thrum_stray_hook(NULL)))
        return; /* then what is another thread's is not looked at either */
    if (concerned) {
        thrum_made_find_task(concerned, &report);
        if (concerned->waiter.node.state == NODE_PARKED && concerned->operations)
            report.waits_in = thrum_users_function(concerned, &report.waits_line);
    }
    thrum_check_tell(&report);
}

bool thrum_check_task(const thrum_task *task, const char *what)
{
    if (thrum_pool_owns(&thrum_state_here()->pool, task))
        return true;
    tell(what, task);
    return false;
}

static bool is_in(const thrum_scope *list, const thrum_scope *scope)
{
    while (list && list != scope)
        list = list->outer;
    return list != NULL;
}

bool thrum_check_scope(const thrum_task *task, const thrum_scope *scope, const char *foreign, const char *moved)
{
    const thrum_state *state = thrum_state_here();
    if (!thrum_check_task(task, foreign))
        return false;
    /* Before its block begins and while it is left it stands in no list. */
    if (state->open != OPEN_DEBUG || !(scope->flags & SCOPE_OPEN) || is_in(task->scopes, scope))
        return true;
    for (const thrum_yields *yields = generators_open(thrum_state_here())->first; yields; yields = yields->next)
        if (is_in(yields->scopes, scope))
            return true;
    tell(moved, task);
    return false;
}

/* ---- blocks that were overwritten ----
 *
 * The list of a task's blocks goes through their memory, and so do the timers of limits and the children of groups.
 * Where that was overwritten nothing can go on, so the program ends before anybody follows what stands there. */

/* From the inside out the blocks belong to frames of their task, from the inside out. */
static bool blocks_are_sound(const thrum_task *task)
{
    const thrum_coro *coro = task->leaf;
    for (const thrum_scope *scope = task->scopes; scope; scope = scope->outer) {
        while (coro && coro != scope->owner)
            coro = coro->caller;
        if (!coro || !(scope->flags & SCOPE_OPEN))
            return false;
    }
    return true;
}

static void must_be_sound(thrum_task *task, void *count)
{
    uint32_t line;
    if (count)
        ++*(size_t *)count;
    if (blocks_are_sound(task))
        return;
    const thrum_function *function = thrum_users_function(task, &line);
    thrum_panic("the memory of an open block was overwritten", function ? function : thrum_task_function(task), line);
}

void thrum_check_blocks(thrum_task *stepped)
{
    thrum_checks *checks = thrum_state_here()->checks;
    if (stepped)
        must_be_sound(stepped, NULL);
    if (!checks || (++checks->steps < checks->tasks / LOOKS_A_STEP))
        return;
    checks->steps = checks->tasks = 0;
    thrum_core_each_task(must_be_sound, &checks->tasks);
}

static bool may_wake(const thrum_waiter *waiter)
{
    static const char foreign[] =
        "a task of another loop was woken in this thread: thrum_call_soon_threadsafe() is for "
        "that";
    if (waiter->node.flags & TASK_IS)
        return thrum_check_task((const thrum_task *)(const void *)waiter, foreign);
    return thrum_check_handle_mine((const thrum_handle *)(const void *)waiter);
}

bool thrum_check_waiters(const thrum_waiters *list)
{
    const thrum_waiter *waiter = list->first;
    if (waiter)
        do {
            if (!may_wake(waiter))
                return false;
            waiter = (const thrum_waiter *)(const void *)waiter->node.next;
        } while (waiter != list->first);
    return true;
}

bool thrum_check_wake(thrum_waiter *waiter)
{
    if (!may_wake(waiter))
        return false;
    if (thrum_state_here()->open != OPEN_NOT)
        return true;
    /* The loop is closed: nobody will run it. */
    if (!(waiter->node.flags & TASK_IS))
        waiter->node.state = NODE_IDLE;
    return false;
}

uint16_t thrum_check_mark(void)
{
    uint32_t hash = (uint32_t)((uintptr_t)thrum_state_here() / 64) * UINT32_C(2654435769);
    return (uint16_t)(hash >> 16 | 1);
}

bool thrum_check_handle_idle(const thrum_handle *handle)
{
    if (thrum_state_here()->open == OPEN_NOT) {
        tell("a call was queued in a thread without a loop: thrum_call_soon_threadsafe() is for that", NULL);
        return false;
    }
    if (handle->waiter.node.state != NODE_IDLE)
        thrum_check_handle_mine(handle);
    return true;
}

bool thrum_check_handle_mine(const thrum_handle *handle)
{
#if THRUM_CONTEXTS
    const thrum_node *node = &handle->waiter.node;
    if (node->flags & HANDLE_MARKED && node->count != thrum_check_mark()) {
        tell("a handle of another loop was used in this thread: thrum_call_soon_threadsafe() is for that", NULL);
        return false;
    }
#else
    (void)handle;
#endif
    return true;
}

void thrum_check_no_loop(void)
{
    tell("a task was started in a thread without a loop: thrum_call_soon_threadsafe() is for that", NULL);
}

#endif
