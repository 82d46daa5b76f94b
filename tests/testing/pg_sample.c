/* The sample pg, with everything that can come in between, over real sockets: what answers is a few lines that speak as
 * much of PostgreSQL's protocol. A query that is given up is cancelled at the server, by a connection of libpq's
 * own. */
#include "samples.h"

#include "../../samples/pg/pg.c"
#define listen listen_for /* which sys/socket.h has, too */
#include "../../samples/pg/main.c"
#undef main

/* ---- the server ---- */

/* A message: its type, its length, and so on. Each ends with a state of the connection where the other side may ask. */
#define READY "Z\0\0\0\5I"
#define PARSED "1\0\0\0\4"
#define BOUND "2\0\0\0\4"
#define NO_ROWS "n\0\0\0\4"
#define ONE_COLUMN "T\0\0\0\x1a\0\1x\0\0\0\0\0\0\0\0\0\0\x19\xff\xff\xff\xff\xff\xff\0\0"
#define ONE_ROW "D\0\0\0\x0f\0\1\0\0\0\5hello"
#define DONE                                                                                                           \
    "C\0\0\0\x0d"                                                                                                      \
    "SELECT 1\0"
#define LISTENS                                                                                                        \
    "C\0\0\0\x0b"                                                                                                      \
    "LISTEN\0"
#define REFUSAL "E\0\0\0\x22SERROR\0C42601\0Mthat is wrong\0\0"
#define CANCELED "E\0\0\0\x1dSERROR\0C57014\0Mcanceled\0\0"
#define NOTIFICATION "A\0\0\0\x10\0\0\0\1news\0it\0"
#define WELCOME "R\0\0\0\x08\0\0\0\0K\0\0\0\x0c\0\0\0\1\0\0\0\2" READY

static thrum_event given_up; /* somebody asked for the end of what runs */

