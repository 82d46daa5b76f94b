#include "loop/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <thrum/events.h>

#include "core/coroutines.h"
#include "core/panic.h"
#include "core/scheduler.h"

enum { LINE_SIZE = 512 };

static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static thrum_log_function *hook;
static void *hook_context;

void thrum_log_fork(bool before)
{
    if (before)
        pthread_mutex_lock(&guard);
    else
        pthread_mutex_unlock(&guard);
}

void thrum_log_set(thrum_log_function *log, void *context)
{
    pthread_mutex_lock(&guard);
    hook = log;
    hook_context = context;
    pthread_mutex_unlock(&guard);
}

void thrum_log(const char *format, ...)
{
    char line[LINE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    pthread_mutex_lock(&guard);
    thrum_log_function *log = hook;
    void *context = hook_context;
    pthread_mutex_unlock(&guard);
    if (log)
        log(context, line);
    else
        fprintf(stderr, "%s\n", line);
}

/* The system's text for an errno; both kinds of strerror_r are about. */
static const char *system_text(int number, char *buffer, size_t size)
{
#if defined(__GLIBC__) && defined(_GNU_SOURCE)
    return strerror_r(number, buffer, size);
#else
    return strerror_r(number, buffer, size) == 0 ? buffer : "?";
#endif
}

/* The application's own errors have a number instead of a name. */
static const char *label(int code, char *buffer, size_t size)
{
    if (code > THRUM_EAPP_ || code < THRUM_EAPP_LAST_)
        return thrum_error_name(code);
    snprintf(buffer, size, "EAPP(%d)", THRUM_EAPP_ - code);
    return buffer;
}

static void log_detail(const thrum_error *detail, const char *indent)
{
    char system[128] = "", number[32] = "", buffer[96];
    if (detail->system && -detail->system != detail->code)
        snprintf(system, sizeof system, " (%s)", system_text(detail->system, buffer, sizeof buffer));
    if (detail->number)
        snprintf(number, sizeof number, " [%lld]", (long long)detail->number);
    if (detail->operation || detail->text[0] || *system || *number)
        thrum_log("%s  %s%s%s%s%s", indent, detail->operation ? detail->operation : "",
                  detail->operation && detail->text[0] ? ": " : "", detail->text, system, number);
    if (detail->context)
        thrum_log("%s  while handling %s: %s", indent, label((int)detail->context, buffer, sizeof buffer),
                  thrum_error_text((int)detail->context));
    for (unsigned i = 0; i < detail->depth && i < THRUM_TRACE_DEPTH; i++)
        thrum_log("%s  in %s, %s:%u", indent, thrum_function_name(detail->trace[i].function),
                  thrum_function_file(detail->trace[i].function), (unsigned)detail->trace[i].line);
}

/* The errors of a group, and of groups in it, each further in. */
static void log_group(const thrum_error *errors, unsigned depth)
{
    static const char spaces[] = "                ";
    char buffer[32];
    if (depth * 2 >= sizeof spaces)
        return;
    const char *indent = spaces + sizeof spaces - 1 - (size_t)depth * 2;
    for (const thrum_error *error = errors; error; error = error->next) {
        thrum_log("%s- %s: %s", indent, label((int)error->code, buffer, sizeof buffer),
                  thrum_error_text((int)error->code));
        log_detail(error, indent);
        log_group(error->errors, depth + 1);
    }
}

void thrum_log_error(const char *what, int code, const thrum_error *detail)
{
    char buffer[32];
    thrum_log("%s%s%s: %s", what, *what ? ": " : "", label(code, buffer, sizeof buffer), thrum_error_text(code));
    if (detail) {
        log_detail(detail, "");
        log_group(detail->errors, 1);
    }
}

void thrum_log_task(const thrum_task *task)
{
    if (task->operations)
        thrum_log("  waits for: %s", task->operations->name ? task->operations->name : "?");
    for (const thrum_coro *coro = task->leaf; coro; coro = coro->caller) {
        const thrum_function *function = function_of(coro);
        if (coro->head.operations->start)
            thrum_log("  in %s", coro->head.operations->name);
        else if (line_of(coro))
            thrum_log("  in %s, %s:%u", thrum_function_name(function), thrum_function_file(function),
                      (unsigned)line_of(coro));
        else
            thrum_log("  in %s, %s, %s", thrum_function_name(function), thrum_function_file(function),
                      task == thrum_state_here()->current ? "before its first await" : "which has not begun");
    }
}

static void list_task(thrum_task *task, void *context)
{
    (void)context;
    thrum_log("* task %s", thrum_task_name(task) ? thrum_task_name(task) : "");
    thrum_log_task(task);
}

/* A list where the code for graphs is left out, or has no memory. */
void thrum_log_tasks(void)
{
    if (!thrum_tree_hook || thrum_tree_hook(NULL, NULL))
        thrum_core_each_task(list_task, NULL);
}
