#include "core/details.h"

#include "core/contextvars.h"
#include "core/memory.h"
#include "core/scheduler.h"

#if THRUM_DETAILS

thrum_task_extension *thrum_task_extend(thrum_task *task)
{
    if (!task->extension) {
        thrum_task_extension *made =
            (thrum_task_extension *)pool_take(&thrum_state_here()->pool, sizeof *made, POOL_OTHER);
        if (!made)
            return NULL;
        memset(made, 0, sizeof *made);
        task->extension = made;
    }
    return task->extension;
}

static void detail_clear(thrum_error *error, int code)
{
    memset(error, 0, offsetof(thrum_error, trace));
    error->text[0] = '\0';
    error->code = (int32_t)code;
    error->references = 1;
}

static thrum_error *detail_new(int code)
{
    thrum_error *error = (thrum_error *)pool_take(&thrum_state_here()->pool, sizeof *error, POOL_OTHER);
    if (error)
        detail_clear(error, code);
    return error;
}

void thrum_detail_release(thrum_error *error)
{
    /* A group of groups is a tree; walk it with the list as the stack. */
    while (error) {
        if (error->references > 1) {
            error->references--;
            return;
        }
        thrum_error *rest = error->errors;
        while (rest) {
            thrum_error *next = rest->next;
            rest->next = NULL;
            thrum_detail_release(rest);
            rest = next;
        }
        pool_give(&thrum_state_here()->pool, error, sizeof *error, POOL_OTHER);
        return;
    }
}

static void forget(thrum_task *task)
{
    if (task->extension) {
        thrum_detail_release(task->extension->error);
        task->extension->error = NULL;
        task->extension->caught = false;
    }
}

void thrum_detail_caught(thrum_task *task, int error)
{
    const thrum_error *detail = task->extension->error;
    if (!detail || detail->code != error)
        return;
    if (task->extension->caught)
        forget(task); /* of one that was caught before; this one has none */
    else
        task->extension->caught = true;
}

/* The detail of the error that is in flight: the one at hand if it is of this code, unless somebody else sees it
 * too. */
static thrum_error *detail_own(thrum_task *task, int code)
{
    thrum_task_extension *extension = thrum_task_extend(task);
    if (!extension)
        return NULL;
    thrum_error *error;
    if (extension->caught)
        forget(task);
    error = extension->error;
    if (error && error->code == code && (error->references == 1 || error->errors))
        return error;
    thrum_error *own = detail_new(code);
    if (!own) {
        if (error && error->code != code)
            forget(task);
        return NULL;
    }
    if (error && error->code == code) {
        *own = *error;
        own->references = 1;
        own->next = NULL;
    }
    thrum_detail_release(error);
    extension->error = own;
    return own;
}

void thrum_detail_pass(thrum_task *task, int error, int before, const thrum_function *function, uint32_t line)
{
    if (error == THRUM_ECANCELED) {
        if (task->extension && task->extension->error && task->extension->error->code != error) {
            thrum_detail_release(task->extension->error);
            task->extension->error = NULL;
        }
        return; /* cancellations are many, and nobody asks where they passed */
    }
    thrum_error *detail = detail_own(task, error);
    if (!detail)
        return;
    if (before && !detail->context)
        detail->context = (int32_t)before;
    if (line && detail->depth < THRUM_TRACE_DEPTH) { /* the frame around what a task or a gather was given has none */
        detail->trace[detail->depth].function = function;
        detail->trace[detail->depth].line = (uint16_t)line;
        detail->depth++;
    }
}

void thrum_detail_canceled(thrum_task *task)
{
    const char *message = task->extension->message;
    task->extension->message = NULL;
    if (message) {
        thrum_task *current = thrum_state_here()->current;
        thrum_state_here()->current = task;
        thrum_error_set(THRUM_ECANCELED, 0, "cancel", 0, message);
        thrum_state_here()->current = current;
    }
}

void thrum_detail_context(thrum_task *task, int error, int before)
{
    thrum_error *detail = detail_own(task, error);
    if (detail && !detail->context)
        detail->context = (int32_t)before;
}

void thrum_detail_share(thrum_task *from, thrum_task *to)
{
    thrum_error *error = from->extension ? from->extension->error : NULL;
    if (!error || error->code != from->waiter.node.error || error->references == UINT16_MAX || !thrum_task_extend(to))
        return;
    error->references++;
    thrum_detail_give(to, error);
}

thrum_error *thrum_detail_keep(thrum_task *task)
{
    thrum_error *error = task->extension ? task->extension->error : NULL;
    if (!error || error->code != task->waiter.node.error || error->references == UINT16_MAX)
        return NULL;
    error->references++;
    return error;
}

thrum_error *thrum_detail_take(thrum_task *task, int error, bool make)
{
    thrum_error *detail = task->extension ? task->extension->error : NULL;
    if (detail && detail->code == error) {
        task->extension->error = NULL;
        return detail;
    }
    return make ? detail_new(error) : NULL;
}

void thrum_detail_give(thrum_task *task, thrum_error *error)
{
    if (!thrum_task_extend(task)) {
        thrum_detail_release(error);
        return;
    }
    thrum_detail_release(task->extension->error);
    task->extension->error = error;
    task->extension->caught = false;
}

