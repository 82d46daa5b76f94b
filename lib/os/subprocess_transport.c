/* Child processes with protocols: what is told, in which order, and the end. */
#include "os/subprocess_transport.h"

#include <signal.h>
#include <string.h>

#include "core/checks.h"
#include "core/state.h"

static bool right(const thrum_subprocess_protocol *protocol)
{
    return protocol && protocol->size == sizeof *protocol;
}

/* ---- references ---- */

thrum_subprocess_transport *thrum_subprocess_transport_hold(thrum_subprocess_transport *transport)
{
    transport->references++;
    return transport;
}

void thrum_subprocess_transport_release(thrum_subprocess_transport *transport)
{
    if (!transport || --transport->references)
        return;
    exit_watch_end(&transport->watch);
    (void)thrum_handle_cancel(&transport->turn);
    for (int i = 0; i < LAUNCH_STDIO; i++)
        thrum_transport_release(transport->pipes[i].transport);
    pool_give(&thrum_state_here()->pool, transport, sizeof *transport, POOL_OTHER);
}

/* ---- what is told ---- */

static void schedule(thrum_subprocess_transport *transport)
{
    if (!thrum_handle_pending(&transport->turn))
        (void)thrum_call_soon(&transport->turn); /* refused where the loop closes, which sees to the end itself */
}

static bool pipes_open(const thrum_subprocess_transport *transport)
{
    return transport->pipes[0].open || transport->pipes[1].open || transport->pipes[2].open;
}

static void tell_exit(thrum_subprocess_transport *transport)
{
    if (transport->flags & SUBPROCESS_EXIT_TOLD)
        return;
    transport->flags |= SUBPROCESS_EXIT_TOLD;
    if (transport->protocol->process_exited)
        transport->protocol->process_exited(transport->context);
}

/* Nothing more is told: the loop's reference goes. */
static void tell_lost(thrum_subprocess_transport *transport)
{
    thrum_waiter *waiter;
    transport->flags |= SUBPROCESS_LOST | SUBPROCESS_CLOSING;
    if (transport->flags & SUBPROCESS_MADE && transport->protocol->connection_lost)
        transport->protocol->connection_lost(transport->context, transport->error);
    thrum_loop_forget(&transport->closer);
    while ((waiter = thrum_waiters_pop(&transport->enders)))
        thrum_wake(waiter, transport->error, 0);
    thrum_subprocess_transport_release(transport);
}

static void take_turn(thrum_handle *handle)
{
    thrum_subprocess_transport *transport = (thrum_subprocess_transport *)handle->context;
    if (!(transport->flags & (SUBPROCESS_MADE | SUBPROCESS_ABANDONED)) || transport->flags & SUBPROCESS_LOST)
        return;
    thrum_subprocess_transport_hold(transport);
    if (transport->watch.over && transport->flags & SUBPROCESS_MADE)
        tell_exit(transport);
    if (transport->watch.over && !pipes_open(transport) && !(transport->flags & SUBPROCESS_LOST))
        tell_lost(transport);
    thrum_subprocess_transport_release(transport);
}

static void ended(exit_watch *watch)
{
    schedule((thrum_subprocess_transport *)(void *)((char *)watch - offsetof(thrum_subprocess_transport, watch)));
}

/* ---- the pipes ---- */

static int pipe_made(void *context, thrum_transport *transport)
{
    subprocess_pipe *pipe = (subprocess_pipe *)context;
    pipe->open = true;
    if (!(pipe->owner->flags & SUBPROCESS_MADE))
        thrum_transport_pause_reading(transport);
    return 0;
}

static int pipe_data(void *context, const void *data, size_t size)
{
    const subprocess_pipe *pipe = (const subprocess_pipe *)context;
    const thrum_subprocess_protocol *protocol = pipe->owner->protocol;
    return protocol->pipe_data_received
               ? protocol->pipe_data_received(pipe->owner->context, pipe->descriptor, data, size)
               : 0;
}

static void tell_pipe_lost(const subprocess_pipe *pipe)
{
    const thrum_subprocess_protocol *protocol = pipe->owner->protocol;
    if (protocol->pipe_connection_lost)
        protocol->pipe_connection_lost(pipe->owner->context, pipe->descriptor, pipe->error);
}

static void pipe_lost(void *context, int error)
{
    subprocess_pipe *pipe = (subprocess_pipe *)context;
    pipe->open = false;
    pipe->error = error;
    if (pipe->owner->flags & SUBPROCESS_MADE)
        tell_pipe_lost(pipe);
    else
        pipe->lost = true;
    schedule(pipe->owner);
}

static void pipe_pauses(void *context)
{
    const thrum_subprocess_transport *owner = ((const subprocess_pipe *)context)->owner;
    if (owner->protocol && owner->protocol->pause_writing)
        owner->protocol->pause_writing(owner->context);
}

static void pipe_resumes(void *context)
{
    const thrum_subprocess_transport *owner = ((const subprocess_pipe *)context)->owner;
    if (owner->protocol && owner->protocol->resume_writing)
        owner->protocol->resume_writing(owner->context);
}

