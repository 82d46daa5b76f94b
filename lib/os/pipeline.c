/* Processes that are piped together: each is an ordinary one, and what lies between two of them is a pipe that only
 * they have. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <thrum/async.h>
#include <thrum/pipelines.h>
#include <thrum/timeouts.h>

#include "core/pool.h"
#include "core/state.h"
#include "os/process.h"

struct thrum_pipeline {
    size_t count, room;
    handle_user *users;
    thrum_process *processes[];
};

static size_t size_of(size_t room)
{
    return sizeof(thrum_pipeline) + room * sizeof(thrum_process *);
}

/* ---- making one ---- */

/* What is to be different from what the commands say. */
typedef struct ends {
    thrum_stdio_kind in, out; /* for those that are left at their default */
} ends;

static bool inner_default(const thrum_stdio *one)
{
    return one->kind == THRUM_STDIO_DEFAULT;
}

static bool may_join(const thrum_subprocess_options *options)
{
    return !options->process_group && !options->new_process_group && !options->new_session;
}

/* The options of one of them; `from` is what the one before writes to, `to` what it writes to itself, or -1. */
static int options_of(const thrum_pipeline_command *command, const ends *outer, int from, int to,
                      thrum_subprocess_options *options)
{
    if (launch_options_copy(command->options, options) || !command->arguments == !command->command ||
        (from >= 0 && !inner_default(&options->in)) || (to >= 0 && !inner_default(&options->out)))
        return THRUM_EINVAL;
    if (from >= 0)
        options->in = (thrum_stdio){THRUM_STDIO_DESCRIPTOR, from};
    else if (inner_default(&options->in))
        options->in.kind = outer->in;
    if (to >= 0)
        options->out = (thrum_stdio){THRUM_STDIO_DESCRIPTOR, to};
    else if (inner_default(&options->out))
        options->out.kind = outer->out;
    return 0;
}

/* It can be joined as long as nobody took the first one's status, which happens in the loop. */
static void join_group(const thrum_pipeline *self, const thrum_pipeline_command *first,
                       thrum_subprocess_options *options)
{
    thrum_subprocess_options leader;
    if (self->count && !launch_options_copy(first->options, &leader) && leader.new_process_group &&
        !leader.new_session && may_join(options))
        options->process_group = self->processes[0]->watch.pid;
}

static int add(thrum_pipeline *self, const thrum_pipeline_command *commands, const ends *outer, int from, int to)
{
    const thrum_pipeline_command *command = &commands[self->count];
    thrum_subprocess_options options;
    const char *words[LAUNCH_WORDS];
    const char *const *arguments = command->arguments;
    int error = options_of(command, outer, from, to, &options);
    if (error)
        return error;
    join_group(self, commands, &options);
    if (!arguments) {
        launch_shell(command->command, &options, words);
        arguments = words;
    }
    error = process_open(&self->processes[self->count], arguments, &options);
    if (!error)
        self->count++;
    return error;
}

static void shut(int *descriptor)
{
    if (*descriptor >= 0)
        (void)close(*descriptor);
    *descriptor = -1;
}

/* Start all of them; when one cannot be started, those before it are in `self` still. */
static int add_all(thrum_pipeline *self, const thrum_pipeline_command *commands, const ends *outer)
{
    int from = -1, pipe[2] = {-1, -1}, error = 0;
    while (!error && self->count < self->room) {
        if (self->count + 1 < self->room)
            error = spawn_pipe(pipe);
        if (error)
            error = thrum_error_set(error, -error, "pipe", 0, NULL);
        else
            error = add(self, commands, outer, from, pipe[1]);
        shut(&from);
        shut(&pipe[1]);
        from = pipe[0];
        pipe[0] = -1;
    }
    shut(&from);
    return error;
}

static int pipeline_open(thrum_pipeline **made, const thrum_pipeline_command *commands, size_t count, const ends *outer)
{
    *made = NULL;
    if (!commands || !count)
        return THRUM_EINVAL;
    thrum_pipeline *self = (thrum_pipeline *)pool_take(&thrum_state_here()->pool, size_of(count), POOL_OTHER);
    if (!self)
        return THRUM_ENOMEM;
    memset(self, 0, size_of(count));
    self->room = count;
    int error = add_all(self, commands, outer);
    if (error)
        thrum_pipeline_release(self);
    else
        *made = self;
    return error;
}

