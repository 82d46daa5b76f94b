/* The sample redis, with everything that can come in between, over real sockets: what answers is a few lines that speak
 * as much of Redis's protocol. A reply that comes after its command was cancelled must touch nothing. */
#include "samples.h"

#include "../../samples/redis/main.c"
#undef main

/* One reply for each command, which is known by a word that stands in it. */
static ASYNC(serve, ARGS((thrum_stream *, client), (void *, context)), LOCALS(char line[64]; size_t size;))
{
    const char *reply;
    ASYNC_BEGIN;
    for (;;) {
        AWAIT_INTO(self->size, thrum_stream_read_line(self->client, self->line, sizeof self->line));
        if (!self->size)
            break;
        self->line[strcspn(self->line, "\r\n")] = '\0';
        reply = !strcmp(self->line, "GET")         ? "$5\r\nhello\r\n"
                : !strcmp(self->line, "LRANGE")    ? "*2\r\n$1\r\na\r\n*1\r\n:7\r\n"
                : !strcmp(self->line, "WRONG")     ? "-ERR that is wrong\r\n"
                : !strcmp(self->line, "SUBSCRIBE") ? "*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n"
                                                     "*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$2\r\nit\r\n"
                                                   : NULL;
        if (reply)
            AWAIT(thrum_stream_write(self->client, reply, strlen(reply)));
        if (!strcmp(self->line, "LEAVE"))
            break;
    }
    ASYNC_END;
}

/* A server, and a connection to it, for one of the parts of the program. */
typedef thrum_awaitable conversation(struct redis *redis);

struct talk {
    conversation *with;
};

static ASYNC(with_server, ARGS((void *, context)), LOCALS(thrum_server *server; struct redis redis; char port[16];))
{
    char address[THRUM_ADDRESS_TEXT];
    ASYNC_BEGIN;
    AWAIT_INTO(self->server, thrum_start_server(serve, NULL, "127.0.0.1", "0"));
    thrum_server_address(self->server, 0, address, sizeof address);
    (void)snprintf(self->port, sizeof self->port, "%s", strrchr(address, ':') + 1);
    AWAIT(redis_open(&self->redis, "127.0.0.1", self->port));
    AWAIT(((const struct talk *)self->context)->with(&self->redis));
FINALLY:
    redis_close(&self->redis);
    thrum_server_close(self->server);
    thrum_server_release(self->server);
    ASYNC_END;
}

static void explore(conversation *with, int expected, size_t least)
{
    struct talk talk = {with};
    const thrum_test_options run = {.size = sizeof run, .backend = THRUM_BACKEND_LIBEV, .most_time = SECONDS(20)};
    const thrum_test_explore_options options = {
        .size = sizeof options, .run = &run, .seeds = 5, .most = 100, .expected = expected};
    explore_twice(with_server, &talk, &options, least);
}

/* ---- commands ---- */

static ASYNC(converse, ARGS((struct redis *, redis)),
             LOCALS(const char *words[3]; struct options options; int refused; redisReply * reply; int error;))
{
    ASYNC_BEGIN;
    self->words[0] = "LRANGE";
    self->words[1] = "list";
    self->options = (struct options){.timeout = SECONDS(60), .words = self->words, .count = 2};
    AWAIT_INTO(self->refused, single(self->redis, &self->options));
    CHECK_EQ(self->refused, 0);
    CHECK_STR(samples_text, "  7\n");
    self->words[0] = "WRONG";
    AWAIT_INTO(self->refused, single(self->redis, &self->options));
    CHECK_EQ(self->refused, 1);
    CHECK(!strcmp(samples_text, "(error) ERR that is wrong\n") || !strcmp(samples_text, "(error) \n")); /* no memory */
    AWAIT_CATCH(self->error, redis_command(self->redis, &self->reply, "subscribe %s", "news"));
    CHECK(self->error == THRUM_EINVAL || self->error == THRUM_ENOMEM);
    AWAIT_CATCH(self->error, redis_command(self->redis, &self->reply, "LEAVE"));
    CHECK(self->error == THRUM_ECLOSED || self->error == THRUM_ENOMEM);
    AWAIT_CATCH(self->error, redis_command(self->redis, &self->reply, "GET a"));
    CHECK(self->error == THRUM_ECLOSED || self->error == THRUM_ENOMEM);
    ASYNC_END;
}

TEST_LIMIT(testing_samples, redis, 60)
{
    explore(converse, 0, 5);
}

/* The first command ends before its reply comes; the second one gets its own reply, and not that. */
static ASYNC(give_one_up, ARGS((struct redis *, redis)),
             LOCALS(thrum_task *first; redisReply * lost; redisReply * reply;))
{
    ASYNC_BEGIN;
    self->first = thrum_spawn(redis_command(self->redis, &self->lost, "LRANGE %s", "list"));
    if (!self->first)
        ASYNC_RAISE(THRUM_ENOMEM);
    AWAIT(thrum_yield());
    (void)thrum_task_cancel(self->first);
    AWAIT(redis_command(self->redis, &self->reply, "GET %s", "a"));
    CHECK_STR(self->reply->str, "hello");
    CHECK_NULL(self->lost);
FINALLY:
    if (self->reply)
        freeReplyObject(self->reply);
    if (self->first)
        (void)thrum_task_cancel(self->first);
    thrum_task_release(self->first);
    ASYNC_END;
}

TEST_LIMIT(testing_samples, redis_cancelled, 60)
{
    explore(give_one_up, 0, 4);
}

/* ---- commands, one a line ---- */

static ASYNC(lines, ARGS((struct redis *, redis)),
             LOCALS(thrum_stream *from; thrum_stream * to; int refused; int error;))
{
    static const char text[] = "GET a\n\nWRONG\nLRANGE l 0 -1\nGET b\n";
    ASYNC_BEGIN;
    self->error = thrum_test_stream_pair(&self->from, &self->to, NULL);
    if (self->error)
        ASYNC_RAISE(self->error);
    AWAIT(thrum_stream_write(self->to, text, sizeof text - 1));
    (void)thrum_stream_write_eof(self->to);
    AWAIT_INTO(self->refused, all_lines(self->redis, self->from));
    if (self->refused != 1 || strcmp(samples_text, "hello\n") != 0)
        ASYNC_RAISE(THRUM_EINCOMPLETE); /* right only when something came in between */
FINALLY:
    thrum_stream_release(self->from);
    thrum_stream_release(self->to);
    ASYNC_END;
}

TEST_LIMIT(testing_samples, redis_lines, 60)
{
    explore(lines, 0, 8);
}

/* ---- channels ---- */

static ASYNC(hear, ARGS((struct redis *, redis)), LOCALS(redisReply *message; int error;))
{
    ASYNC_BEGIN;
    self->error = redis_subscribe(self->redis, "news");
    if (self->error)
        ASYNC_RAISE(self->error); /* the server was cancelled before */
    AWAIT_GET(&self->redis->messages, &self->message);
    CHECK_STR(self->message->element[2]->str, "it");
FINALLY:
    if (self->message)
        freeReplyObject(self->message);
    ASYNC_END;
}

TEST_LIMIT(testing_samples, redis_channel, 60)
{
    explore(hear, 0, 3);
}
