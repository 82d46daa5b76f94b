/* The samples chat and echo on a network, with clients of all kinds. */
#include "network_samples.h"

#include "../../samples/chat.c"
#undef main
#define main echo_main
#define app echo_app
int echo_main(int argc, char **argv);
#include "../../samples/echo.c"
#undef main
#undef app

enum { CLIENTS = 4, MESSAGES = 12 };

/* ---- chat ---- */

/* One who says "m0", "m1" and so on, and hears what the others say. */
typedef struct talker {
    thrum_stream *stream;
    int number;
    int next[CLIENTS]; /* the message that is to be heard next of each; -1: any */
    int error;         /* what it saw */
    bool over;         /* the server said goodbye */
} talker;

static int chats_whole;

/* Each line comes once, and none is missing between the first and the last. */
static void hear_line(talker *me, const char *line)
{
    int from, number;
    if (sscanf(line, "c%d: m%d\n", &from, &number) != 2)
        return;
    CHECK_GE(from, 0);
    CHECK_LT(from, CLIENTS);
    if (me->next[from] >= 0)
        CHECK_SEED(number == me->next[from]);
    me->next[from] = number + 1;
}

static ASYNC(hear_all, ARGS((talker *, me)), LOCALS(char line[LINE + NAME]; size_t size; int error;))
{
    ASYNC_BEGIN;
    do {
        AWAIT_CATCH_INTO(self->error, self->size,
                         thrum_stream_read_line(self->me->stream, self->line, sizeof self->line));
        if (!self->error && self->size)
            hear_line(self->me, self->line);
    } while (!self->error && self->size);
    self->me->error = self->error;
    self->me->over = !self->error;
    ASYNC_END;
}

static ASYNC(say, ARGS((talker *, me), (test_dice, dice)), LOCALS(char line[40]; int i; int size;))
{
    ASYNC_BEGIN;
    for (self->i = -1; self->i <= MESSAGES; self->i++) {
        if (self->i < 0)
            self->size = snprintf(self->line, sizeof self->line, "c%d\n", self->me->number);
        else if (self->i < MESSAGES)
            self->size = snprintf(self->line, sizeof self->line, "m%d\n", self->i);
        else
            self->size = snprintf(self->line, sizeof self->line, "/quit\n");
        AWAIT(thrum_stream_write(self->me->stream, self->line, (size_t)self->size));
        AWAIT(thrum_sleep(roll_time(&self->dice, 1000)));
    }
    ASYNC_END;
}

static ASYNC(be_there, ARGS((int, number)), LOCALS(talker me; test_dice dice; thrum_task * ears; int said; int i;))
{
    ASYNC_BEGIN;
    self->me.number = self->number;
    for (self->i = 0; self->i < CLIENTS; self->i++)
        self->me.next[self->i] = -1;
    self->dice = dice_of(100 + (unsigned)self->number);
    AWAIT(thrum_sleep(roll_time(&self->dice, 3000)));
    AWAIT_CATCH_INTO(self->me.error, self->me.stream, thrum_open_connection("127.0.0.1", "7778"));
    if (!self->me.error) {
        self->ears = thrum_spawn(hear_all(&self->me));
        AWAIT_CATCH(self->said, say(&self->me, self->dice));
        AWAIT(self->ears);
        /* Whoever was bidden farewell after "/quit" has said and heard everything. */
        if (self->me.over && !self->said) {
            CHECK_SEED(self->me.next[self->number] == MESSAGES);
            chats_whole++;
        }
    }
    CHECK_SEED(stormy() || (!self->me.error && !self->said));
FINALLY:
    thrum_task_release(self->ears);
    thrum_stream_release(self->me.stream);
    ASYNC_END;
}

static ASYNC(chat_day, ARGS((void *, context)),
             LOCALS(thrum_test_network *network; thrum_task * server; thrum_group group; int i;))
{
    ASYNC_BEGIN;
    CHECK_EQ(open_network(&self->network), 0);
    self->server = thrum_spawn(app("7778"));
    WITH (self->group, thrum_group_open(&self->group)) {
        thrum_group_spawn(&self->group, break_things(self->network, "home", "home"));
        for (self->i = 0; self->i < CLIENTS; self->i++)
            thrum_group_spawn(&self->group, be_there(self->i));
    }
    AWAIT(end_task(self->server));
    thrum_test_network_close(self->network);
    ASYNC_END;
}

