/* Child processes as tasks see them: how they begin, are waited for, and end with their handle. */
#include "os/process.h"

#include <signal.h>
#include <string.h>

#include <thrum/async.h>

#include "core/checks.h"
#include "core/state.h"

/* ---- who uses a handle ---- */

void handle_enter(handle_user **users, handle_user *user)
{
    user->gone = false;
    user->next = *users;
    user->at = users;
    if (user->next)
        user->next->at = &user->next;
    *users = user;
}

void handle_leave(handle_user *user)
{
    if (!user->at)
        return;
    *user->at = user->next;
    if (user->next)
        user->next->at = user->at;
    user->at = NULL;
}

void handle_gone(handle_user **users)
{
    while (*users) {
        (*users)->gone = true;
        handle_leave(*users);
    }
}

/* ---- the end ---- */

static void wake_all(thrum_process *process, int error)
{
    thrum_waiter *waiter;
    while ((waiter = thrum_waiters_pop(&process->waiters)))
        thrum_wake(waiter, error, error ? 0 : (thrum_value)process->watch.returncode);
}

static void process_free(thrum_process *process)
{
    thrum_loop_forget(&process->closer);
    (void)thrum_handle_cancel(&process->farewell);
    pool_give(&thrum_state_here()->pool, process, sizeof *process, POOL_OTHER);
}

static void say_farewell(thrum_handle *handle)
{
    thrum_process *process = (thrum_process *)handle->context;
    exit_watch_end(&process->watch);
    process_free(process);
}

static void ended(exit_watch *watch)
{
    thrum_process *process = (thrum_process *)(void *)((char *)watch - offsetof(thrum_process, watch));
    if (process->released)
        (void)thrum_call_soon(&process->farewell);
    else
        wake_all(process, 0);
}

/* ---- waiting ---- */

static thrum_step wait_start(thrum_task *task, thrum_record *record)
{
    thrum_process *process = (thrum_process *)record->object;
    if (process->watch.over)
        return thrum_done(task, 0, (thrum_value)process->watch.returncode);
    thrum_waiters_add(&process->waiters, &task->waiter);
    return thrum_parked(task);
}

static thrum_cancel_result wait_cancel(thrum_task *task)
{
    if (!thrum_task_woken(task))
        thrum_waiters_remove(&((thrum_process *)task->object)->waiters, &task->waiter);
    return THRUM_DETACHED;
}

static const thrum_operations wait_operations = {wait_start, NULL, wait_cancel, NULL, "process", NULL};

thrum_awaitable thrum_process_wait(thrum_process *process)
{
    return thrum_awaitable_make(&wait_operations, process, 0, 0);
}

/* ---- the handle goes ---- */

static void release_streams(thrum_process *process)
{
    handle_gone(&process->users); /* first: who is woken looks */
    for (int i = 0; i < LAUNCH_STDIO; i++) {
        thrum_stream_release(process->streams[i]);
        process->streams[i] = NULL;
    }
}

/* One that runs stays until it has ended, which nobody has to wait for. */
static void let_go(thrum_process *process, bool detached)
{
    if (!process)
        return;
    release_streams(process);
    wake_all(process, THRUM_ECLOSED);
    process->released = true;
    process->detached = detached;
    if (!detached)
        (void)exit_watch_signal(&process->watch, SIGKILL);
    if (process->watch.over)
        say_farewell(&process->farewell);
}

void thrum_process_release(thrum_process *process)
{
    let_go(process, false);
}

void thrum_process_detach(thrum_process *process)
{
    let_go(process, true);
}

