/* A handler of a server's, at the other end of a connection in memory. */
#include <thrum/async.h>
#include <thrum/testing.h>
#include <thrum/timeouts.h>

static void tell(int error, const thrum_error *detail)
{
    const thrum_report report = {.message = "a connection's handler failed",
                                 .error = error,
                                 .detail = detail && detail->code == error ? detail : NULL,
                                 .task = thrum_current_task()};
    thrum_loop_call_exception_handler(thrum_loop_current(), &report);
}

/* What a server does around a handler. After a cancellation nobody waits for the peer. */
static ASYNC(serve, ARGS((thrum_stream *, client), (thrum_stream_handler *, handler), (void *, context)),
             LOCALS(int error; int ignored;), ON_DROP(thrum_stream_release(self->client);))
{
    ASYNC_BEGIN;
    AWAIT_CATCH(self->error, self->handler(self->client, self->context));
    if (self->error)
        tell(self->error, thrum_error_last());
    AWAIT_CATCH(self->ignored, thrum_stream_close(self->client));
FINALLY:
    thrum_stream_release(self->client);
    ASYNC_END;
}

static ASYNC(connect_to,
             ARGS((thrum_stream_handler *, handler), (void *, context), (const thrum_test_script *, script)),
             LOCALS_NONE)
{
    thrum_stream *client, *server;
    int error;
    ASYNC_BEGIN;
    error = self->handler ? thrum_test_stream_pair(&client, &server, self->script) : THRUM_EINVAL;
    if (error)
        ASYNC_RAISE(error);
    error = thrum_spawn_detached(serve(server, self->handler, self->context));
    if (error) {
        thrum_stream_release(client);
        ASYNC_RAISE(error);
    }
    ASYNC_RETURN((thrum_value)(intptr_t)client);
    ASYNC_END;
}

thrum_awaitable thrum_test_connect(thrum_stream_handler *handler, void *context, const thrum_test_script *script)
{
    return connect_to(handler, context, script);
}
