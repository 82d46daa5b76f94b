/* Signals to a child, and ending it in steps. */
#include <errno.h>
#include <signal.h>

#include <thrum/async.h>
#include <thrum/timeouts.h>

#include "os/process.h"

int thrum_process_send_signal(thrum_process *process, int signal)
{
    return exit_watch_signal(&process->watch, signal);
}

int thrum_process_terminate(thrum_process *process)
{
    return exit_watch_signal(&process->watch, SIGTERM);
}

int thrum_process_kill(thrum_process *process)
{
    return exit_watch_signal(&process->watch, SIGKILL);
}

/* As it is done to one that may have ended. */
static int signal_anyway(thrum_process *process, int number)
{
    int error = exit_watch_signal(&process->watch, number);
    return error == -ESRCH ? 0 : error;
}

static ASYNC(stop, ARGS((thrum_process *, process), (thrum_time, grace)),
             LOCALS(handle_user user; int error; int64_t returncode;))
{
    ASYNC_BEGIN;
    if (!self->process)
        ASYNC_RETURN(0);
    handle_enter(&self->process->users, &self->user);
    self->error = signal_anyway(self->process, self->grace ? SIGTERM : SIGKILL);
    if (self->error)
        ASYNC_RAISE(self->error);
    if (self->grace) {
        AWAIT_CATCH_INTO(self->error, self->returncode, thrum_timeout(self->grace, thrum_process_wait(self->process)));
        if (self->error && self->error != THRUM_ETIMEDOUT)
            ASYNC_RAISE(self->error);
        if (self->user.gone)
            ASYNC_RAISE(THRUM_ECLOSED);
        self->error = signal_anyway(self->process, SIGKILL);
        if (self->error)
            ASYNC_RAISE(self->error);
    }
    AWAIT_INTO(self->returncode, thrum_process_wait(self->process));
    ASYNC_RETURN(self->returncode);
FINALLY:
    handle_leave(&self->user);
    ASYNC_END;
}

thrum_awaitable thrum_process_stop(thrum_process *process, thrum_time grace)
{
    return stop(process, grace);
}
