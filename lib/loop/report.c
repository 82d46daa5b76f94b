/* Errors that nobody awaits: to the exception handler, which unless set writes to the log. */
#include <stdlib.h>

#include "core/errors.h"
#include "core/panic.h"
#include "loop/log.h"
#include "loop/loop.h"

void thrum_loop_set_exception_handler(thrum_loop *loop, thrum_exception_handler *handler, void *context)
{
    loop->handler = handler;
    loop->handler_context = context;
}

void thrum_loop_call_exception_handler(thrum_loop *loop, const thrum_report *report)
{
    /* What goes wrong inside of the handler goes to the default one. */
    if (!loop->handler || loop->handling) {
        thrum_loop_default_exception_handler(loop, report);
        return;
    }
    loop->handling = true;
    loop->handler(loop, report, loop->handler_context);
    loop->handling = false;
}

void thrum_loop_default_exception_handler(thrum_loop *loop, const thrum_report *report)
{
    const char *message = report->message ? report->message : "unhandled error";
    (void)loop;
    if (report->error)
        thrum_log_error(message, report->error, report->detail);
    else
        thrum_log("%s", message);
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

/* Before anything runs, so that error codes have their names also where there is no loop yet. */
__attribute__((constructor)) static void set_hooks(void)
{
    thrum_system_error_hook = loop_system_error;
    thrum_panic_hook = say_and_abort;
}
