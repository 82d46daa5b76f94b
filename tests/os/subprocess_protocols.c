/* Child processes with protocols. Numbers are those of tests/os/PORTED.md. */
#include "children.h"

/* What was told: M made, 1 and 2 data, i o e a pipe lost, X exit, p r writing, L lost. */
typedef struct noted {
    thrum_subprocess_transport *transport;
    char calls[128], out[128], err[128];
    size_t size;
    int error, code, pipe_errors[3];
    int give, give_data; /* what connection_made and pipe_data_received give */
    bool refuse, close;
} noted;

static void note(noted *what, char call)
{
    size_t length = strlen(what->calls);
    if (length + 1 < sizeof what->calls && !(call == '1' && length && what->calls[length - 1] == '1'))
        what->calls[length] = call;
}

static int on_made(void *context, thrum_subprocess_transport *transport)
{
    noted *what = (noted *)context;
    what->transport = transport;
    note(what, 'M');
    if (what->close)
        thrum_subprocess_transport_close(transport);
    return what->give;
}

static int on_data(void *context, int descriptor, const void *data, size_t size)
{
    noted *what = (noted *)context;
    char *text = descriptor == 1 ? what->out : what->err;
    note(what, (char)('0' + descriptor));
    what->size += size;
    if (strlen(text) + size < sizeof what->out)
        strncat(text, (const char *)data, size);
    return what->give_data;
}

static void on_pipe_lost(void *context, int descriptor, int error)
{
    noted *what = (noted *)context;
    note(what, "ioe"[descriptor]);
    what->pipe_errors[descriptor] = error;
}

static void on_exit_(void *context)
{
    noted *what = (noted *)context;
    note(what, 'X');
    CHECK_EQ(thrum_subprocess_transport_get_returncode(what->transport, &what->code), 0);
}

static void on_lost(void *context, int error)
{
    noted *what = (noted *)context;
    note(what, 'L');
    what->error = error;
}

static void on_pause(void *context)
{
    note((noted *)context, 'p');
}

static void on_resume(void *context)
{
    note((noted *)context, 'r');
}

static int factory(void *context, const thrum_subprocess_protocol **protocol, void **own)
{
    static const thrum_subprocess_protocol noting = {sizeof noting, on_made, on_data,  on_pipe_lost,
                                                     on_exit_,      on_lost, on_pause, on_resume};
    if (((noted *)context)->refuse)
        return THRUM_EAPP(3);
    *protocol = &noting;
    *own = context;
    return 0;
}

static const thrum_subprocess_protocol silent = {.size = sizeof silent};
static int silent_factory(void *context, const thrum_subprocess_protocol **protocol, void **own)
{
    *protocol = context ? (const thrum_subprocess_protocol *)context : &silent;
    *own = NULL;
    return 0;
}

static int count(const char *calls, char call)
{
    int times = 0;
    for (; *calls; calls++)
        times += *calls == call;
    return times;
}

/* test_subprocess_protocol_events; events: test_subprocess_exec, _interactive, _exitcode, _close_after_finish. 150:
 * each is told once, made first, lost last. */
CHILD_TEST(protocol, grammar, LOCALS(noted what; thrum_subprocess_transport * transport; int code;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->transport,
               thrum_subprocess_shell(factory, &self->what, "read x; echo $x; echo oops >&2; exit 7", NULL));
    CHECK_STR(self->what.calls, "M");
    CHECK_GT(thrum_subprocess_transport_get_pid(self->transport), 0);
    CHECK_EQ(thrum_subprocess_transport_get_returncode(self->transport, &self->code), THRUM_EPENDING);
    CHECK_NOT_NULL(thrum_subprocess_transport_get_pipe_transport(self->transport, 0));
    CHECK_NOT_NULL(thrum_subprocess_transport_get_pipe_transport(self->transport, 2));
    CHECK_NULL(thrum_subprocess_transport_get_pipe_transport(self->transport, 3));
    CHECK_NULL(thrum_subprocess_transport_get_pipe_transport(self->transport, -1));
    CHECK_EQ(thrum_transport_write(thrum_subprocess_transport_get_pipe_transport(self->transport, 0), "hello\n", 6), 0);
    AWAIT(thrum_subprocess_transport_wait_closed(self->transport));
    AWAIT(thrum_subprocess_transport_wait_closed(self->transport));
    CHECK(thrum_subprocess_transport_is_closing(self->transport));
    thrum_subprocess_transport_release(thrum_subprocess_transport_hold(self->transport));
    CHECK_STR(self->what.out, "hello\n");
    CHECK_STR(self->what.err, "oops\n");
    CHECK_EQ(self->what.code, 7);
    CHECK_EQ(self->what.error, 0);
    CHECK_EQ(self->what.calls[0], 'M');
    CHECK_EQ(self->what.calls[strlen(self->what.calls) - 1], 'L');
    for (const char *each = "MioeXL"; *each; each++)
        CHECK_EQ(count(self->what.calls, *each), 1);
    CHECK_EQ(thrum_subprocess_transport_kill(self->transport), -ESRCH);
    CHECK_EQ(thrum_subprocess_transport_get_returncode(self->transport, &self->code), 0);
    CHECK_EQ(self->code, 7);
    thrum_subprocess_transport_close(self->transport);
    thrum_subprocess_transport_release(self->transport);
    ASYNC_END;
}