static ASYNC(create_all, ARGS((const thrum_pipeline_command *, commands), (size_t, count)),
             LOCALS(thrum_pipeline *pipeline; int error;))
{
    static const ends usual = {THRUM_STDIO_DEFAULT, THRUM_STDIO_DEFAULT};
    ASYNC_BEGIN;
    self->error = pipeline_open(&self->pipeline, self->commands, self->count, &usual);
    if (self->error)
        ASYNC_RAISE(self->error);
    ASYNC_RETURN(self->pipeline);
    ASYNC_END;
}

thrum_awaitable thrum_create_pipeline(const thrum_pipeline_command *commands, size_t count)
{
    return create_all(commands, count);
}

void thrum_pipeline_release(thrum_pipeline *pipeline)
{
    if (!pipeline)
        return;
    handle_gone(&pipeline->users);
    for (size_t i = 0; i < pipeline->count; i++)
        thrum_process_release(pipeline->processes[i]);
    pool_give(&thrum_state_here()->pool, pipeline, size_of(pipeline->room), POOL_OTHER);
}

/* ---- what is known of it ---- */

size_t thrum_pipeline_count(const thrum_pipeline *pipeline)
{
    return pipeline->count;
}

thrum_process *thrum_pipeline_process(const thrum_pipeline *pipeline, size_t number)
{
    return number < pipeline->count ? pipeline->processes[number] : NULL;
}

static thrum_process *last_of(const thrum_pipeline *pipeline)
{
    return pipeline->processes[pipeline->count - 1];
}

thrum_stream *thrum_pipeline_stdin(const thrum_pipeline *pipeline)
{
    return thrum_process_stdin(pipeline->processes[0]);
}

thrum_stream *thrum_pipeline_stdout(const thrum_pipeline *pipeline)
{
    return thrum_process_stdout(last_of(pipeline));
}

/* ---- waiting and ending ---- */

static ASYNC(wait_all, ARGS((thrum_pipeline *, pipeline)), LOCALS(handle_user user; size_t i; int code, result;))
{
    ASYNC_BEGIN;
    handle_enter(&self->pipeline->users, &self->user);
    for (self->i = 0; self->i < self->pipeline->count; self->i++) {
        AWAIT_INTO(self->code, thrum_process_wait(self->pipeline->processes[self->i]));
        if (self->user.gone)
            ASYNC_RAISE(THRUM_ECLOSED);
        if (self->code)
            self->result = self->code;
    }
    ASYNC_RETURN(self->result);
FINALLY:
    handle_leave(&self->user);
    ASYNC_END;
}

thrum_awaitable thrum_pipeline_wait(thrum_pipeline *pipeline)
{
    return wait_all(pipeline);
}

static ASYNC(communicate_all,
             ARGS((thrum_pipeline *, pipeline), (const void *, input), (size_t, size),
                  (thrum_process_output *, output)),
             LOCALS(handle_user user; int code;))
{
    ASYNC_BEGIN;
    handle_enter(&self->pipeline->users, &self->user);
    AWAIT(communicate_streams(&self->user, self->pipeline->processes[0], last_of(self->pipeline), self->input,
                              self->size, self->output));
    if (self->user.gone)
        ASYNC_RAISE(THRUM_ECLOSED);
    AWAIT_INTO(self->code, thrum_pipeline_wait(self->pipeline));
    ASYNC_RETURN(self->code);
FINALLY:
    handle_leave(&self->user);
    ASYNC_END;
}

thrum_awaitable thrum_pipeline_communicate(thrum_pipeline *pipeline, const void *input, size_t size,
                                           thrum_process_output *output)
{
    if (!pipeline || !output || (size && !input))
        return thrum_awaitable_failing(THRUM_EINVAL);
    return communicate_all(pipeline, input, size, output);
}

int thrum_pipeline_send_signal(thrum_pipeline *pipeline, int signal)
{
    int result = -ESRCH;
    for (size_t i = 0; i < pipeline->count; i++) {
        int error = thrum_process_send_signal(pipeline->processes[i], signal);
        if (error != -ESRCH && (result == -ESRCH || !result))
            result = error;
    }
    return result;
}

