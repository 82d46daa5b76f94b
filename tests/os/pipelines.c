/* Programs that are piped together. */
#include "children.h"

#define SHELL(text)                                                                                                    \
    {                                                                                                                  \
        .command = text                                                                                                \
    }

static const thrum_subprocess_options first_pipe = {.size = sizeof first_pipe, .in = {THRUM_STDIO_PIPE, 0}};
static const thrum_subprocess_options last_pipe = {.size = sizeof last_pipe, .out = {THRUM_STDIO_PIPE, 0}};

/* The bytes go through all of them; each has its return code. */
CHILD_TEST(pipeline, all_of_it, LOCALS(thrum_process_output output; int code;))
{
    static const char *const tr[] = {"tr", "a-z", "A-Z", NULL};
    static const thrum_pipeline_command commands[] = {SHELL("cat"), {.arguments = tr}, SHELL("sort -r")};
    static const thrum_pipeline_command bad[] = {SHELL("cat; exit 3"), SHELL("cat >&2; exit 4"), SHELL("cat")};
    ASYNC_BEGIN;
    AWAIT_INTO(self->code, thrum_run_pipeline(commands, 3, "a\nb\nc\n", 6, &self->output));
    CHECK_EQ(self->code, 0);
    CHECK_STR(self->output.out, "C\nB\nA\n");
    thrum_process_output_free(&self->output);
    AWAIT_INTO(self->code, thrum_run_pipeline(bad, 3, "", 0, &self->output));
    CHECK_EQ(self->code, 4);
    CHECK_EQ(self->output.out_size, 0);
    thrum_process_output_free(&self->output);
    AWAIT_INTO(self->code, thrum_run_pipeline(bad, 1, "", 0, NULL)); /* one is a pipeline, too */
    CHECK_EQ(self->code, 3);
    ASYNC_END;
}

/* By its streams. */
CHILD_TEST(pipeline, streams, LOCALS(thrum_pipeline *pipeline; int code; char line[16];))
{
    static const thrum_pipeline_command commands[] = {{.command = "cat; exit 5", .options = &first_pipe},
                                                      {.command = "cat", .options = &last_pipe}};
    ASYNC_BEGIN;
    AWAIT_INTO(self->pipeline, thrum_create_pipeline(commands, 2));
    CHECK_EQ(thrum_pipeline_count(self->pipeline), 2);
    CHECK_NOT_NULL(thrum_pipeline_process(self->pipeline, 1));
    CHECK_NULL(thrum_pipeline_process(self->pipeline, 2));
    AWAIT(thrum_stream_write(thrum_pipeline_stdin(self->pipeline), "one\n", 4));
    AWAIT(thrum_stream_read_line(thrum_pipeline_stdout(self->pipeline), self->line, sizeof self->line));
    CHECK_STR(self->line, "one\n");
    AWAIT(thrum_stream_close(thrum_pipeline_stdin(self->pipeline)));
    AWAIT_INTO(self->code, thrum_pipeline_wait(self->pipeline));
    CHECK_EQ(self->code, 5);
    CHECK_EQ(thrum_process_returncode(thrum_pipeline_process(self->pipeline, 1), &self->code), 0);
    CHECK_EQ(self->code, 0);
    CHECK_EQ(thrum_pipeline_send_signal(self->pipeline, SIGTERM), -ESRCH);
    thrum_pipeline_release(self->pipeline);
    thrum_pipeline_release(NULL);
    ASYNC_END;
}