/* 151: it has ended, and closed its input, before connection_made: that is told afterwards. */
CHILD_TEST(protocol, early_events, LOCALS(noted what; thrum_subprocess_transport * transport;))
{
    static const thrum_subprocess_options options = {.size = sizeof options, .err = {THRUM_STDIO_INHERIT, 0}};
    ASYNC_BEGIN;
    AWAIT_INTO(self->transport, thrum_subprocess_exec(factory, &self->what,
                                                      COMMAND("sh", "-c", "exec <&-; echo early; exit 3"), &options));
    CHECK_EQ(self->what.calls[0], 'M');
    CHECK_NULL(thrum_subprocess_transport_get_pipe_transport(self->transport, 2));
    AWAIT(thrum_subprocess_transport_wait_closed(self->transport));
    CHECK_STR(self->what.out, "early\n");
    CHECK_EQ(self->what.code, 3);
    CHECK_EQ(count(self->what.calls, 'e'), 0);
    thrum_subprocess_transport_release(self->transport);
    ASYNC_END;
}

/* Signals; events: test_subprocess_kill, _terminate, _send_signal, _close_client_stream, _wait_no_same_group. */
CHILD_TEST(protocol, signals, LOCALS(noted what[3]; thrum_subprocess_transport * transport; int i;))
{
    static const int numbers[] = {SIGKILL, SIGTERM, SIGHUP};
    ASYNC_BEGIN;
    for (self->i = 0; self->i < 3; self->i++) {
        AWAIT_INTO(self->transport, thrum_subprocess_exec(factory, &self->what[self->i], COMMAND("cat"), NULL));
        CHECK_EQ(self->i == 0   ? thrum_subprocess_transport_kill(self->transport)
                 : self->i == 1 ? thrum_subprocess_transport_terminate(self->transport)
                                : thrum_subprocess_transport_send_signal(self->transport, SIGHUP),
                 0);
        AWAIT(thrum_subprocess_transport_wait_closed(self->transport));
        CHECK_EQ(self->what[self->i].code, -numbers[self->i]);
        thrum_subprocess_transport_release(self->transport);
    }
    ASYNC_END;
}

/* test_close_kill_running, test_close_dont_kill_finished: close ends what runs; from inside connection_made, too. */
CHILD_TEST(protocol, close, LOCALS(noted what, other; thrum_subprocess_transport * transport;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->transport, thrum_subprocess_exec(factory, &self->what, COMMAND("cat"), NULL));
    CHECK(!thrum_subprocess_transport_is_closing(self->transport));
    thrum_subprocess_transport_close(self->transport);
    CHECK_STR(self->what.calls, "M");
    AWAIT(thrum_subprocess_transport_wait_closed(self->transport));
    CHECK_EQ(self->what.code, -SIGKILL);
    CHECK_EQ(self->what.error, 0);
    thrum_subprocess_transport_release(self->transport);
    self->other.close = true;
    AWAIT_INTO(self->transport, thrum_subprocess_exec(factory, &self->other, COMMAND("cat"), NULL));
    AWAIT(thrum_subprocess_transport_wait_closed(self->transport));
    CHECK_EQ(self->other.code, -SIGKILL);
    thrum_subprocess_transport_release(self->transport);
    thrum_subprocess_transport_close(NULL);
    thrum_subprocess_transport_release(NULL);
    ASYNC_END;
}

/* Protocols that fail; programs that do not start; one that nobody is told of. */
CHILD_TEST(protocol, failures, LOCALS(noted what, other, third; int error; thrum_subprocess_transport * transport;))
{
    static const thrum_subprocess_protocol wrong = {.size = 1};
    ASYNC_BEGIN;
    self->what.refuse = true;
    AWAIT_CATCH(self->error, thrum_subprocess_exec(factory, &self->what, COMMAND("cat"), NULL));
    CHECK_EQ(self->error, THRUM_EAPP(3));
    CHECK_STR(self->what.calls, "");
    AWAIT_CATCH(self->error, thrum_subprocess_exec(silent_factory, (void *)(uintptr_t)&wrong, COMMAND("cat"), NULL));
    CHECK_EQ(self->error, THRUM_EINVAL);
    self->other.give = THRUM_EAPP(4);
    AWAIT_CATCH(self->error, thrum_subprocess_exec(factory, &self->other, COMMAND("cat"), NULL));
    CHECK_EQ(self->error, THRUM_EAPP(4));
    while (!strchr(self->other.calls, 'L'))
        AWAIT(thrum_sleep(MICROSECONDS(100)));
    CHECK_EQ(self->other.error, THRUM_EAPP(4));
    CHECK_EQ(self->other.code, -SIGKILL);
    AWAIT_CATCH(self->error, thrum_subprocess_exec(factory, &self->third, COMMAND("/no/such/program"), NULL));
    CHECK_EQ(self->error, -ENOENT);
    CHECK_STR(thrum_error_last()->text, "/no/such/program");
    AWAIT_CATCH(self->error, thrum_subprocess_exec(NULL, NULL, COMMAND("cat"), NULL));
    CHECK_EQ(self->error, THRUM_EINVAL);
    AWAIT_CATCH(self->error, thrum_subprocess_shell(factory, &self->third, NULL, NULL));
    CHECK_EQ(self->error, THRUM_EINVAL);
    CHECK_STR(self->third.calls, "");
    AWAIT_INTO(self->transport, thrum_subprocess_shell(silent_factory, NULL, "echo nobody; echo hears >&2", NULL));
    AWAIT(thrum_subprocess_transport_wait_closed(self->transport));
    thrum_subprocess_transport_release(self->transport);
    AWAIT(until_childless());
    ASYNC_END;
}

