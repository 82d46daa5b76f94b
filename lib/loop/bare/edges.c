/* Edges of an input, and what is left of them when it has done bouncing. */
#include <thrum/devices.h>
#include <thrum/timeouts.h>

thrum_awaitable thrum_edge_wait(thrum_edge *edge)
{
    return thrum_signal_wait(&edge->signal);
}

static ASYNC(edge_settled, ARGS((thrum_edge *, edge), (thrum_time, quiet)), LOCALS(int error;))
{
    ASYNC_BEGIN;
    AWAIT(thrum_signal_wait(&self->edge->signal));
    do
        AWAIT_CATCH(self->error, thrum_timeout(self->quiet, thrum_signal_wait(&self->edge->signal)));
    while (!self->error);
    if (self->error != THRUM_ETIMEDOUT)
        ASYNC_RAISE(self->error);
    ASYNC_RETURN(self->edge->level(self->edge->pin));
    ASYNC_END;
}

thrum_awaitable thrum_edge_settled(thrum_edge *edge, thrum_time quiet)
{
    return edge_settled(edge, quiet);
}