/* Signals, stopping, a group for all of them, and a release that kills. */
CHILD_TEST(pipeline, ending, LOCALS(thrum_pipeline *pipeline; int code;))
{
    static const thrum_subprocess_options grouped = {
        .size = sizeof grouped, .in = {THRUM_STDIO_PIPE, 0}, .new_process_group = true};
    static const thrum_pipeline_command commands[] = {{.command = "exec cat", .options = &grouped},
                                                      SHELL("exec cat"),
                                                      {.command = "exec cat", .options = &last_pipe}};
    ASYNC_BEGIN;
    AWAIT_INTO(self->pipeline, thrum_create_pipeline(commands, 3));
    for (size_t i = 0; i < 3; i++)
        CHECK_EQ(getpgid(thrum_process_pid(thrum_pipeline_process(self->pipeline, i))),
                 thrum_process_pid(thrum_pipeline_process(self->pipeline, 0)));
    CHECK_EQ(thrum_pipeline_send_signal(self->pipeline, SIGTERM), 0);
    AWAIT_INTO(self->code, thrum_pipeline_wait(self->pipeline));
    CHECK_EQ(self->code, -SIGTERM);
    thrum_pipeline_release(self->pipeline);
    AWAIT_INTO(self->pipeline, thrum_create_pipeline(commands, 3));
    AWAIT_INTO(self->code, thrum_pipeline_stop(self->pipeline, SECONDS(100)));
    CHECK_EQ(self->code, -SIGTERM);
    AWAIT_INTO(self->code, thrum_pipeline_stop(self->pipeline, 0));
    CHECK_EQ(self->code, -SIGTERM);
    thrum_pipeline_release(self->pipeline);
    AWAIT_INTO(self->code, thrum_pipeline_stop(NULL, 0));
    AWAIT_INTO(self->pipeline, thrum_create_pipeline(commands, 3));
    thrum_pipeline_release(self->pipeline);
    AWAIT(until_childless());
    ASYNC_END;
}

/* One that does not listen is killed after the grace; the others had ended by then. */
CHILD_TEST(pipeline, one_does_not_listen, LOCALS(thrum_pipeline *pipeline; int code; char line[16];))
{
    static const thrum_pipeline_command commands[] = {
        {.command = "trap '' TERM; echo ready; read x", .options = &first_pipe},
        {.command = "exec cat", .options = &last_pipe}};
    ASYNC_BEGIN;
    AWAIT_INTO(self->pipeline, thrum_create_pipeline(commands, 2));
    AWAIT(thrum_stream_read_line(thrum_pipeline_stdout(self->pipeline), self->line, sizeof self->line));
    CHECK_STR(self->line, "ready\n");
    AWAIT_INTO(self->code, thrum_pipeline_stop(self->pipeline, MILLISECONDS(5)));
    CHECK_EQ(self->code, -SIGTERM);
    CHECK_EQ(thrum_process_returncode(thrum_pipeline_process(self->pipeline, 0), &self->code), 0);
    CHECK_EQ(self->code, -SIGKILL);
    thrum_pipeline_release(self->pipeline);
    ASYNC_END;
}

/* A time limit around all of it: none is left, and what came by then is there. A communicate goes on. */
CHILD_TEST(pipeline, cut_short,
           LOCALS(thrum_pipeline *pipeline; thrum_process_output output; int error, code; thrum_time limit;))
{
    static const thrum_pipeline_command endless[] = {SHELL("echo begun; exec sleep 1000"), SHELL("exec cat")};
    static const thrum_pipeline_command commands[] = {{.command = "exec cat", .options = &first_pipe},
                                                      {.command = "exec cat", .options = &last_pipe}};
    ASYNC_BEGIN;
    for (self->limit = MILLISECONDS(10); !self->output.out_size; self->limit *= 2) { /* until it gets that far */
        thrum_process_output_free(&self->output);
        AWAIT_CATCH(self->error, thrum_timeout(self->limit, thrum_run_pipeline(endless, 2, NULL, 0, &self->output)));
        CHECK_EQ(self->error, THRUM_ETIMEDOUT);
        CHECK(childless());
    }
    CHECK_STR(self->output.out, "begun\n");
    thrum_process_output_free(&self->output);
    AWAIT_INTO(self->pipeline, thrum_create_pipeline(commands, 2));
    AWAIT_CATCH(self->error, thrum_timeout(0, thrum_pipeline_communicate(self->pipeline, "bytes", 5, &self->output)));
    AWAIT_INTO(self->code, thrum_pipeline_communicate(self->pipeline, "bytes", 5, &self->output));
    CHECK_EQ(self->code, 0);
    CHECK_STR(self->output.out, "bytes");
    thrum_process_output_free(&self->output);
    thrum_pipeline_release(self->pipeline);
    ASYNC_END;
}

