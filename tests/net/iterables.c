/* Lines of a stream and connections of a server, item after item. */
#include <arpa/inet.h>
#include <netinet/in.h>

#include "support.h"

/* ---- lines ---- */

NET_TEST(lines, until_the_end, LOCALS(pair both; thrum_iteration each; char line[16]; int length, n; size_t total;))
{
    ASYNC_BEGIN;
    self->both = pair_open();
    peer_send(&self->both, "one\n\nthree\nlast");
    CHECK_EQ(shutdown(self->both.peer, SHUT_WR), 0);
    ASYNC_FOR (self->length, self->each, thrum_stream_lines(self->both.stream, self->line, sizeof self->line)) {
        CHECK_EQ(strlen(self->line), self->length);
        self->total += (size_t)self->length;
        self->n++;
    }
    CHECK_EQ(self->n, 4);
    CHECK_EQ(self->total, 15);
    pair_close(&self->both);
    ASYNC_END;
}

/* The end of file comes when the task has had its share of a pass: it is no empty line. */
NET_TEST(lines, many, LOCALS(pair both; thrum_iteration each; char line[16]; int i, j, n, length;))
{
    ASYNC_BEGIN;
    for (self->i = 110; self->i < 140; self->i++) {
        self->both = pair_open();
        for (self->j = 0; self->j < self->i; self->j++)
            peer_send(&self->both, "x\n");
        CHECK_EQ(shutdown(self->both.peer, SHUT_WR), 0);
        AWAIT(thrum_yield());
        self->n = 0;
        ASYNC_FOR (self->length, self->each, thrum_stream_lines(self->both.stream, self->line, sizeof self->line)) {
            CHECK_EQ(self->length, 2);
            self->n++;
        }
        CHECK_EQ(self->n, self->i);
        pair_close(&self->both);
    }
    ASYNC_END;
}

NET_TEST(lines, too_long,
         LOCALS(pair both; thrum_iteration each; thrum_try attempt; char line[4]; int length, n, error;))
{
    ASYNC_BEGIN;
    self->both = pair_open();
    peer_send(&self->both, "ab\nabcdef\nab\n");
    TRY (self->attempt) {
        ASYNC_FOR (self->length, self->each, thrum_stream_lines(self->both.stream, self->line, sizeof self->line))
            self->n++;
    }
    CATCH (self->error, self->attempt) {
        CHECK_EQ(self->error, THRUM_ELIMIT);
    }
    CHECK_EQ(self->n, 1);
    CHECK_EQ(self->error, THRUM_ELIMIT);
    ASYNC_FOR (self->length, self->each, thrum_stream_lines(self->both.stream, self->line, sizeof self->line))
        break; /* and on it goes */
    CHECK_STR(self->line, "ab\n");
    pair_close(&self->both);
    ASYNC_END;
}

/* ---- connections ---- */

static int new_client(const thrum_server *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    address.sin_port = htons((uint16_t)thrum_server_port(server));
    int made = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK_EQ(connect(made, (struct sockaddr *)(void *)&address, sizeof address), 0);
    return made;
}

static ASYNC(greet, ARGS((thrum_server *, server), (int, most)),
             LOCALS(thrum_iteration each; thrum_stream * stream; int n;))
{
    ASYNC_BEGIN;
    ASYNC_FOR (self->stream, self->each, thrum_server_accepts(self->server)) {
        AWAIT(thrum_stream_write(self->stream, "hello", 5));
        AWAIT(thrum_stream_close(self->stream));
        thrum_stream_release(self->stream);
        if (++self->n == self->most)
            break;
    }
    ASYNC_RETURN(self->n);
    ASYNC_END;
}

static void check_greeted(int client)
{
    char text[8] = "";
    CHECK_EQ(recv(client, text, sizeof text, MSG_WAITALL), 5);
    CHECK_STR(text, "hello");
    close(client);
}

