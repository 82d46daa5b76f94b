/* An echo over a bad network (../support/relay.h), with TLS or without: what came is what was sent, up to an error. */
#ifndef TEST_NET_RELAYED_H
#define TEST_NET_RELAYED_H

#include <relay.h>

#include "support.h"

enum { SIZE = 20000 };

/* Both ends of a connection over a relay: the client's is the test's, the server's an echo. */
typedef struct line {
    thrum_server *server;
    relay *between;
    thrum_tls_context *ours, *theirs;
    char port[8];
    int served, echo_error;
} line;

static ASYNC(echo, ARGS((thrum_stream *, stream), (void *, context)),
             LOCALS(line *on; size_t got; int error; thrum_time deadline;), BUFFERS(char bytes[8192];))
{
    ASYNC_BEGIN;
    self->on = (line *)self->context;
    for (;;) {
        AWAIT_CATCH_INTO(self->error, self->got, thrum_stream_read(self->stream, self->bytes, sizeof self->bytes));
        if (!self->error && self->got)
            AWAIT_CATCH(self->error, thrum_stream_write(self->stream, self->bytes, self->got));
        if (self->error || !self->got)
            break;
    }
    self->on->echo_error = self->error;
    self->on->served++;
    if (self->error)
        thrum_stream_abort(self->stream);
    ASYNC_END;
}

static ASYNC(line_open, ARGS((line *, on), (relay_plan, plan)), LOCALS(thrum_server_options options;))
{
    ASYNC_BEGIN;
    self->options.size = sizeof self->options;
    self->options.tls = self->on->theirs;
    AWAIT_INTO(self->on->server, thrum_start_server_with(echo, self->on, "127.0.0.1", "0", &self->options));
    self->plan.port = thrum_server_port(self->on->server);
    self->on->between = relay_open(&self->plan);
    snprintf(self->on->port, sizeof self->on->port, "%d", relay_port(self->on->between));
    ASYNC_END;
}

static ASYNC(line_close, ARGS((line *, on)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    relay_close(self->on->between);
    thrum_server_close(self->on->server);
    AWAIT(thrum_server_wait_closed(self->on->server));
    thrum_server_release(self->on->server);
    ASYNC_END;
}

/* ---- there and back ---- */

static ASYNC(send_all, ARGS((thrum_stream *, stream), (const char *, bytes)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_stream_write(self->stream, self->bytes, SIZE));
    AWAIT(thrum_stream_flush(self->stream));
    ASYNC_END;
}

/* An echo of SIZE bytes; 0, or what the connection met. Whatever came is what was sent. */
static ASYNC(converse, ARGS((line *, on)),
             LOCALS(thrum_stream *stream; thrum_connect_options options; thrum_task * sender; int error, lost;
                    size_t got;),
             BUFFERS(char out[SIZE]; char in[SIZE];))
{
    ASYNC_BEGIN;
    for (size_t i = 0; i < SIZE; i++)
        self->out[i] = (char)(unsigned char)(i % 251);
    self->options.size = sizeof self->options;
    self->options.tls = self->on->ours;
    self->options.server_hostname = self->on->ours ? "localhost" : NULL;
    AWAIT_INTO(self->stream, thrum_open_connection_with("127.0.0.1", self->on->port, &self->options));
    self->sender = thrum_spawn(send_all(self->stream, self->out));
    AWAIT_CATCH_INTO(self->error, self->got, thrum_stream_read_exactly(self->stream, self->in, SIZE));
    if (self->error)
        self->got = (size_t)error_number();
    CHECK_MEM(self->in, self->out, self->got);
    if (self->error)
        thrum_stream_abort(self->stream);
    AWAIT_CATCH(self->lost, thrum_task_wait(self->sender));
    if (self->error)
        ASYNC_RAISE(self->error);
    AWAIT(thrum_stream_close(self->stream));
FINALLY:
    if (self->sender)
        AWAIT_CATCH(self->lost, thrum_wait_tasks(1, &self->sender, THRUM_ALL_COMPLETED, THRUM_NEVER, NULL));
    thrum_task_release(self->sender);
    thrum_stream_release(self->stream);
    ASYNC_END;
}

static relay_plan plan_of(unsigned seed)
{
    relay_plan plan = {.seed = seed};
    if (seed % 3 == 0)
        plan.fragment = 1 + seed * 7 % 900;
    if (seed % 4 == 1)
        plan.delay = 300;
    if (seed % 5 == 2) {
        plan.fragment = 4000;
        plan.pace = 200;
    }
    return plan;
}

static ASYNC(over_many, ARGS((line *, on), (bool, cuts)), LOCALS(unsigned seed; int error; relay_plan plan;))
{
    ASYNC_BEGIN;
    for (self->seed = 1; self->seed <= 15; self->seed++) {
        self->plan = plan_of(self->seed);
        if (self->cuts) {
            self->plan.cut_after = 1 + self->seed * 1237 % SIZE;
            self->plan.reset = self->seed & 1;
        }
        AWAIT(line_open(self->on, self->plan));
        AWAIT_CATCH(self->error, converse(self->on));
        AWAIT(line_close(self->on));
        if (!self->cuts)
            CHECK_EQ(self->error, 0);
        else
            CHECK(self->error == THRUM_EINCOMPLETE || self->error == -ECONNRESET || self->error == -EPIPE ||
                  (self->on->ours && self->error == THRUM_ETRUNCATED));
    }
    ASYNC_END;
}

#endif
