/* Errors that nobody awaits: to the exception handler, which unless set writes to the log. */
#include <stdatomic.h>
#include <stdlib.h>

#include "core/checks.h"
#include "core/contextvars.h"
#include "core/errors.h"
#include "core/panic.h"
#include "loop/log.h"
#include "loop/loop.h"
#include "loop/system.h"

#if THRUM_SMALL || !THRUM_REPORTS || !THRUM_ALLOCATORS
#error "THRUM_SMALL=1, THRUM_REPORTS=0 and THRUM_ALLOCATORS=0 are for firmware (THRUM_HOSTED=0)"
#endif

void thrum_loop_set_exception_handler(thrum_loop *loop, thrum_exception_handler *handler, void *context)
{
    loop->handler = handler;
    loop->handler_context = context;
}

thrum_exception_handler *thrum_loop_get_exception_handler(const thrum_loop *loop, void **context)
{
    if (context)
        *context = loop->handler_context;
    return loop->handler;
}

/* The handler sees the variables of what the report is about. */
static void call_handler(thrum_loop *loop, const thrum_report *report)
{
    context_entry entry;
    thrum_context_enter_of(loop->state, &entry, report->task, report->handle);
    loop->handler(loop, report, loop->handler_context);
    context_leave(loop->state, &entry);
}

void thrum_loop_call_exception_handler(thrum_loop *loop, const thrum_report *report)
{
    /* What goes wrong inside of the handler goes to the default one. */
    if (!loop->handler || loop->handling) {
        thrum_loop_default_exception_handler(loop, report);
        return;
    }
    loop->handling = true;
    call_handler(loop, report);
    loop->handling = false;
}

const char loop_deadlock[] = "deadlock: nothing is ready and no timer is set";

static void log_waits(const thrum_function *function, uint32_t line)
{
    thrum_log("  somebody waits in %s, %s:%u", thrum_function_name(function), thrum_function_file(function),
              (unsigned)line);
}

void thrum_loop_default_exception_handler(thrum_loop *loop, const thrum_report *report)
{
    const char *message = report->message ? report->message : "unhandled error";
    (void)loop;
    if (report->error)
        thrum_log_error(message, report->error, report->detail);
    else
        thrum_log("%s", message);
    if (report->message == loop_deadlock)
        thrum_log_tasks();
    if (report->made_in)
        thrum_log(report->made_line ? "  made in %s, after %s:%u" : "  made in %s, %s",
                  thrum_function_name(report->made_in), thrum_function_file(report->made_in),
                  (unsigned)report->made_line);
    if (report->waits_in)
        log_waits(report->waits_in, report->waits_line);
    if (report->task && thrum_task_name(report->task))
        thrum_log("  task: %s", thrum_task_name(report->task));
    if (report->task && !thrum_task_done(report->task))
        thrum_log_task(report->task);
    else if (report->function && (!report->detail || report->detail->depth == 0)) {
        if (report->line)
            thrum_log("  in %s, %s:%u", thrum_function_name(report->function), thrum_function_file(report->function),
                      (unsigned)report->line);
        else
            thrum_log("  of %s, %s", thrum_function_name(report->function), thrum_function_file(report->function));
    }
}

void loop_core_report(const thrum_core_report *core)
{
    thrum_loop *loop = loop_here();
    const thrum_report report = {
        .message = core->message,
        .error = core->error,
        .detail = core->task && core->error ? thrum_task_error(core->task) : NULL,
        .task = core->task,
        .function = core->function,
        .line = core->line,
        .made_in = core->made_in,
        .made_line = core->made_line,
        .waits_in = core->waits_in,
        .waits_line = core->waits_line,
    };
    if (loop)
        thrum_loop_call_exception_handler(loop, &report);
}

static void say_and_abort(const char *what, const thrum_function *function, uint32_t line)
{
    thrum_log("%s", what);
    if (function)
        thrum_log("  in %s, %s:%u", thrum_function_name(function), thrum_function_file(function), (unsigned)line);
    abort();
}

/* In threads without a loop misuse is told of while any loop is in debug mode. */
static atomic_int debugging;

void loop_count_debugging(bool more)
{
    atomic_fetch_add(&debugging, more ? 1 : -1);
}

#if THRUM_CHECKS
static bool stray(const thrum_core_report *core)
{
    if (!atomic_load(&debugging))
        return false;
    if (!core)
        return true;
    thrum_log("%s", core->message);
    if (core->made_in)
        thrum_log("  made in %s, after %s:%u", thrum_function_name(core->made_in), thrum_function_file(core->made_in),
                  (unsigned)core->made_line);
    if (core->waits_in)
        log_waits(core->waits_in, core->waits_line);
    return true;
}
#endif

void loop_tell_unclosed(const char *what, const void *object)
{
    const thrum_loop *loop = loop_here();
    const thrum_function *made_in;
    uint32_t line;
    if (!loop || !loop->debug)
        return;
    if (thrum_made_find(object, &made_in, &line))
        thrum_log("unclosed %s, made in %s, after %s:%u", what, thrum_function_name(made_in),
                  thrum_function_file(made_in), (unsigned)line);
    else
        thrum_log("unclosed %s", what);
}

static void log_line(const char *line)
{
    thrum_log("%s", line);
}

/* Before anything runs, so that error codes have their names also where there is no loop yet. */
__attribute__((constructor)) static void set_hooks(void)
{
    thrum_system_error_hook = system_error;
    thrum_panic_hook = say_and_abort;
    thrum_line_hook = log_line;
#if THRUM_CHECKS
    thrum_stray_hook = stray;
#endif
}
