/* Child processes: signals, waiting, and how they end, by themselves and by us. Numbers are those of
 * tests/os/PORTED.md. */
#include "children.h"

/* Wait in the system for the child to have ended; the loop has not seen it then. */
static void await_zombie(const thrum_process *child)
{
    siginfo_t info;
    CHECK_EQ(waitid(P_PID, (id_t)thrum_process_pid(child), &info, WEXITED | WNOWAIT), 0);
}

/* test_kill, test_terminate, test_send_signal: negative return codes. */
CHILD_TEST(process, signals, LOCALS(thrum_process *child; int code, i;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < 3; self->i++) {
        AWAIT_INTO(self->child, thrum_create_subprocess_exec(COMMAND("cat"), &three_pipes));
        CHECK_EQ(thrum_process_send_signal(self->child, 0), 0);
        CHECK_EQ(thrum_process_send_signal(self->child, -1), THRUM_EINVAL);
        CHECK_EQ(thrum_process_send_signal(self->child, 4711), THRUM_EINVAL);
        CHECK_EQ(self->i == 0   ? thrum_process_kill(self->child)
                 : self->i == 1 ? thrum_process_terminate(self->child)
                                : thrum_process_send_signal(self->child, SIGHUP),
                 0);
        AWAIT_INTO(self->code, thrum_process_wait(self->child));
        CHECK_EQ(self->code, self->i == 0 ? -SIGKILL : self->i == 1 ? -SIGTERM : -SIGHUP);
        CHECK_EQ(thrum_process_kill(self->child), -ESRCH);
        CHECK_EQ(thrum_process_terminate(self->child), -ESRCH);
        thrum_process_release(self->child);
    }
    ASYNC_END;
}

/* 156, test_subprocess_send_signal_race, test_kill_issue43884: it has ended, and the loop does not know yet. */
CHILD_TEST(process, signal_race, LOCALS(thrum_process *child; int code;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->child, thrum_create_subprocess_exec(COMMAND("sh", "-c", "exit 5"), NULL));
    await_zombie(self->child);
    CHECK_EQ(thrum_process_send_signal(self->child, SIGTERM), 0);
    CHECK_EQ(thrum_process_kill(self->child), 0);
    AWAIT_INTO(self->code, thrum_process_wait(self->child));
    CHECK_EQ(self->code, 5);
    ASYNC_RETURN(0);
FINALLY:
    thrum_process_release(self->child);
    ASYNC_END;
}

/* 155: somebody else has taken the status. */
CHILD_TEST(process, stolen_status, LOCALS(thrum_process *child; int code;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->child, thrum_create_subprocess_exec(COMMAND("sh", "-c", "exit 5"), NULL));
    CHECK_EQ(waitpid(thrum_process_pid(self->child), NULL, 0), thrum_process_pid(self->child));
    CHECK_EQ(thrum_process_kill(self->child), 0);
    AWAIT_INTO(self->code, thrum_process_wait(self->child));
    CHECK_EQ(self->code, 255);
    CHECK_EQ(thrum_process_kill(self->child), -ESRCH);
    thrum_process_release(self->child);
    ASYNC_END;
}

/* Children of the application are its own. */
CHILD_TEST(process, others_are_left_alone, LOCALS(thrum_process *child; int own, code;))
{
    int status;
    ASYNC_BEGIN;
    self->own = fork();
    if (self->own == 0)
        _exit(9);
    for (self->code = 0; self->code < 3; self->code++) {
        AWAIT_INTO(self->child, thrum_create_subprocess_exec(COMMAND("true"), NULL));
        AWAIT(thrum_process_wait(self->child));
        thrum_process_release(self->child);
    }
    CHECK_EQ(waitpid(self->own, &status, 0), self->own);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 9);
    ASYNC_END;
}

/* Several tasks wait; one of them is cancelled, another one has no time; one waits when the handle goes. */
CHILD_TEST(process, waiters,
           LOCALS(thrum_process *child; outcome first, second, third; thrum_task * tasks[3]; int error;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->child, thrum_create_subprocess_exec(COMMAND("cat"), &three_pipes));
    self->tasks[0] = begin(thrum_process_wait(self->child), &self->first);
    self->tasks[1] = begin(thrum_process_wait(self->child), &self->second);
    AWAIT_CATCH(self->error, thrum_timeout(MILLISECONDS(1), thrum_process_wait(self->child)));
    CHECK_EQ(self->error, THRUM_ETIMEDOUT);
    thrum_task_cancel(self->tasks[0]);
    AWAIT(self->tasks[0]);
    CHECK_EQ(self->first.error, THRUM_ECANCELED);
    AWAIT(thrum_stream_close(thrum_process_stdin(self->child)));
    AWAIT(self->tasks[1]);
    CHECK_EQ(self->second.error, 0);
    CHECK_EQ(self->second.value, 0);
    thrum_process_release(self->child);
    AWAIT_INTO(self->child, thrum_create_subprocess_exec(COMMAND("cat"), &three_pipes));
    self->tasks[2] = begin(thrum_process_wait(self->child), &self->third);
    thrum_process_release(self->child);
    AWAIT(self->tasks[2]);
    CHECK_EQ(self->third.error, THRUM_ECLOSED);
    for (int i = 0; i < 3; i++)
        thrum_task_release(self->tasks[i]);
    AWAIT(until_childless());
    ASYNC_END;
}