static int signal_all(thrum_pipeline *pipeline, int signal)
{
    int error = thrum_pipeline_send_signal(pipeline, signal);
    return error == -ESRCH ? 0 : error;
}

static ASYNC(stop_all, ARGS((thrum_pipeline *, pipeline), (thrum_time, grace)),
             LOCALS(handle_user user; int error, code;))
{
    ASYNC_BEGIN;
    if (!self->pipeline)
        ASYNC_RETURN(0);
    handle_enter(&self->pipeline->users, &self->user);
    self->error = signal_all(self->pipeline, self->grace ? SIGTERM : SIGKILL);
    if (self->error)
        ASYNC_RAISE(self->error);
    if (self->grace) {
        AWAIT_CATCH(self->error, thrum_timeout(self->grace, thrum_pipeline_wait(self->pipeline)));
        if (self->error && self->error != THRUM_ETIMEDOUT)
            ASYNC_RAISE(self->error);
        if (self->user.gone)
            ASYNC_RAISE(THRUM_ECLOSED);
        self->error = signal_all(self->pipeline, SIGKILL);
        if (self->error)
            ASYNC_RAISE(self->error);
    }
    AWAIT_INTO(self->code, thrum_pipeline_wait(self->pipeline));
    ASYNC_RETURN(self->code);
FINALLY:
    handle_leave(&self->user);
    ASYNC_END;
}

thrum_awaitable thrum_pipeline_stop(thrum_pipeline *pipeline, thrum_time grace)
{
    return stop_all(pipeline, grace);
}

/* ---- from beginning to end ---- */

/* However it ends, all of them have ended then. */
static ASYNC(see_through,
             ARGS((thrum_pipeline *, pipeline), (const void *, input), (size_t, size),
                  (thrum_process_output *, output)),
             LOCALS(int code; size_t i;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->code, thrum_pipeline_communicate(self->pipeline, self->input, self->size, self->output));
    ASYNC_RETURN(self->code);
FINALLY:
    (void)signal_all(self->pipeline, SIGKILL);
    for (self->i = 0; self->i < self->pipeline->count; self->i++)
        AWAIT(thrum_process_wait(self->pipeline->processes[self->i])); /* takes no memory */
    ASYNC_END;
}

static ASYNC(run_all,
             ARGS((const thrum_pipeline_command *, commands), (size_t, count), (const void *, input), (size_t, size),
                  (thrum_process_output *, output)),
             LOCALS(thrum_pipeline *pipeline; thrum_process_output nothing; int error, code;))
{
    ends outer;
    ASYNC_BEGIN;
    outer.in = self->input ? THRUM_STDIO_PIPE : THRUM_STDIO_DEFAULT;
    outer.out = self->output ? THRUM_STDIO_PIPE : THRUM_STDIO_DEFAULT;
    self->error = pipeline_open(&self->pipeline, self->commands, self->count, &outer);
    if (self->error)
        ASYNC_RAISE(self->error);
    AWAIT_INTO(self->code,
               see_through(self->pipeline, self->input, self->size, self->output ? self->output : &self->nothing));
    ASYNC_RETURN(self->code);
FINALLY:
    thrum_pipeline_release(self->pipeline);
    thrum_process_output_free(&self->nothing);
    ASYNC_END;
}

/* A pipe that nobody has a handle to read from: its program would stand still when it is full. */
static bool unread(const thrum_pipeline_command *commands, size_t count)
{
    thrum_subprocess_options options;
    for (size_t i = 0; commands && i + 1 < count; i++)
        if (!launch_options_copy(commands[i].options, &options) && options.err.kind == THRUM_STDIO_PIPE)
            return true;
    return false;
}

thrum_awaitable thrum_run_pipeline(const thrum_pipeline_command *commands, size_t count, const void *input, size_t size,
                                   thrum_process_output *output)
{
    if ((size && !input) || unread(commands, count))
        return thrum_awaitable_failing(THRUM_EINVAL);
    return run_all(commands, count, input, size, output);
}
