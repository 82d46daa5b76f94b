/* Many children, and much to say: in a row, at once, megabytes both ways. TEST_SPAWNS and TEST_MEGABYTES set other
 * amounts. Numbers are those of tests/os/PORTED.md. */
#include "children.h"

static size_t amount(const char *name, size_t usual)
{
    const char *text = getenv(name);
    return text ? (size_t)strtoul(text, NULL, 10) : usual / THRUM_TEST_SCALE;
}

/* So many in a row; each with a pipe. run() looks for descriptors and blocks that were left, and for children. */
CHILD_TEST_LIMIT(load, in_a_row, 1000, LOCALS(thrum_process *child; thrum_process_output output; size_t i; int code;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < amount("TEST_SPAWNS", 150); self->i++) {
        AWAIT_INTO(self->child, thrum_create_subprocess_exec(COMMAND("echo", "hello"), &three_pipes));
        AWAIT_INTO(self->code, thrum_process_communicate(self->child, NULL, 0, &self->output));
        CHECK_EQ(self->code, 0);
        CHECK_STR(self->output.out, "hello\n");
        thrum_process_output_free(&self->output);
        thrum_process_release(self->child);
    }
    CHECK(childless());
    ASYNC_END;
}

static ASYNC(one_of_many, ARGS((int, number)), LOCALS(char text[256], command[32]; int code;))
{
    ASYNC_BEGIN;
    snprintf(self->command, sizeof self->command, "read x; exit %d", self->number % 100);
    AWAIT_INTO(self->code, ask(self->command, &three_pipes, self->text));
    CHECK_EQ(self->code, self->number % 100);
    ASYNC_END;
}

enum { AT_ONCE = 200 };

/* 200 at once. */
CHILD_TEST_LIMIT(load, at_once, 60, LOCALS(thrum_group group;))
{
    ASYNC_BEGIN;
    WITH (self->group, thrum_group_open(&self->group)) {
        for (int i = 0; i < AT_ONCE / THRUM_TEST_SCALE; i++)
            CHECK_EQ(thrum_group_spawn_detached(&self->group, one_of_many(i)), 0);
    }
    CHECK(childless());
    ASYNC_END;
}

/* 153, test_communicate: much on both pipes and much to read at once. */
CHILD_TEST_LIMIT(load, megabytes, 100,
                 LOCALS(thrum_process *child; thrum_process_output output; int code; char *input; size_t size;
                        char command[128];))
{
    ASYNC_BEGIN;
    self->size = amount("TEST_MEGABYTES", 4) << 20;
    self->input = counted(self->size);
    snprintf(self->command, sizeof self->command, "head -c %zu /dev/zero >&2 & cat; wait", self->size);
    AWAIT_INTO(self->child, thrum_create_subprocess_shell(self->command, &three_pipes));
    AWAIT_INTO(self->code, thrum_process_communicate(self->child, self->input, self->size, &self->output));
    CHECK_EQ(self->code, 0);
    CHECK_EQ(self->output.out_size, self->size);
    CHECK_EQ(self->output.err_size, self->size);
    CHECK_MEM(self->output.out, self->input, self->size);
    CHECK_EQ(self->output.out[self->size], 0);
    thrum_process_output_free(&self->output);
    thrum_process_release(self->child);
    free(self->input);
    ASYNC_END;
}

/* test_communicate_ignore_broken_pipe, test_stdin_broken_pipe: it does not want what it is given. */
CHILD_TEST(load, unwanted_input,
           LOCALS(thrum_process *child; thrum_process_output output; int code, error; char *input;))
{
    ASYNC_BEGIN;
    self->input = counted(1 << 20);
    AWAIT_INTO(self->child, thrum_create_subprocess_shell("exec <&-; echo enough; exit 6", &three_pipes));
    AWAIT_INTO(self->code, thrum_process_communicate(self->child, self->input, 1 << 20, &self->output));
    CHECK_EQ(self->code, 6);
    CHECK_STR(self->output.out, "enough\n");
    CHECK_EQ(self->output.taken, 1 << 20);
    thrum_process_output_free(&self->output);
    thrum_process_release(self->child);
    AWAIT_INTO(self->child, thrum_create_subprocess_shell("read x; exit 6", &three_pipes));
    AWAIT_CATCH(self->error, thrum_stream_write(thrum_process_stdin(self->child), "\n", 1));
    AWAIT_CATCH(self->error, thrum_stream_write(thrum_process_stdin(self->child), self->input, 1 << 20));
    CHECK(self->error == -EPIPE);
    AWAIT_INTO(self->code, thrum_process_wait(self->child));
    CHECK_EQ(self->code, 6);
    thrum_process_release(self->child);
    free(self->input);
    ASYNC_END;
}

/* test_read_stdout_after_process_exit, test_pause_reading: what it has said stays there to be read. */
CHILD_TEST(load, read_after_the_exit, LOCALS(thrum_process *child; thrum_process_output output; int code;))
{
    static const thrum_stream_options small = {.size = sizeof small, .limit = 16};
    thrum_subprocess_options options = three_pipes;
    ASYNC_BEGIN;
    options.stream = &small;
    AWAIT_INTO(self->child, thrum_create_subprocess_shell("head -c 5000 /dev/zero; exit 2", &options));
    AWAIT_INTO(self->code, thrum_process_wait(self->child));
    CHECK_EQ(self->code, 2);
    AWAIT_INTO(self->code, thrum_process_communicate(self->child, NULL, 0, &self->output));
    CHECK_EQ(self->code, 2);
    CHECK_EQ(self->output.out_size, 5000);
    thrum_process_output_free(&self->output);
    thrum_process_release(self->child);
    ASYNC_END;
}