static uint32_t number(const char *at)
{
    const unsigned char *bytes = (const unsigned char *)at;
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

#define SAY(text) AWAIT(thrum_stream_write(self->client, text, sizeof(text) - 1))

static ASYNC(serve, ARGS((thrum_stream *, client), (void *, context)),
             LOCALS(char head[5]; char body[512]; char query[64]; size_t size; int error;))
{
    enum { CANCEL_REQUEST = 80877102 };
    ASYNC_BEGIN;
    AWAIT(thrum_stream_read_exactly(self->client, self->head, 4));
    self->size = number(self->head) - 4;
    if (self->size > sizeof self->body)
        ASYNC_RAISE(THRUM_ELIMIT);
    AWAIT(thrum_stream_read_exactly(self->client, self->body, self->size));
    if (number(self->body) == CANCEL_REQUEST) {
        thrum_event_set(&given_up);
        ASYNC_RETURN(0);
    }
    SAY(WELCOME);
    for (;;) {
        AWAIT_INTO(self->size, thrum_stream_read(self->client, self->head, 1));
        if (!self->size || self->head[0] == 'X')
            break;
        AWAIT(thrum_stream_read_exactly(self->client, self->head + 1, 4));
        self->size = number(self->head + 1) - 4;
        if (self->size > sizeof self->body)
            ASYNC_RAISE(THRUM_ELIMIT);
        AWAIT(thrum_stream_read_exactly(self->client, self->body, self->size));
        if (self->head[0] == 'P') /* a statement: its name, which is empty, and its text */
            (void)snprintf(self->query, sizeof self->query, "%s", self->body + 1);
        if (self->head[0] != 'S')
            continue;
        if (!strcmp(self->query, "wrong")) {
            SAY(REFUSAL READY);
        } else if (!strcmp(self->query, "LISTEN \"news\"")) {
            SAY(PARSED BOUND NO_ROWS LISTENS READY NOTIFICATION);
        } else if (!strcmp(self->query, "long")) {
            /* Whoever would ask for its end may have been cancelled. */
            AWAIT_CATCH(self->error, thrum_timeout(MILLISECONDS(200), thrum_event_wait(&given_up)));
            SAY(CANCELED READY);
        } else {
            SAY(PARSED BOUND ONE_COLUMN ONE_ROW DONE READY);
        }
    }
    ASYNC_END;
}

/* One of the parts of the program, with the server beside it. */
typedef thrum_awaitable conversation(const char *conninfo);

struct talk {
    conversation *with;
    bool gives_up;
};

static ASYNC(with_server, ARGS((void *, context)), LOCALS(thrum_server *server; char conninfo[96];))
{
    char address[THRUM_ADDRESS_TEXT];
    ASYNC_BEGIN;
    given_up = (thrum_event)THRUM_EVENT_INIT;
    AWAIT_INTO(self->server, thrum_start_server(serve, NULL, "127.0.0.1", "0"));
    thrum_server_address(self->server, 0, address, sizeof address);
    (void)snprintf(self->conninfo, sizeof self->conninfo,
                   "hostaddr=127.0.0.1 port=%s user=x dbname=x sslmode=disable gssencmode=disable",
                   strrchr(address, ':') + 1);
    AWAIT(((const struct talk *)self->context)->with(self->conninfo));
FINALLY:
    thrum_server_close(self->server);
    thrum_server_release(self->server);
    ASYNC_END;
}

static int descriptors_before;

static int next_descriptor(void)
{
    int next = dup(0);
    close(next);
    return next;
}

static int all_descriptors_are_back(void *context, const thrum_test_options *run, const thrum_test_result *result)
{
    const struct talk *talk = (const struct talk *)context;
    (void)result;
    if (talk->gives_up && run->injection == THRUM_TEST_NOTHING && !thrum_event_is_set(&given_up))
        return 1; /* the server was not asked */
    return next_descriptor() != descriptors_before;
}

static void explore(struct talk talk, int expected, size_t least)
{
    const thrum_test_options run = {.size = sizeof run, .backend = THRUM_BACKEND_LIBEV, .most_time = SECONDS(20)};
    const thrum_test_explore_options options = {.size = sizeof options,
                                                .run = &run,
                                                .check = all_descriptors_are_back,
                                                .seeds = 3,
                                                .most = 60,
                                                .expected = expected};
    descriptors_before = next_descriptor();
    explore_twice(with_server, &talk, &options, least);
}

/* ---- queries ---- */

static const char *const values[] = {"hello", NULL};
static struct options options;

static ASYNC(ask_once, ARGS((const char *, conninfo)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    samples_text[0] = '\0';
    options = (struct options){
        .conninfo = self->conninfo, .query = "fine", .values = values, .count = 1, .timeout = SECONDS(60)};
    AWAIT(app(&options));
    CHECK_STR(samples_text, "hello\n");
    ASYNC_END;
}

TEST_LIMIT(testing_samples, pg, 60)
{
    explore((struct talk){ask_once, false}, 0, 5);
}

/* One after the other; that it is refused is said of each. */
static ASYNC(ask_wrongly, ARGS((const char *, conninfo)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    options = (struct options){.conninfo = self->conninfo,
                               .query = "wrong",
                               .values = values,
                               .count = 2,
                               .each = true,
                               .timeout = SECONDS(60)};
    AWAIT(app(&options));
    ASYNC_END;
}

TEST_LIMIT(testing_samples, pg_each, 60)
{
    explore((struct talk){ask_wrongly, false}, THRUM_EEXIT, 5);
    CHECK_STR(samples_text, "(ERROR:  that is wrong)\n");
}

/* The server is told to stop, and the connection serves the next query. */
static ASYNC(give_one_up, ARGS((const char *, conninfo)),
             LOCALS(struct pg pg; PGresult * lost; PGresult * result; int error;))
{
    ASYNC_BEGIN;
    AWAIT(pg_open(&self->pg, self->conninfo));
    AWAIT_CATCH(self->error, thrum_timeout(MILLISECONDS(1), pg_query(&self->pg, &self->lost, "long", 0, NULL)));
    CHECK_NULL(self->lost);
    if (self->error != THRUM_ETIMEDOUT)
        ASYNC_RAISE(self->error);
    AWAIT(pg_query(&self->pg, &self->result, "fine", 1, values));
    CHECK_STR(PQgetvalue(self->result, 0, 0), "hello");
FINALLY:
    PQclear(self->result);
    pg_close(&self->pg);
    ASYNC_END;
}

TEST_LIMIT(testing_samples, pg_given_up, 60)
{
    explore((struct talk){give_one_up, true}, 0, 8);
}

/* ---- notifications ---- */

static ASYNC(hear, ARGS((const char *, conninfo)), LOCALS(struct pg pg; PGresult * result; PGnotify * notify;))
{
    ASYNC_BEGIN;
    AWAIT(pg_open(&self->pg, self->conninfo));
    AWAIT(pg_query(&self->pg, &self->result, "LISTEN \"news\"", 0, NULL));
    AWAIT(pg_notification(&self->pg, &self->notify));
    CHECK_STR(self->notify->relname, "news");
    CHECK_STR(self->notify->extra, "it");
FINALLY:
    PQfreemem(self->notify);
    PQclear(self->result);
    pg_close(&self->pg);
    ASYNC_END;
}

TEST_LIMIT(testing_samples, pg_notification, 60)
{
    explore((struct talk){hear, false}, 0, 5);
}
