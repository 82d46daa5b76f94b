/* Children with each task cancelled at each of its awaits, and each block of the pool refused: no child is left, no
 * descriptor and no block, whoever was waiting for what. 154. */
#include <thrum/testing.h>

#include "children.h"

static int silent_factory(void *context, const thrum_subprocess_protocol **protocol, void **own)
{
    static const thrum_subprocess_protocol silent = {.size = sizeof silent};
    *protocol = &silent;
    *own = context;
    return 0;
}

/* Two sides of a conversation in tasks of their own, and one that is stopped. */
static ASYNC(streams, ARGS_NONE, LOCALS(thrum_process *child; char line[16]; int code;))
{
    static const char *const cat[] = {"cat", NULL};
    ASYNC_BEGIN;
    AWAIT_INTO(self->child, thrum_create_subprocess_exec(cat, &three_pipes));
    AWAIT(thrum_stream_write(thrum_process_stdin(self->child), "one\n", 4));
    AWAIT(thrum_stream_read_line(thrum_process_stdout(self->child), self->line, sizeof self->line));
    AWAIT_INTO(self->code, thrum_process_stop(self->child, SECONDS(5)));
    AWAIT(thrum_process_wait(self->child));
FINALLY:
    thrum_process_release(self->child);
    ASYNC_END;
}

static ASYNC(communicates, ARGS_NONE, LOCALS(thrum_process *child; thrum_process_output output;))
{
    static const char *const cat[] = {"cat", NULL};
    ASYNC_BEGIN;
    AWAIT_INTO(self->child, thrum_create_subprocess_exec(cat, &three_pipes));
    AWAIT(thrum_process_communicate(self->child, "hello", 5, &self->output));
    CHECK_STR(self->output.out, "hello");
FINALLY:
    thrum_process_output_free(&self->output);
    thrum_process_release(self->child);
    ASYNC_END;
}

static ASYNC(transport, ARGS_NONE, LOCALS(thrum_subprocess_transport *transport;))
{
    static const char *const echo[] = {"echo", "hello", NULL};
    ASYNC_BEGIN;
    AWAIT_INTO(self->transport, thrum_subprocess_exec(silent_factory, NULL, echo, NULL));
    AWAIT(thrum_subprocess_transport_wait_closed(self->transport));
FINALLY:
    thrum_subprocess_transport_close(self->transport);
    thrum_subprocess_transport_release(self->transport);
    ASYNC_END;
}

static ASYNC(pipeline, ARGS_NONE, LOCALS(thrum_process_output output;))
{
    static const char *const cat[] = {"cat", NULL};
    static const thrum_pipeline_command commands[] = {{.arguments = cat}, {.arguments = cat}};
    ASYNC_BEGIN;
    AWAIT(thrum_run_pipeline(commands, 2, "bytes", 5, &self->output));
    CHECK_STR(self->output.out, "bytes");
FINALLY:
    thrum_process_output_free(&self->output);
    ASYNC_END;
}

static thrum_awaitable make_streams(void *context)
{
    return (void)context, streams();
}

static thrum_awaitable make_communicates(void *context)
{
    return (void)context, communicates();
}

static thrum_awaitable make_transport(void *context)
{
    return (void)context, transport();
}

static thrum_awaitable make_pipeline(void *context)
{
    return (void)context, pipeline();
}

/* After each run: what it gave does not matter, what it left does. */
static int nothing_left(void *context, const thrum_test_options *run, const thrum_test_result *result)
{
    (void)run, (void)result;
    return !childless() || count_descriptors() != *(const int *)context;
}

static void print(void *context, const char *line)
{
    (void)context;
    fprintf(stderr, "%s\n", line);
}

static void explore(thrum_test_program *program)
{
    int descriptors = count_descriptors();
    const thrum_test_options run_options = {.size = sizeof run_options,
                                            .backend = THRUM_BACKEND_LIBEV,
                                            .most_time = SECONDS(20 * THRUM_TEST_SCALE),
                                            .errors_may_be_reported = true,
                                            .put = print};
    const thrum_test_explore_options options = {
        .size = sizeof options, .run = &run_options, .no_seeds = true, .check = nothing_left};
    thrum_test_explored explored;
    CHECK_EQ(thrum_test_explore(program, &descriptors, &options, &explored), 0);
    CHECK_GT(explored.waiting, 1);
    CHECK_GT(explored.allocations, 3);
}

#define EXPLORE(name)                                                                                                  \
    TEST_LIMIT(explore, name, 120)                                                                                     \
    {                                                                                                                  \
        explore(make_##name);                                                                                          \
    }

EXPLORE(streams)
EXPLORE(communicates)
EXPLORE(transport)
EXPLORE(pipeline)