typedef struct detail_held {
    struct detail_held *outer;
    const thrum_coro *frame;
    thrum_error *error;
} detail_held;

void thrum_detail_hold(thrum_task *task, const thrum_coro *frame, int error)
{
    thrum_task_extension *extension = task->extension;
    if (!extension->error || extension->error->code != error)
        return;
    detail_held *held = (detail_held *)pool_take(&thrum_state_here()->pool, sizeof *held, POOL_OTHER);
    if (!held)
        return;
    held->outer = extension->held;
    held->frame = frame;
    held->error = extension->error;
    held->error->references++;
    extension->held = held;
}

void thrum_detail_unhold(thrum_task *task, const thrum_coro *frame, int error)
{
    thrum_task_extension *extension = task->extension;
    detail_held *held = extension->held;
    /* Frames end inner to outer: only the innermost one that is held can be this frame's. */
    if (!held || held->frame != frame)
        return;
    extension->held = held->outer;
    if (error == held->error->code)
        thrum_detail_give(task, held->error);
    else
        thrum_detail_release(held->error);
    pool_give(&thrum_state_here()->pool, held, sizeof *held, POOL_OTHER);
}

void thrum_detail_shielded(thrum_task *task)
{
    if (thrum_task_extend(task))
        task->extension->shielded = true;
}

void thrum_detail_end(thrum_task *task)
{
    if (task->extension) {
        if (thrum_state_here()->stepping == task)
            thrum_state_here()->stepping = NULL;
        while (task->extension->held)
            thrum_detail_unhold(task, task->extension->held->frame, 0);
        thrum_detail_release(task->extension->error);
#if THRUM_CONTEXTS
        thrum_context_undress(task->extension);
#endif
        pool_give(&thrum_state_here()->pool, task->extension, sizeof *task->extension, POOL_OTHER);
        task->extension = NULL;
    }
}

static void fill(thrum_error *detail, int system, const char *operation, int64_t number, const char *text)
{
    detail->system = (int32_t)system;
    detail->operation = operation;
    detail->number = number;
    size_t length = 0;
    while (text && text[length] && length < THRUM_ERROR_TEXT - 1) {
        detail->text[length] = text[length];
        length++;
    }
    detail->text[length] = '\0';
}

int thrum_error_set(int code, int system, const char *operation, int64_t number, const char *text)
{
    not_for_interrupts();
    thrum_state *state = thrum_state_here();
    thrum_task *task = state->current;
    thrum_error *detail;
    if (!task && state->away) {
        detail_clear(state->away, code);
        fill(state->away, system, operation, number, text);
        return code;
    }
    if (!task || !thrum_task_extend(task) || !(detail = detail_new(code))) {
        if (task)
            forget(task); /* what is there tells of an earlier error */
        return code;
    }
    fill(detail, system, operation, number, text);
    thrum_detail_give(task, detail);
    return code;
}

const thrum_error *thrum_error_last(void)
{
    const thrum_task *task = thrum_state_here()->current;
    return task && task->extension ? task->extension->error : NULL;
}

const thrum_error *thrum_task_error(const thrum_task *task)
{
    return task->extension && task->extension->error && task->extension->error->code == task->waiter.node.error
               ? task->extension->error
               : NULL;
}

bool thrum_task_cancel_with(thrum_task *task, const char *message)
{
    if (message && !thrum_task_done(task)) {
        thrum_task_extension *extension = thrum_task_extend(task);
        if (extension)
            extension->message = message;
    }
    return thrum_task_cancel(task);
}

int thrum_task_set_name(thrum_task *task, const char *name)
{
    not_for_interrupts();
    thrum_task_extension *extension = thrum_task_extend(task);
    if (!extension)
        return THRUM_ENOMEM;
    extension->name = name;
    return 0;
}

static const char *given_name(const thrum_task *task)
{
    return task->extension ? task->extension->name : NULL;
}

#else

int thrum_error_set(int code, int system, const char *operation, int64_t number, const char *text)
{
    not_for_interrupts();
    (void)system, (void)operation, (void)number, (void)text;
    return code;
}

const thrum_error *thrum_error_last(void)
{
    return NULL;
}

const thrum_error *thrum_task_error(const thrum_task *task)
{
    (void)task;
    return NULL;
}

bool thrum_task_cancel_with(thrum_task *task, const char *message)
{
    (void)message;
    return thrum_task_cancel(task);
}

int thrum_task_set_name(thrum_task *task, const char *name)
{
    not_for_interrupts();
    (void)task, (void)name;
    return 0;
}

static const char *given_name(const thrum_task *task)
{
    (void)task;
    return NULL;
}

#endif

const char *thrum_task_name(const thrum_task *task)
{
    const char *name = given_name(task);
    return name ? name : thrum_function_name(thrum_task_function(task));
}

const char *thrum_function_name(const thrum_function *function)
{
    return function && function->operations.name ? function->operations.name : "?";
}

const char *thrum_function_file(const thrum_function *function)
{
    return function && function->file ? function->file : "?";
}