static thrum_awaitable until_output(const thrum_process_output *output, size_t size);
static ASYNC(until_output_, ARGS((const thrum_process_output *, output), (size_t, size)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    while (self->output->out_size < self->size)
        AWAIT(thrum_sleep(MICROSECONDS(100)));
    ASYNC_END;
}
static thrum_awaitable until_output(const thrum_process_output *output, size_t size)
{
    return until_output_(output, size);
}

/* test_subprocess_communicate_cancelled's opposite: a cancelled one has lost nothing, in or out, however often. */
CHILD_TEST(load, communicate_goes_on,
           LOCALS(thrum_subprocess_descriptor extra; thrum_process * child; thrum_process_output output; outcome how;
                  thrum_task * task; int code, ends[2], i; char *input; size_t size;))
{
    thrum_subprocess_options options = three_pipes;
    ASYNC_BEGIN;
    CHECK_EQ(pipe2(self->ends, O_CLOEXEC), 0);
    self->size = 300000;
    self->input = counted(self->size);
    self->extra = (thrum_subprocess_descriptor){self->ends[0], 9};
    options.descriptors = &self->extra;
    options.descriptor_count = 1;
    AWAIT_INTO(self->child,
               thrum_create_subprocess_shell("echo one; read x <&9; echo two; read x <&9; cat; exit 1", &options));
    for (self->i = 0; self->i < 2; self->i++) {
        self->task = begin(thrum_process_communicate(self->child, self->input, self->size, &self->output), &self->how);
        AWAIT(until_output(&self->output, self->i ? 8 : 4));
        thrum_task_cancel(self->task);
        AWAIT(self->task);
        CHECK_EQ(self->how.error, THRUM_ECANCELED);
        thrum_task_release(self->task);
        CHECK_STR(self->output.out, self->i ? "one\ntwo\n" : "one\n");
        CHECK_LT(self->output.taken, self->size);
        CHECK_EQ(write(self->ends[1], "\n", 1), 1);
    }
    AWAIT_INTO(self->code, thrum_process_communicate(self->child, self->input, self->size, &self->output));
    CHECK_EQ(self->code, 1);
    CHECK_EQ(self->output.out_size, self->size + 8);
    CHECK_MEM(self->output.out + 8, self->input, self->size);
    thrum_process_output_free(&self->output);
    thrum_process_release(self->child);
    close(self->ends[0]);
    close(self->ends[1]);
    free(self->input);
    ASYNC_END;
}

/* More than was wanted: an error, and it goes on with another limit. */
CHILD_TEST(load, too_much_output, LOCALS(thrum_process *child; thrum_process_output output; int code, error;))
{
    ASYNC_BEGIN;
    self->output.most = 1000;
    AWAIT_INTO(self->child, thrum_create_subprocess_shell("head -c 100000 /dev/zero; exit 3", &three_pipes));
    for (self->code = 0; self->code < 2; self->code++) {
        AWAIT_CATCH(self->error, thrum_process_communicate(self->child, NULL, 0, &self->output));
        CHECK_EQ(self->error, THRUM_ELIMIT);
        CHECK_EQ(self->output.out_size, 1001);
    }
    self->output.most = 100000;
    AWAIT_INTO(self->code, thrum_process_communicate(self->child, NULL, 0, &self->output));
    CHECK_EQ(self->code, 3);
    CHECK_EQ(self->output.out_size, 100000);
    thrum_process_output_free(&self->output);
    CHECK_EQ(self->output.most, 100000);
    thrum_process_release(self->child);
    ASYNC_END;
}

/* 152: it closes its pipes and lives on: the ends are there, the exit is not. */
CHILD_TEST(load, closes_and_lives_on,
           LOCALS(thrum_subprocess_descriptor extra; thrum_process * child; thrum_process_output output;
                  int code, error, ends[2]; char byte;))
{
    thrum_subprocess_options options = three_pipes;
    ASYNC_BEGIN;
    CHECK_EQ(pipe2(self->ends, O_CLOEXEC), 0);
    self->extra = (thrum_subprocess_descriptor){self->ends[0], 9};
    options.descriptors = &self->extra;
    options.descriptor_count = 1;
    AWAIT_INTO(self->child, thrum_create_subprocess_shell("exec >&- 2>&-; read x <&9; exit 8", &options));
    AWAIT_INTO(self->code, thrum_stream_read(thrum_process_stdout(self->child), &self->byte, 1));
    CHECK_EQ(self->code, 0);
    CHECK_EQ(thrum_process_returncode(self->child, NULL), THRUM_EPENDING);
    AWAIT_CATCH(self->error,
                thrum_timeout(MILLISECONDS(2), thrum_process_communicate(self->child, NULL, 0, &self->output)));
    CHECK_EQ(self->error, THRUM_ETIMEDOUT);
    CHECK_EQ(write(self->ends[1], "\n", 1), 1);
    AWAIT_INTO(self->code, thrum_process_communicate(self->child, NULL, 0, &self->output));
    CHECK_EQ(self->code, 8);
    thrum_process_output_free(&self->output);
    thrum_process_release(self->child);
    close(self->ends[0]);
    close(self->ends[1]);
    ASYNC_END;
}