/* Streams that nobody has released close by themselves: they are younger than this, and come first. */
static void loop_closes(thrum_loop_closer *closer)
{
    thrum_process *process = (thrum_process *)(void *)((char *)closer - offsetof(thrum_process, closer));
    thrum_loop_remember(closer); /* process_free() takes it out */
    if (!process->released)
        loop_tell_unclosed("process", process);
    release_streams(process);
    if (process->watch.over) {
        if (!process->released)
            (void)exit_watch_signal(&process->watch, SIGKILL); /* what is left of a group */
        exit_watch_end(&process->watch);
    } else {
        exit_watch_leave(&process->watch, !process->detached);
    }
    thrum_handle_init(&process->farewell, say_farewell, process); /* queued nowhere any more */
    process_free(process);
}

/* ---- making one ---- */

static thrum_process *process_new(void)
{
    thrum_process *process = (thrum_process *)pool_take(&thrum_state_here()->pool, sizeof *process, POOL_OTHER);
    if (!process)
        return NULL;
    memset(process, 0, sizeof *process);
    process->watch.pidfd = -1;
    process->watch.ended = ended;
    process->closer.close = loop_closes;
    thrum_handle_init(&process->farewell, say_farewell, process);
    thrum_loop_remember(&process->closer);
    return process;
}

static int open_streams(thrum_process *process, launch *start)
{
    for (int i = 0; i < LAUNCH_STDIO; i++) {
        if (start->ours[i] < 0)
            continue;
        int error = thrum_stream_adopt_pipe(&process->streams[i], start->ours[i], start->options.stream);
        if (error)
            return error;
        start->ours[i] = -1;
    }
    return 0;
}

int process_open(thrum_process **made, const char *const *arguments, const thrum_subprocess_options *options)
{
    launch start;
    *made = NULL;
    int error = launch_open(&start, options, THRUM_STDIO_INHERIT);
    if (error)
        return error;
    thrum_process *process = process_new();
    error = process ? open_streams(process, &start) : THRUM_ENOMEM;
    if (!error)
        error = launch_run(&start, arguments, &process->watch);
    launch_drop(&start);
    if (error && process) {
        release_streams(process);
        process_free(process);
    }
    if (error)
        return error;
    thrum_made_note(process);
    *made = process;
    return 0;
}

static ASYNC(create, ARGS((launch_words *, command), (thrum_subprocess_options, options)),
             LOCALS(thrum_process *process; int error;), ON_DROP(launch_words_free(self->command);))
{
    ASYNC_BEGIN;
    self->error = self->command ? process_open(&self->process, self->command->words, &self->options) : THRUM_ENOMEM;
    if (self->error)
        ASYNC_RAISE(self->error);
    ASYNC_RETURN(self->process);
FINALLY:
    launch_words_free(self->command);
    ASYNC_END;
}

thrum_awaitable thrum_create_subprocess_exec(const char *const *arguments, const thrum_subprocess_options *options)
{
    thrum_subprocess_options all;
    if (!arguments || launch_options_copy(options, &all))
        return thrum_awaitable_failing(THRUM_EINVAL);
    return create(launch_words_copy(arguments), all);
}

thrum_awaitable thrum_create_subprocess_shell(const char *command, const thrum_subprocess_options *options)
{
    thrum_subprocess_options all;
    const char *words[LAUNCH_WORDS];
    if (!command || launch_options_copy(options, &all))
        return thrum_awaitable_failing(THRUM_EINVAL);
    launch_shell(command, &all, words);
    return create(launch_words_copy(words), all);
}

/* ---- what is known ---- */

thrum_stream *thrum_process_stdin(const thrum_process *process)
{
    return process->streams[0];
}

thrum_stream *thrum_process_stdout(const thrum_process *process)
{
    return process->streams[1];
}

thrum_stream *thrum_process_stderr(const thrum_process *process)
{
    return process->streams[2];
}

int thrum_process_pid(const thrum_process *process)
{
    return process->watch.pid;
}

int thrum_process_returncode(const thrum_process *process, int *returncode)
{
    if (!process->watch.over)
        return THRUM_EPENDING;
    if (returncode)
        *returncode = process->watch.returncode;
    return 0;
}