static thrum_awaitable chat_program(void *context)
{
    return chat_day(context);
}

static void nobody_is_left(void)
{
    CHECK(everybody.next == &everybody);
}

TEST_LIMIT(testing_network_samples, chat, 3600)
{
    run_seeds(chat_program, nobody_is_left);
    CHECK_GT(chats_whole, CLIENTS);
}

/* ---- echo ---- */

enum { MOST = 30000, PIECE = 3000 };

/* Sends pieces, and hears them again. */
typedef struct caller {
    thrum_stream *stream;
    unsigned number;
    size_t size;
} caller;

static ASYNC(send_all, ARGS((const caller *, me), (test_dice, dice)), LOCALS(size_t sent; size_t part; size_t i;),
             BUFFERS(char bytes[PIECE];))
{
    ASYNC_BEGIN;
    while (self->sent < self->me->size) {
        self->part = 1 + roll(&self->dice, PIECE);
        if (self->part > self->me->size - self->sent)
            self->part = self->me->size - self->sent;
        for (self->i = 0; self->i < self->part; self->i++)
            self->bytes[self->i] = byte_at(self->me->number, self->sent + self->i);
        AWAIT(thrum_stream_write(self->me->stream, self->bytes, self->part));
        self->sent += self->part;
        if (!roll(&self->dice, 3))
            AWAIT(thrum_sleep(roll_time(&self->dice, 500)));
    }
    CHECK_EQ(thrum_stream_write_eof(self->me->stream), 0);
    ASYNC_END;
}

static ASYNC(hear_again, ARGS((const caller *, me)), LOCALS(size_t heard; size_t size;), BUFFERS(char bytes[PIECE];))
{
    ASYNC_BEGIN;
    for (;;) {
        AWAIT_INTO(self->size, thrum_stream_read(self->me->stream, self->bytes, PIECE));
        for (size_t i = 0; i < self->size; i++)
            CHECK_SEED(self->bytes[i] == byte_at(self->me->number, self->heard + i));
        self->heard += self->size;
        if (!self->size)
            break;
    }
    CHECK_SEED(self->heard == self->me->size); /* the end comes behind everything */
    ASYNC_END;
}

static ASYNC(call_echo, ARGS((unsigned, number)), LOCALS(caller me; test_dice dice; int error;))
{
    ASYNC_BEGIN;
    self->dice = dice_of(100 + self->number);
    self->me.number = self->number;
    self->me.size = roll(&self->dice, MOST);
    AWAIT(thrum_sleep(roll_time(&self->dice, 3000)));
    AWAIT_CATCH_INTO(self->error, self->me.stream, thrum_open_connection("127.0.0.1", "7777"));
    if (!self->error)
        AWAIT_CATCH(self->error, thrum_gather(NULL, send_all(&self->me, self->dice), hear_again(&self->me)));
    CHECK_SEED(stormy() || !self->error);
FINALLY:
    thrum_stream_release(self->me.stream);
    ASYNC_END;
}

static ASYNC(echo_day, ARGS((void *, context)),
             LOCALS(thrum_test_network *network; thrum_task * server; thrum_group group; unsigned i;))
{
    ASYNC_BEGIN;
    CHECK_EQ(open_network(&self->network), 0);
    self->server = thrum_spawn(echo_app("7777", NULL));
    WITH (self->group, thrum_group_open(&self->group)) {
        thrum_group_spawn(&self->group, break_things(self->network, "home", "home"));
        for (self->i = 0; self->i < CLIENTS; self->i++)
            thrum_group_spawn(&self->group, call_echo(self->i));
    }
    AWAIT(end_task(self->server));
    thrum_test_network_close(self->network);
    ASYNC_END;
}

static thrum_awaitable echo_program(void *context)
{
    return echo_day(context);
}

static void nothing(void) {}

TEST_LIMIT(testing_network_samples, echo, 3600)
{
    run_seeds(echo_program, nothing);
}