NET_TEST(accepts, one_after_the_other, LOCALS(thrum_server *server; thrum_task * task; int clients[5], i, n;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->server, thrum_start_server(NULL, NULL, "127.0.0.1", "0"));
    for (self->i = 0; self->i < 3; self->i++)
        self->clients[self->i] = new_client(self->server); /* nobody waits yet: they stay in the queue */
    AWAIT(thrum_sleep(MILLISECONDS(1)));
    self->task = thrum_spawn(greet(self->server, 5));
    AWAIT(thrum_sleep(MILLISECONDS(1)));
    for (; self->i < 5; self->i++)
        self->clients[self->i] = new_client(self->server);
    AWAIT_INTO(self->n, self->task);
    CHECK_EQ(self->n, 5);
    for (self->i = 0; self->i < 5; self->i++)
        check_greeted(self->clients[self->i]);
    thrum_task_release(self->task);
    thrum_server_release(self->server);
    ASYNC_END;
}

/* Closed and given back while tasks wait for connections: their loops end. */
NET_TEST(accepts, server_closes, LOCALS(thrum_server *server; thrum_task * tasks[3]; int client, i, n, sum;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->server, thrum_start_server(NULL, NULL, "127.0.0.1", "0"));
    for (self->i = 0; self->i < 3; self->i++)
        self->tasks[self->i] = thrum_spawn(greet(self->server, 0));
    self->client = new_client(self->server);
    AWAIT(thrum_yield());
    AWAIT(thrum_sleep(MILLISECONDS(2)));
    thrum_server_release(self->server);
    for (self->i = 0; self->i < 3; self->i++) {
        AWAIT_INTO(self->n, self->tasks[self->i]);
        self->sum += self->n;
        thrum_task_release(self->tasks[self->i]);
    }
    CHECK_EQ(self->sum, 1);
    check_greeted(self->client);
    ASYNC_END;
}

/* One that is cancelled just when a connection came for it loses none: it is the next one's. */
NET_TEST(accepts, cancelled,
         LOCALS(thrum_server *server; thrum_task * first, *second; thrum_stream * stream;
                int client, i, n, error, lost;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < 6; self->i++) {
        AWAIT_INTO(self->server, thrum_start_server(NULL, NULL, "127.0.0.1", "0"));
        self->first = thrum_spawn(thrum_server_accept(self->server));
        self->second = thrum_spawn(thrum_server_accept(self->server));
        AWAIT(thrum_yield());
        self->client = new_client(self->server);
        for (self->n = 0; self->n < self->i; self->n++)
            AWAIT(thrum_sleep(MICROSECONDS(1)));
        while (self->i == 5 && !thrum_task_done(self->first))
            AWAIT(thrum_sleep(MICROSECONDS(1)));
        thrum_task_cancel(self->first);
        AWAIT_CATCH_ALL_INTO(self->error, self->stream, self->first);
        if (self->error) {
            self->lost++;
            AWAIT_INTO(self->stream, self->second);
        }
        CHECK_NOT_NULL(self->stream);
        thrum_stream_release(self->stream);
        close(self->client);
        thrum_task_cancel(self->second);
        thrum_task_release(self->first);
        thrum_task_release(self->second);
        thrum_server_release(self->server);
        AWAIT(thrum_yield());
        AWAIT(thrum_yield());
    }
    CHECK_GT(self->lost, 0);
    CHECK_LT(self->lost, 6);
    ASYNC_END;
}

NET_TEST(accepts, misused, LOCALS(thrum_server *server; int error; thrum_stream * stream;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->server, thrum_start_server(NULL, NULL, "127.0.0.1", "0"));
    AWAIT_CATCH_INTO(self->error, self->stream, thrum_timeout(MILLISECONDS(1), thrum_server_accept(self->server)));
    CHECK_EQ(self->error, THRUM_ETIMEDOUT);
    thrum_server_close(self->server);
    AWAIT_CATCH_INTO(self->error, self->stream, thrum_server_accept(self->server));
    CHECK_EQ(self->error, THRUM_ESTOP);
    thrum_server_release(self->server);
    ASYNC_END;
}
