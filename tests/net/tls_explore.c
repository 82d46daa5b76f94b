/* TLS over connections that fragment, break and stall, in virtual time: a cancellation at every await, every block of
 * memory refused once, hundreds of seeds. */
#include <thrum/testing.h>

#include "tls_support.h"

static thrum_tls_context *ours, *theirs;

static void contexts(void)
{
    ours = client_context();
    theirs = server_of(localhost());
}

static void no_contexts(void)
{
    thrum_tls_context_release(ours);
    thrum_tls_context_release(theirs);
}

/* ---- a conversation ---- */

enum { SIZE = 3000 };

static ASYNC(serve, ARGS((thrum_stream *, client), (void *, context)), LOCALS(size_t got;), BUFFERS(char bytes[512];))
{
    ASYNC_BEGIN;
    AWAIT(thrum_start_tls(self->client, theirs, true, NULL));
    for (;;) {
        AWAIT_INTO(self->got, thrum_stream_read(self->client, self->bytes, sizeof self->bytes));
        if (!self->got)
            break;
        AWAIT(thrum_stream_write(self->client, self->bytes, self->got));
    }
    AWAIT(thrum_stream_close(self->client));
    ASYNC_END;
}

static ASYNC(converse, ARGS((void *, context)), LOCALS(thrum_stream *stream;), BUFFERS(char bytes[SIZE];))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->stream, thrum_test_connect(serve, NULL, (const thrum_test_script *)self->context));
    AWAIT(thrum_start_tls(self->stream, ours, false, "localhost"));
    for (int i = 0; i < SIZE; i++)
        self->bytes[i] = (char)(i % 251);
    AWAIT(thrum_stream_write(self->stream, self->bytes, SIZE));
    AWAIT(thrum_stream_flush(self->stream));
    memset(self->bytes, 0, SIZE);
    AWAIT(thrum_stream_read_exactly(self->stream, self->bytes, SIZE));
    for (int i = 0; i < SIZE; i++)
        if ((unsigned char)self->bytes[i] != i % 251)
            ASYNC_RAISE(THRUM_EAPP(1));
    AWAIT(thrum_stream_close(self->stream));
FINALLY:
    thrum_stream_release(self->stream);
    ASYNC_END;
}

static thrum_awaitable conversation(void *context)
{
    return converse(context);
}

/* One byte at a time, in both directions, and as little is taken at a time. */
TEST_LIMIT(tls_explore, one_byte_at_a_time, 60)
{
    thrum_test_script script = {
        .size = sizeof script, .there = {.fragment = 1, .short_send = 1}, .back = {.fragment = 1, .short_send = 1}};
    thrum_test_options options = {.size = sizeof options};
    contexts();
    CHECK_EQ(thrum_test_run_program(conversation, &script, &options, NULL), 0);
    no_contexts();
}

TEST_LIMIT(tls_explore, everywhere, 120)
{
    thrum_test_script script = {.size = sizeof script,
                                .there = {.fragment = 700, .window = 2000},
                                .back = {.fragment = 900, .latency = MILLISECONDS(5)}};
    thrum_test_explored explored;
    contexts();
    CHECK_EQ(thrum_test_explore(conversation, &script, NULL, &explored), 0);
    CHECK_GE(explored.waiting, 10);
    CHECK_GE(explored.woken, 10);
    CHECK_GE(explored.allocations, 10);
    no_contexts();
}

/* ---- connections that break ---- */

/* Every byte that is read is right, and what does not come is an error that one expects. THRUM_ETLS is none of them,
 * but where the peer was cut off in the middle of a record, and says so. */
static bool expected(int error)
{
    const thrum_error *detail = thrum_error_last();
    if (error == THRUM_ETLS)
        return detail && !strcmp(detail->text, "the peer refused: decode error");
    return !error || error == -ECONNRESET || error == -EPIPE || error == THRUM_ETRUNCATED || error == THRUM_ETIMEDOUT ||
           error == THRUM_EINCOMPLETE;
}

static ASYNC(try_to_converse, ARGS((void *, context)), LOCALS(int error;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH(self->error, thrum_timeout(SECONDS(100), converse(self->context)));
    if (!expected(self->error))
        ASYNC_RAISE(self->error);
    ASYNC_END;
}

static thrum_awaitable attempt(void *context)
{
    return try_to_converse(context);
}

TEST_LIMIT(tls_explore, breaks_anywhere, 120)
{
    thrum_test_options options = {.size = sizeof options, .errors_may_be_reported = true};
    contexts();
    for (unsigned seed = 1; seed <= 400; seed++) {
        thrum_test_script script = {.size = sizeof script, .seed = seed};
        script.there = (thrum_test_link){.fragment = 1 + seed % 1000, .random = true, .jitter = MILLISECONDS(3)};
        script.back = (thrum_test_link){.short_send = 1 + seed * 7 % 2000, .random = true};
        thrum_test_link *link = seed & 1 ? &script.there : &script.back;
        if (seed & 2)
            link->cut_after = 1 + seed * 37 % 6000;
        else
            link->stall_after = 1 + seed * 41 % 6000;
        if (seed & 4)
            link->stall = SECONDS(5);
        if (seed & 8)
            link->cut_error = -ECONNRESET;
        options.seed = seed;
        CHECK_EQ(thrum_test_run_program(attempt, &script, &options, NULL), 0);
    }
    no_contexts();
}

/* TLS inside of TLS, over one that fragments. */
static ASYNC(serve_twice, ARGS((thrum_stream *, client), (void *, context)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_start_tls(self->client, theirs, true, NULL));
    AWAIT(serve(self->client, self->context));
    ASYNC_END;
}

static ASYNC(converse_twice, ARGS((void *, context)), LOCALS(thrum_stream *stream; long got;), BUFFERS(char bytes[8];))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->stream, thrum_test_connect(serve_twice, NULL, (const thrum_test_script *)self->context));
    AWAIT(thrum_start_tls(self->stream, ours, false, "localhost"));
    AWAIT(thrum_start_tls(self->stream, ours, false, "localhost"));
    AWAIT(thrum_stream_write(self->stream, "inside", 6));
    AWAIT(thrum_stream_flush(self->stream));
    AWAIT(thrum_stream_read_exactly(self->stream, self->bytes, 6));
    AWAIT(thrum_stream_close(self->stream));
FINALLY:
    thrum_stream_release(self->stream);
    ASYNC_END;
}

static thrum_awaitable conversation_twice(void *context)
{
    return converse_twice(context);
}

TEST_LIMIT(tls_explore, twice, 120)
{
    thrum_test_script script = {.size = sizeof script, .there = {.fragment = 700}, .back = {.fragment = 900}};
    thrum_test_explore_options options = {.size = sizeof options, .seeds = 5};
    contexts();
    CHECK_EQ(thrum_test_explore(conversation_twice, &script, &options, NULL), 0);
    no_contexts();
}