int subprocess_pipe_factory(void *context, const thrum_protocol **protocol, void **own)
{
    static const thrum_protocol pipe_protocol = {
        .size = sizeof pipe_protocol,
        .connection_made = pipe_made,
        .data_received = pipe_data,
        .connection_lost = pipe_lost,
        .pause_writing = pipe_pauses,
        .resume_writing = pipe_resumes,
    };
    ((subprocess_pipe *)context)->open = true;
    *protocol = &pipe_protocol;
    *own = context;
    return 0;
}

/* ---- the beginning ---- */

/* The loop closes, and the pipes, which are younger, are lost already. */
static void loop_closes(thrum_loop_closer *closer)
{
    thrum_subprocess_transport *transport =
        (thrum_subprocess_transport *)(void *)((char *)closer - offsetof(thrum_subprocess_transport, closer));
    thrum_loop_remember(closer); /* tell_lost() takes it out */
    thrum_handle_init(&transport->turn, take_turn, transport);
    if (!transport->watch.over)
        loop_tell_unclosed("subprocess transport", transport);
    exit_watch_leave(&transport->watch, true);
    if (!transport->error)
        transport->error = THRUM_ECLOSED;
    if (transport->flags & SUBPROCESS_MADE)
        tell_exit(transport);
    tell_lost(transport);
}

thrum_subprocess_transport *subprocess_transport_new(void)
{
    thrum_subprocess_transport *transport =
        (thrum_subprocess_transport *)pool_take(&thrum_state_here()->pool, sizeof *transport, POOL_OTHER);
    if (!transport)
        return NULL;
    memset(transport, 0, sizeof *transport);
    transport->references = 1;
    transport->watch.pidfd = -1;
    transport->watch.ended = ended;
    for (int i = 0; i < LAUNCH_STDIO; i++)
        transport->pipes[i] = (subprocess_pipe){.owner = transport, .descriptor = i};
    thrum_handle_init(&transport->turn, take_turn, transport);
    transport->closer.close = loop_closes;
    thrum_loop_remember(&transport->closer);
    thrum_made_note(transport);
    return transport;
}

int subprocess_transport_begin(thrum_subprocess_transport *transport, thrum_subprocess_protocol_factory *factory,
                               void *context)
{
    int error = factory(context, &transport->protocol, &transport->context);
    if (error > 0 || (!error && !right(transport->protocol)))
        error = THRUM_EINVAL;
    if (error)
        return error;
    transport->flags |= SUBPROCESS_MADE;
    if (transport->protocol->connection_made)
        error = transport->protocol->connection_made(transport->context, transport);
    transport->error = error > 0 ? THRUM_EINVAL : error;
    for (int i = 0; i < LAUNCH_STDIO; i++) {
        const subprocess_pipe *pipe = &transport->pipes[i];
        if (pipe->lost)
            tell_pipe_lost(pipe);
        else if (i && pipe->transport && !transport->error)
            thrum_transport_resume_reading(pipe->transport);
    }
    schedule(transport);
    return transport->error;
}

void subprocess_transport_abandon(thrum_subprocess_transport *transport)
{
    if (!(transport->flags & SUBPROCESS_MADE))
        transport->flags |= SUBPROCESS_ABANDONED;
    thrum_subprocess_transport_close(transport);
    schedule(transport);
}

/* ---- the end ---- */

void thrum_subprocess_transport_close(thrum_subprocess_transport *transport)
{
    if (!transport || transport->flags & SUBPROCESS_CLOSING)
        return;
    transport->flags |= SUBPROCESS_CLOSING;
    for (int i = 0; i < LAUNCH_STDIO; i++)
        if (transport->pipes[i].transport)
            thrum_transport_close(transport->pipes[i].transport);
    (void)exit_watch_signal(&transport->watch, SIGKILL);
}

bool thrum_subprocess_transport_is_closing(const thrum_subprocess_transport *transport)
{
    return transport->flags & SUBPROCESS_CLOSING;
}

static thrum_step closed_start(thrum_task *task, thrum_record *record)
{
    thrum_subprocess_transport *transport = (thrum_subprocess_transport *)record->object;
    if (transport->flags & SUBPROCESS_LOST)
        return thrum_done(task, transport->error, 0);
    thrum_waiters_add(&transport->enders, &task->waiter);
    return thrum_parked(task);
}

static thrum_cancel_result closed_cancel(thrum_task *task)
{
    if (!thrum_task_woken(task))
        thrum_waiters_remove(&((thrum_subprocess_transport *)task->object)->enders, &task->waiter);
    return THRUM_DETACHED;
}

static const thrum_operations closed_operations = {closed_start, NULL, closed_cancel, NULL, "connection_lost", NULL};

thrum_awaitable thrum_subprocess_transport_wait_closed(thrum_subprocess_transport *transport)
{
    return thrum_awaitable_make(&closed_operations, transport, 0, 0);
}
