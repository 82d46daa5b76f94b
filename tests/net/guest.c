/* Streams in a libev loop that the application runs: the same connections, and small writes leave here too. */
#include <ev.h>

#include "support.h"

static ASYNC(echo, ARGS((thrum_stream *, client), (void *, context)), LOCALS(char buffer[4096]; size_t n;))
{
    ASYNC_BEGIN;
    for (;;) {
        AWAIT_INTO(self->n, thrum_stream_read(self->client, self->buffer, sizeof self->buffer));
        if (!self->n)
            break;
        AWAIT(thrum_stream_write(self->client, self->buffer, self->n));
    }
    ASYNC_END;
}

static ASYNC(talk, ARGS((struct ev_loop *, ev), (int *, echoes)),
             LOCALS(thrum_server *server; thrum_stream * client; char text[64], port[8]; int i; size_t n;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->server, thrum_start_server(echo, NULL, "127.0.0.1", "0"));
    snprintf(self->port, sizeof self->port, "%d", thrum_server_port(self->server));
    AWAIT_INTO(self->client, thrum_open_connection("127.0.0.1", self->port));
    for (self->i = 0; self->i < 100; self->i++) {
        AWAIT(thrum_stream_write(self->client, "ping", 4));
        AWAIT(thrum_stream_write(self->client, "pong", 4));
        AWAIT(thrum_sleep(0)); /* not by a read: at the end of the pass */
        AWAIT_INTO(self->n, thrum_stream_read_exactly(self->client, self->text, 8));
        CHECK_MEM(self->text, "pingpong", 8);
        ++*self->echoes;
    }
    AWAIT(thrum_stream_close(self->client));
    thrum_server_close(self->server);
    AWAIT(thrum_server_wait_closed(self->server));
FINALLY:
    thrum_stream_release(self->client);
    thrum_server_release(self->server);
    ev_break(self->ev, EVBREAK_ALL);
    ASYNC_END;
}

TEST(guest, echo)
{
    struct ev_loop *ev = ev_loop_new(EVFLAG_AUTO);
    thrum_pool_stats stats;
    thrum_loop *loop;
    int echoes = 0;
    calls_clear();
    CHECK_EQ(thrum_loop_from_ev(&loop, ev), 0);
    eager_prepare(loop);
    CHECK_EQ(thrum_spawn_detached(talk(ev, &echoes)), 0);
    ev_run(ev, 0);
    CHECK_EQ(echoes, 100);
    CHECK_LE(calls_send.count, 210);
    CHECK_EQ(thrum_loop_close(loop), 0);
    ev_loop_destroy(ev);
    thrum_pool_stats_get(&stats);
    CHECK_EQ(stats.blocks, 0);
}
