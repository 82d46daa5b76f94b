/* Child processes with protocols: how they are made, and what is known of them. */
#include <signal.h>

#include <thrum/async.h>

#include "os/subprocess_transport.h"

/* `start` is open. Pipes are connected one after the other: each needs a pass. */
static ASYNC(connect_pipes, ARGS((thrum_subprocess_transport *, transport), (launch *, start)),
             LOCALS(int i, descriptor;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < LAUNCH_STDIO; self->i++) {
        self->descriptor = self->start->ours[self->i];
        if (self->descriptor < 0)
            continue;
        self->start->ours[self->i] = -1;
        AWAIT_INTO(self->transport->pipes[self->i].transport,
                   (self->i ? thrum_connect_read_pipe : thrum_connect_write_pipe)(
                       subprocess_pipe_factory, &self->transport->pipes[self->i], self->descriptor));
    }
    ASYNC_END;
}

static ASYNC(open_transport,
             ARGS((thrum_subprocess_protocol_factory *, factory), (void *, context), (launch_words *, command),
                  (thrum_subprocess_options, options)),
             LOCALS(thrum_subprocess_transport *transport; launch start; bool runs, left; int error;),
             ON_DROP(launch_words_free(self->command);))
{
    ASYNC_BEGIN;
    self->error = self->command ? launch_open(&self->start, &self->options, THRUM_STDIO_PIPE) : THRUM_ENOMEM;
    if (self->error)
        ASYNC_RAISE(self->error);
    self->runs = true;
    self->transport = subprocess_transport_new();
    self->error =
        self->transport ? launch_run(&self->start, self->command->words, &self->transport->watch) : THRUM_ENOMEM;
    if (self->error)
        ASYNC_RAISE(self->error);
    AWAIT(connect_pipes(self->transport, &self->start));
    self->error = subprocess_transport_begin(self->transport, self->factory, self->context);
    if (self->error)
        ASYNC_RAISE(self->error);
    self->left = true;
    ASYNC_RETURN(thrum_subprocess_transport_hold(self->transport));
FINALLY:
    launch_words_free(self->command);
    if (self->runs)
        launch_drop(&self->start);
    if (self->transport && !self->left)
        subprocess_transport_abandon(self->transport);
    ASYNC_END;
}

thrum_awaitable thrum_subprocess_exec(thrum_subprocess_protocol_factory *factory, void *context,
                                      const char *const *arguments, const thrum_subprocess_options *options)
{
    thrum_subprocess_options all;
    if (!factory || !arguments || launch_options_copy(options, &all))
        return thrum_awaitable_failing(THRUM_EINVAL);
    return open_transport(factory, context, launch_words_copy(arguments), all);
}

thrum_awaitable thrum_subprocess_shell(thrum_subprocess_protocol_factory *factory, void *context, const char *command,
                                       const thrum_subprocess_options *options)
{
    thrum_subprocess_options all;
    const char *words[LAUNCH_WORDS];
    if (!factory || !command || launch_options_copy(options, &all))
        return thrum_awaitable_failing(THRUM_EINVAL);
    launch_shell(command, &all, words);
    return open_transport(factory, context, launch_words_copy(words), all);
}

/* ---- what is known, and signals ---- */

int thrum_subprocess_transport_get_pid(const thrum_subprocess_transport *transport)
{
    return transport->watch.pid;
}

int thrum_subprocess_transport_get_returncode(const thrum_subprocess_transport *transport, int *returncode)
{
    if (!transport->watch.over)
        return THRUM_EPENDING;
    if (returncode)
        *returncode = transport->watch.returncode;
    return 0;
}

thrum_transport *thrum_subprocess_transport_get_pipe_transport(const thrum_subprocess_transport *transport,
                                                               int descriptor)
{
    return descriptor >= 0 && descriptor < LAUNCH_STDIO ? transport->pipes[descriptor].transport : NULL;
}

int thrum_subprocess_transport_send_signal(thrum_subprocess_transport *transport, int signal)
{
    return exit_watch_signal(&transport->watch, signal);
}

int thrum_subprocess_transport_terminate(thrum_subprocess_transport *transport)
{
    return exit_watch_signal(&transport->watch, SIGTERM);
}

int thrum_subprocess_transport_kill(thrum_subprocess_transport *transport)
{
    return exit_watch_signal(&transport->watch, SIGKILL);
}