/* 149: it has ended before anybody looks. */
CHILD_TEST(process, ended_before_the_wait, LOCALS(thrum_process *child; int code, i;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < 10; self->i++) {
        AWAIT_INTO(self->child, thrum_create_subprocess_exec(COMMAND("sh", "-c", "exit 5"), NULL));
        await_zombie(self->child);
        CHECK_EQ(thrum_process_returncode(self->child, NULL), THRUM_EPENDING);
        AWAIT_INTO(self->code, thrum_process_wait(self->child));
        CHECK_EQ(self->code, 5);
        thrum_process_release(self->child);
    }
    ASYNC_END;
}

/* 154, test_close_kill_running: a handle that goes ends the child, and it is taken from the system: while the loop
 * runs, when it closes, and when it had ended already. */
CHILD_TEST(process, release, LOCALS(thrum_process *child; int i;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->child, thrum_create_subprocess_exec(COMMAND("sleep", "1000"), NULL));
    thrum_process_release(self->child);
    AWAIT(until_childless());
    AWAIT_INTO(self->child, thrum_create_subprocess_exec(COMMAND("true"), NULL));
    await_zombie(self->child);
    thrum_process_release(self->child);
    AWAIT_INTO(self->child, thrum_create_subprocess_exec(COMMAND("sleep", "1000"), NULL));
    thrum_process_release(self->child);
    ASYNC_END;
}

/* 157: nobody has given it back when the loop closes. */
static int left_number;
static ASYNC(leave_one, ARGS_NONE, LOCALS(thrum_process *child;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->child, thrum_create_subprocess_exec(COMMAND("sleep", "1000"), &three_pipes));
    left_number = thrum_process_pid(self->child);
    ASYNC_END;
}

TEST(process, left_to_the_loop)
{
    for (int i = 0; i < 2; i++) {
        spawn_portable = i;
        run(leave_one);
        while (kill(left_number, 0) == 0) /* without a descriptor a thread takes it */
            usleep(100);
        CHECK_EQ(errno, ESRCH);
    }
    CHECK(childless());
}

/* A child that is to live on does. */
CHILD_TEST(process, detach,
           LOCALS(thrum_process *child; int ends[2], other[2]; thrum_stream * from; char text[8];
                  thrum_subprocess_descriptor moves[2];))
{
    thrum_subprocess_options options = {.size = sizeof options};
    ASYNC_BEGIN;
    CHECK_EQ(pipe2(self->ends, O_CLOEXEC), 0);
    CHECK_EQ(pipe2(self->other, O_CLOEXEC), 0);
    self->moves[0] = (thrum_subprocess_descriptor){self->ends[0], 8};
    self->moves[1] = (thrum_subprocess_descriptor){self->other[1], 9};
    options.descriptors = self->moves;
    options.descriptor_count = 2;
    AWAIT_INTO(self->child, thrum_create_subprocess_shell("read x <&8; echo $x >&9", &options));
    thrum_process_detach(self->child);
    thrum_process_detach(NULL);
    AWAIT(thrum_sleep(0));
    CHECK_EQ(write(self->ends[1], "on\n", 3), 3);
    close(self->ends[0]);
    close(self->ends[1]);
    close(self->other[1]);
    CHECK_EQ(thrum_stream_adopt_pipe(&self->from, self->other[0], NULL), 0);
    AWAIT(thrum_stream_read_exactly(self->from, self->text, 3));
    CHECK_MEM(self->text, "on\n", 3);
    thrum_stream_release(self->from);
    AWAIT(until_childless());
    ASYNC_END;
}

/* ---- stopping ---- */