/* 154, test_cancel_make_subprocess_transport_exec, test_cancel_post_init: at each place where it waits. */
CHILD_TEST(protocol, cancelled, LOCALS(noted what; outcome how; thrum_task * task; int passes, i;))
{
    ASYNC_BEGIN;
    for (self->passes = 0; self->passes < 6; self->passes++) {
        memset(&self->what, 0, sizeof self->what);
        self->task = begin(thrum_subprocess_exec(factory, &self->what, COMMAND("cat"), NULL), &self->how);
        for (self->i = 0; self->i < self->passes; self->i++)
            AWAIT(thrum_sleep(0));
        thrum_task_cancel(self->task);
        AWAIT(self->task);
        thrum_task_release(self->task);
        if (!self->how.error) { /* it was there already */
            thrum_subprocess_transport_close((thrum_subprocess_transport *)(intptr_t)self->how.value);
            AWAIT(thrum_subprocess_transport_wait_closed((thrum_subprocess_transport *)(intptr_t)self->how.value));
            thrum_subprocess_transport_release((thrum_subprocess_transport *)(intptr_t)self->how.value);
        } else {
            CHECK_EQ(self->how.error, THRUM_ECANCELED);
            CHECK_STR(self->what.calls, "");
        }
        AWAIT(until_childless());
    }
    ASYNC_END;
}

/* Flow control of the input; the reader goes while bytes are unsent; data that is refused. */
CHILD_TEST(protocol, input, LOCALS(noted what; thrum_subprocess_transport * transport; char *bytes;))
{
    ASYNC_BEGIN;
    self->bytes = counted(1000000);
    AWAIT_INTO(self->transport, thrum_subprocess_exec(factory, &self->what, COMMAND("cat"), NULL));
    CHECK_EQ(
        thrum_transport_write(thrum_subprocess_transport_get_pipe_transport(self->transport, 0), self->bytes, 1000000),
        0);
    CHECK_EQ(count(self->what.calls, 'p'), 1);
    CHECK_EQ(thrum_transport_write_eof(thrum_subprocess_transport_get_pipe_transport(self->transport, 0)), 0);
    AWAIT(thrum_subprocess_transport_wait_closed(self->transport));
    CHECK_EQ(self->what.size, 1000000);
    CHECK_EQ(count(self->what.calls, 'r'), 1);
    CHECK_EQ(self->what.code, 0);
    thrum_subprocess_transport_release(self->transport);
    memset(&self->what, 0, sizeof self->what);
    AWAIT_INTO(self->transport,
               thrum_subprocess_exec(factory, &self->what, COMMAND("sh", "-c", "read x; exit 1"), NULL));
    CHECK_EQ(
        thrum_transport_write(thrum_subprocess_transport_get_pipe_transport(self->transport, 0), self->bytes, 1000000),
        0);
    CHECK_EQ(thrum_transport_write(thrum_subprocess_transport_get_pipe_transport(self->transport, 0), "\n", 1), 0);
    thrum_subprocess_transport_terminate(self->transport);
    AWAIT(thrum_subprocess_transport_wait_closed(self->transport));
    CHECK_EQ(self->what.pipe_errors[0], -EPIPE);
    thrum_subprocess_transport_release(self->transport);
    free(self->bytes);
    ASYNC_END;
}

/* 157: the loop closes, and it is told of all the same. */
static noted left;
static ASYNC(leave_it, ARGS_NONE, LOCALS(thrum_subprocess_transport *transport;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->transport, thrum_subprocess_exec(factory, &left, COMMAND("cat"), NULL));
    thrum_subprocess_transport_release(self->transport);
    ASYNC_END;
}

TEST(protocol, left_to_the_loop)
{
    run(leave_it);
    CHECK(childless());
    CHECK_EQ(left.error, THRUM_ECLOSED);
    for (const char *each = "MioeXL"; *each; each++)
        CHECK_EQ(count(left.calls, *each), 1);
}
