/* TLS over a bad network: as relayed.c, and with handshakes and shutdowns that nobody answers. */
#include "relayed.h"
#include "tls_support.h"

static void contexts(line *on)
{
    on->ours = client_context();
    on->theirs = server_of(localhost());
}

static void no_contexts(line *on)
{
    thrum_tls_context_release(on->ours);
    thrum_tls_context_release(on->theirs);
}

NET_TEST(relayed_tls, in_pieces_and_late, LOCALS(line on;))
{
    ASYNC_BEGIN;
    contexts(&self->on);
    AWAIT(over_many(&self->on, false));
    CHECK_EQ(self->on.served, 15);
    no_contexts(&self->on);
    ASYNC_END;
}

NET_TEST(relayed_tls, cut, LOCALS(line on;))
{
    ASYNC_BEGIN;
    contexts(&self->on);
    AWAIT(over_many(&self->on, true));
    no_contexts(&self->on);
    ASYNC_END;
}

/* Nobody answers the first flight: the handshake's own limit ends it. */
NET_TEST(relayed_tls, handshake_is_not_answered,
         LOCALS(line on; relay_plan plan; thrum_connect_options options; int error; thrum_stream * stream;))
{
    ASYNC_BEGIN;
    contexts(&self->on);
    self->plan.half_open = true;
    self->plan.cut_after = 50;
    AWAIT(line_open(&self->on, self->plan));
    self->options.size = sizeof self->options;
    self->options.tls = self->on.ours;
    self->options.server_hostname = "localhost";
    self->options.handshake_timeout = MILLISECONDS(20);
    AWAIT_CATCH_INTO(self->error, self->stream, thrum_open_connection_with("127.0.0.1", self->on.port, &self->options));
    CHECK_EQ(self->error, THRUM_ETIMEDOUT);
    AWAIT(line_close(&self->on));
    CHECK_EQ(self->on.served, 0);
    no_contexts(&self->on);
    ASYNC_END;
}

/* The peer is gone when the close_notify goes out: the shutdown's limit ends the close, and that is no error, since
 * everything had left. */
NET_TEST(relayed_tls, shutdown_is_not_answered,
         LOCALS(line on; relay_plan plan; thrum_connect_options options; thrum_stream * stream; char bytes[4];
                int error;))
{
    ASYNC_BEGIN;
    contexts(&self->on);
    self->plan.half_open = true;
    AWAIT(line_open(&self->on, self->plan));
    self->options.size = sizeof self->options;
    self->options.tls = self->on.ours;
    self->options.server_hostname = "localhost";
    self->options.shutdown_timeout = MILLISECONDS(20);
    AWAIT_INTO(self->stream, thrum_open_connection_with("127.0.0.1", self->on.port, &self->options));
    AWAIT(thrum_stream_write(self->stream, "abcd", 4));
    AWAIT(thrum_stream_read_exactly(self->stream, self->bytes, 4));
    relay_cut(self->on.between);
    AWAIT_CATCH(self->error, thrum_stream_close(self->stream));
    CHECK_EQ(self->error, THRUM_ETIMEDOUT);
    thrum_stream_release(self->stream);
    AWAIT(line_close(&self->on));
    no_contexts(&self->on);
    ASYNC_END;
}