/* One of them does not start: none is left. */
CHILD_TEST(pipeline, refused, LOCALS(int error;))
{
    static const char *const none[] = {"/no/such/program", NULL};
    static const thrum_pipeline_command commands[] = {SHELL("exec sleep 1000"), {.arguments = none}, SHELL("cat")};
    static const thrum_pipeline_command wrong[] = {{.command = "cat", .options = &last_pipe}, SHELL("cat")};
    static const thrum_subprocess_options errors = {.size = sizeof errors, .err = {THRUM_STDIO_PIPE, 0}};
    static const thrum_pipeline_command unread[] = {{.command = "head -c 200000 /dev/zero >&2", .options = &errors},
                                                    SHELL("cat")};
    static const thrum_pipeline_command both[] = {{.command = "cat", .arguments = none}}, neither[] = {{0}};
    ASYNC_BEGIN;
    AWAIT_CATCH(self->error, thrum_create_pipeline(commands, 3));
    CHECK_EQ(self->error, -ENOENT);
    CHECK_STR(thrum_error_last()->text, "/no/such/program");
    AWAIT_CATCH(self->error, thrum_create_pipeline(wrong, 2));
    CHECK_EQ(self->error, THRUM_EINVAL);
    AWAIT_CATCH(self->error, thrum_create_pipeline(both, 1));
    CHECK_EQ(self->error, THRUM_EINVAL);
    AWAIT_CATCH(self->error, thrum_create_pipeline(neither, 1));
    CHECK_EQ(self->error, THRUM_EINVAL);
    AWAIT_CATCH(self->error, thrum_create_pipeline(commands, 0));
    CHECK_EQ(self->error, THRUM_EINVAL);
    AWAIT_CATCH(self->error, thrum_run_pipeline(commands, 3, NULL, 5, NULL));
    CHECK_EQ(self->error, THRUM_EINVAL);
    AWAIT_CATCH(self->error, thrum_run_pipeline(unread, 2, NULL, 0, NULL)); /* would stand still */
    CHECK_EQ(self->error, THRUM_EINVAL);
    AWAIT(until_childless());
    ASYNC_END;
}

/* Released while another task communicates, or waits: neither looks at what is gone. */
CHILD_TEST(pipeline, released_meanwhile,
           LOCALS(thrum_pipeline *pipeline; thrum_process_output output; thrum_task * talker, *waiter;
                  outcome talked, waited; char *input; int turns, i;))
{
    static const thrum_pipeline_command commands[] = {{.command = "exec sleep 1000", .options = &first_pipe},
                                                      {.command = "exec cat", .options = &last_pipe}};
    ASYNC_BEGIN;
    self->input = calloc(1, 1 << 20);
    for (self->turns = 0; self->turns < 4; self->turns++) {
        AWAIT_INTO(self->pipeline, thrum_create_pipeline(commands, 2));
        self->talker =
            begin(thrum_pipeline_communicate(self->pipeline, self->input, 1 << 20, &self->output), &self->talked);
        self->waiter = begin(thrum_pipeline_wait(self->pipeline), &self->waited);
        for (self->i = 0; self->i < self->turns; self->i++)
            AWAIT(thrum_yield());
        thrum_pipeline_release(self->pipeline);
        AWAIT(self->talker);
        thrum_task_release(self->talker);
        AWAIT(self->waiter);
        thrum_task_release(self->waiter);
        CHECK_EQ(self->talked.error, THRUM_ECLOSED);
        CHECK_EQ(self->waited.error, THRUM_ECLOSED);
        thrum_process_output_free(&self->output);
    }
    AWAIT(until_childless());
    free(self->input);
    ASYNC_END;
}