/* One that ends when it is asked, one that has to be killed, one that has ended, and at once. */
CHILD_TEST(process, stop, LOCALS(thrum_process *child; int code; char line[16];))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->child, thrum_create_subprocess_exec(COMMAND("cat"), &three_pipes));
    AWAIT_INTO(self->code, thrum_process_stop(self->child, SECONDS(100)));
    CHECK_EQ(self->code, -SIGTERM);
    AWAIT_INTO(self->code, thrum_process_stop(self->child, SECONDS(100)));
    CHECK_EQ(self->code, -SIGTERM);
    thrum_process_release(self->child);
    AWAIT_INTO(self->child, thrum_create_subprocess_shell("trap '' TERM; echo ready; read x", &three_pipes));
    AWAIT(thrum_stream_read_line(thrum_process_stdout(self->child), self->line, sizeof self->line));
    AWAIT_INTO(self->code, thrum_process_stop(self->child, MILLISECONDS(5)));
    CHECK_EQ(self->code, -SIGKILL);
    thrum_process_release(self->child);
    AWAIT_INTO(self->child, thrum_create_subprocess_exec(COMMAND("cat"), &three_pipes));
    AWAIT_INTO(self->code, thrum_process_stop(self->child, 0));
    CHECK_EQ(self->code, -SIGKILL);
    thrum_process_release(self->child);
    AWAIT_INTO(self->code, thrum_process_stop(NULL, 0));
    CHECK_EQ(self->code, 0);
    ASYNC_END;
}

/* A child whose own child holds the pipe: its exit is known; the pipe's end comes when all of the group is killed. */
CHILD_TEST(process, whole_group,
           LOCALS(thrum_process *child; int code, error, i; thrum_process_output output; char byte;))
{
    static const thrum_subprocess_options options = {.size = sizeof options,
                                                     .in = {THRUM_STDIO_DEVNULL, 0},
                                                     .out = {THRUM_STDIO_PIPE, 0},
                                                     .err = {THRUM_STDIO_PIPE, 0},
                                                     .new_process_group = true,
                                                     .whole_group = true};
    ASYNC_BEGIN;
    for (self->i = 0; self->i < 3; self->i++) {
        AWAIT_INTO(self->child, thrum_create_subprocess_shell("sleep 1000 & echo here; exit 4", &options));
        AWAIT_INTO(self->code, thrum_process_wait(self->child));
        CHECK_EQ(self->code, 4);
        AWAIT_CATCH(self->error,
                    thrum_timeout(MILLISECONDS(5), thrum_process_communicate(self->child, NULL, 0, &self->output)));
        CHECK_EQ(self->error, THRUM_ETIMEDOUT);
        CHECK_STR(self->output.out, "here\n");
        if (self->i == 0) {
            CHECK_EQ(thrum_process_kill(self->child), 0);
        } else if (self->i == 1) {
            AWAIT_INTO(self->code, thrum_process_stop(self->child, SECONDS(1)));
            CHECK_EQ(self->code, 4);
        } else {
            int copy = dup(thrum_stream_descriptor(thrum_process_stdout(self->child)));
            CHECK_LT(copy, 0); /* a pipe's is not a socket: this handle is the only way to it */
            thrum_process_release(self->child);
        }
        if (self->i < 2) {
            AWAIT_INTO(self->code, thrum_process_communicate(self->child, NULL, 0, &self->output));
            CHECK_EQ(self->code, 4);
            thrum_process_release(self->child);
        }
        thrum_process_output_free(&self->output);
    }
    ASYNC_END;
}

/* Released while another task communicates, which is wherever it is by then: it looks at nothing that is gone, and does
 * not wait for an end that nobody tells of. */
CHILD_TEST(process, released_while_communicating,
           LOCALS(thrum_process *child; thrum_process_output output; thrum_task * task; outcome how; char *input;
                  int pipes, turns, i;))
{
    ASYNC_BEGIN;
    self->input = calloc(1, 1 << 20);
    for (self->pipes = 0; self->pipes < 3; self->pipes++) {
        for (self->turns = 0; self->turns < 4; self->turns++) {
            thrum_subprocess_options options = three_pipes;
            if (self->pipes < 2)
                options.out.kind = options.err.kind = THRUM_STDIO_DEVNULL; /* only the input */
            AWAIT_INTO(self->child, thrum_create_subprocess_exec(COMMAND("sleep", "1000"), &options));
            self->task = begin(thrum_process_communicate(self->child, self->pipes == 1 ? NULL : self->input,
                                                         self->pipes == 1 ? 0 : 1 << 20, &self->output),
                               &self->how);
            for (self->i = 0; self->i < self->turns; self->i++)
                AWAIT(thrum_yield());
            thrum_process_release(self->child);
            AWAIT(self->task);
            thrum_task_release(self->task);
            CHECK_EQ(self->how.error, THRUM_ECLOSED);
            thrum_process_output_free(&self->output);
        }
    }
    AWAIT(until_childless());
    free(self->input);
    ASYNC_END;
}
