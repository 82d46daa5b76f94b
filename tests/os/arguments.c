/* Arguments that cannot be right, each by itself: of files, executors, children, pipelines, terminals and runners, and
 * what is called from the wrong place. Each is refused with an error, before anything is made. */
#include "../net/arguments.h"

#include <pthread.h>
#include <signal.h>

/* ---- files and threads ---- */

NET_TEST(arguments, files,
         LOCALS(thrum_file *file; char *data; char byte; thrum_file_info info; int error; thrum_executor * executor;
                thrum_iteration each; thrum_entry * entry;))
{
    static const char much[] = "";
    ASYNC_BEGIN;
    REFUSED_AWAIT(thrum_file_open(NULL, 0, 0));
    REFUSED_AWAIT(thrum_read_file(NULL, &self->data, 1));
    REFUSED_AWAIT(thrum_read_file("/nowhere", NULL, 1));
    REFUSED_AWAIT(thrum_write_file(NULL, much, 0, 0));
    REFUSED_AWAIT(thrum_write_file("/nowhere", much, SIZE_MAX, 0));
    REFUSED_AWAIT(thrum_stat(NULL, &self->info));
    REFUSED_AWAIT(thrum_rename(NULL, "/nowhere"));
    REFUSED_AWAIT(thrum_rename("/nowhere", NULL));
    REFUSED_AWAIT(thrum_unlink(NULL));
    REFUSED_AWAIT(thrum_file_read_at(NULL, &self->byte, 1, 0));
    AWAIT_INTO(self->file, thrum_file_open("/dev/null", O_RDWR, 0));
    REFUSED_AWAIT(thrum_file_read_at(self->file, &self->byte, 1, UINT64_MAX));
    REFUSED_AWAIT(thrum_file_read_at(self->file, &self->byte, SIZE_MAX, 1));
    thrum_file_release(self->file);
    CHECK_EQ(thrum_file_adopt(&self->file, -1), -EBADF);
    thrum_executor_options options = {.size = 0};
    REFUSED(thrum_executor_new(NULL, NULL));
    REFUSED(thrum_executor_new(&self->executor, &options));
    options.size = sizeof options + 1;
    REFUSED(thrum_executor_new(&self->executor, &options));
    REFUSED_AWAIT(thrum_executor_join(NULL));
    ASYNC_END;
}

/* ---- children, pipelines, terminals ---- */

enum { RUN = sizeof(thrum_subprocess_options) };

static const char *const echo[] = {"echo", NULL}, *const none[] = {NULL};
static const thrum_subprocess_descriptor no_descriptor = {-1, 3}, nowhere = {0, -1};

static const thrum_subprocess_options runs[] = {
    {.size = 1},
    {.size = RUN + 1},
    {.size = RUN, .in = {(thrum_stdio_kind)99, 0}},
    {.size = RUN, .out = {(thrum_stdio_kind)99, 0}},
    {.size = RUN, .err = {(thrum_stdio_kind)99, 0}},
    {.size = RUN, .in = {THRUM_STDIO_DESCRIPTOR, -1}},
    {.size = RUN, .in = {THRUM_STDIO_STDOUT, 0}},
    {.size = RUN, .descriptors = &no_descriptor, .descriptor_count = 1},
    {.size = RUN, .descriptors = &nowhere, .descriptor_count = 1},
    {.size = RUN, .process_group = -1},
    {.size = RUN, .process_group = 1, .new_process_group = true},
    {.size = RUN, .process_group = 1, .new_session = true},
    {.size = RUN, .whole_group = true},
    {.size = RUN, .controlling_terminal = true},
};

static int no_subprocess(void *context, const thrum_subprocess_protocol **protocol, void **own)
{
    (void)context, (void)own;
    *protocol = NULL;
    return 0;
}

NET_TEST(arguments, children,
         LOCALS(thrum_pipeline_command one; size_t i; int error, program; thrum_process_output output;
                thrum_stream * terminal; thrum_pty_options pty;))
{
    static const thrum_subprocess_options reads = {.size = RUN, .in = {THRUM_STDIO_PIPE, 0}},
                                          writes = {.size = RUN, .out = {THRUM_STDIO_PIPE, 0}};
    static const thrum_subprocess_descriptor not_open = {999, 5};
    static const thrum_subprocess_limit no_limit = {9999, 0, 0};
    static const thrum_subprocess_options closed = {.size = RUN, .descriptors = &not_open, .descriptor_count = 1},
                                          unlimited = {.size = RUN, .limits = &no_limit, .limit_count = 1};
    static uint32_t groups[65537 + 1000]; /* more than there may be */
    static const thrum_subprocess_identity nobodies[] = {
        {.user = UINT32_MAX}, {.group = UINT32_MAX}, {.groups = groups, .group_count = COUNT(groups)}};
    static const thrum_pipeline_command nothing[] = {{.options = NULL}}, both[] = {{echo, "echo", NULL}},
                                        reader[] = {{echo, NULL, NULL}, {echo, NULL, &reads}},
                                        writer[] = {{echo, NULL, &writes}, {echo, NULL, NULL}};
    ASYNC_BEGIN;
    for (self->i = 0; self->i < COUNT(runs); self->i++) {
        self->one = (thrum_pipeline_command){echo, NULL, &runs[self->i]};
        REFUSED_AWAIT(thrum_create_subprocess_exec(echo, &runs[self->i]));
        REFUSED_AWAIT(thrum_create_subprocess_shell("echo", &runs[self->i]));
        REFUSED_AWAIT(thrum_subprocess_exec(no_subprocess, NULL, echo, &runs[self->i]));
        REFUSED_AWAIT(thrum_subprocess_shell(no_subprocess, NULL, "echo", &runs[self->i]));
        REFUSED_AWAIT(thrum_create_pipeline(&self->one, 1));
    }
    REFUSED_AWAIT(thrum_create_subprocess_exec(NULL, NULL));
    REFUSED_AWAIT(thrum_create_subprocess_exec(none, NULL));
    REFUSED_AWAIT(thrum_create_subprocess_shell(NULL, NULL));
    REFUSED_AWAIT(thrum_subprocess_exec(NULL, NULL, echo, NULL));
    REFUSED_AWAIT(thrum_subprocess_exec(no_subprocess, NULL, NULL, NULL));
    REFUSED_AWAIT(thrum_subprocess_shell(NULL, NULL, "echo", NULL));
    REFUSED_AWAIT(thrum_subprocess_shell(no_subprocess, NULL, NULL, NULL));
    REFUSED_AWAIT(thrum_process_communicate(NULL, NULL, 0, &self->output));
    REFUSED_AWAIT(thrum_create_pipeline(NULL, 1));
    REFUSED_AWAIT(thrum_create_pipeline(both, 0));
    REFUSED_AWAIT(thrum_create_pipeline(both, 1));
    REFUSED_AWAIT(thrum_create_pipeline(nothing, 1));
    REFUSED_AWAIT(thrum_create_pipeline(reader, 2)); /* its input is the one before it */
    REFUSED_AWAIT(thrum_create_pipeline(writer, 2));
    REFUSED_AWAIT(thrum_run_pipeline(NULL, 1, NULL, 0, &self->output));
    REFUSED_AWAIT(thrum_pipeline_communicate(NULL, NULL, 0, &self->output));
    REFUSED(thrum_open_pty(&self->terminal, &self->program, &self->pty));
    self->pty.size = sizeof self->pty + 1;
    REFUSED(thrum_open_pty(&self->terminal, &self->program, &self->pty));
    REFUSED_AWAIT(thrum_create_subprocess_pty(echo, NULL, &self->pty, &self->terminal));
    CHECK_NULL(self->terminal);
    REFUSED_AWAIT(thrum_create_subprocess_pty(echo, &runs[1], NULL, &self->terminal));
    CHECK_NULL(self->terminal);
    /* What the system says no to, in the child: the call's error. */
    AWAIT_CATCH(self->error, thrum_create_subprocess_exec(echo, &closed));
    CHECK_EQ(self->error, -EBADF);
    AWAIT_CATCH(self->error, thrum_create_subprocess_exec(echo, &unlimited));
    CHECK_EQ(self->error, -EINVAL);
    for (self->i = 0; self->i < COUNT(nobodies); self->i++) {
        const thrum_subprocess_options options = {.size = RUN, .identity = &nobodies[self->i]};
        AWAIT_CATCH(self->error, thrum_create_subprocess_exec(echo, &options));
        CHECK(self->error == -EINVAL || self->error == -EPERM); /* of root, and of everybody else */
    }
    REFUSED(thrum_terminal_set_size(0, NULL));
    REFUSED(thrum_terminal_set_size(0, &(thrum_terminal_size){65536, 0}));
    REFUSED(thrum_terminal_set_size(0, &(thrum_terminal_size){0, 65536}));
    REFUSED(thrum_open_stdin(&self->terminal, &wrong_stream));
    ASYNC_END;
}

/* ---- runners ---- */

TEST(arguments, runners)
{
    thrum_runner runner;
    thrum_loop_options loop = {.size = 0};
    thrum_runner_options options = {.size = 0};
    REFUSED(thrum_runner_init(NULL, NULL));
    REFUSED(thrum_runner_init(&runner, &options));
    options.size = sizeof options + 1;
    REFUSED(thrum_runner_init(&runner, &options));
    options = (thrum_runner_options){.size = sizeof options, .shutdown = -1};
    REFUSED(thrum_runner_init(&runner, &options));
    options = (thrum_runner_options){.size = sizeof options, .loop = &loop};
    REFUSED(thrum_runner_init(&runner, &options));
    loop.size = sizeof loop + 1;
    REFUSED(thrum_runner_init(&runner, &options));
    /* These say so in the log. */
    CHECK(dup2(open("/dev/null", O_WRONLY), 2) == 2);
    thrum_cores_options cores = {.size = 0};
    CHECK_EQ(thrum_run_on_every_core(NULL, NULL, NULL), 1);
    CHECK_EQ(thrum_run_on_every_core((thrum_core_starter *)(void (*)(void))abort, NULL, &cores), 1);
    cores.size = sizeof cores + 1;
    CHECK_EQ(thrum_run_on_every_core((thrum_core_starter *)(void (*)(void))abort, NULL, &cores), 1);
    options = (thrum_runner_options){.size = 0};
    cores = (thrum_cores_options){.size = sizeof cores, .runner = &options};
    CHECK_EQ(thrum_run_on_every_core((thrum_core_starter *)(void (*)(void))abort, NULL, &cores), 1);
    options.size = sizeof options + 1;
    CHECK_EQ(thrum_run_on_every_core((thrum_core_starter *)(void (*)(void))abort, NULL, &cores), 1);
}

/* ---- from the wrong place ---- */

/* No loop, and another thread's. */
static void *elsewhere(void *argument)
{
    thrum_loop *loops[] = {NULL, (thrum_loop *)argument};
    for (int i = 0; i < 2; i++) {
        thrum_loop *loop = loops[i];
        CHECK_EQ(thrum_loop_set_network(loop, NULL, NULL), THRUM_ESTATE);
        CHECK_EQ(thrum_loop_set_resolver(loop, NULL), THRUM_ESTATE);
        CHECK_EQ(thrum_loop_set_default_executor(loop, NULL), THRUM_ESTATE);
        CHECK_EQ(thrum_loop_stats_clear(loop), THRUM_ESTATE);
        CHECK_EQ(thrum_watchdog_start(loop, SECONDS(1)), THRUM_ESTATE);
        CHECK_EQ(thrum_watchdog_stop(loop), THRUM_ESTATE);
        CHECK_EQ(thrum_loop_run_forever(loop), THRUM_ESTATE);
        CHECK_EQ(thrum_loop_run_until_complete(loop, thrum_yield(), NULL), THRUM_ESTATE);
        CHECK_EQ(thrum_loop_step(loop, 0), THRUM_ESTATE);
    }
    CHECK_EQ(thrum_loop_close((thrum_loop *)argument), THRUM_ESTATE);
    CHECK_NULL(thrum_loop_running());
    thrum_signal_receiver *receiver;
    const int number = SIGUSR1;
    thrum_file *file;
    CHECK_EQ(thrum_signal_receiver_open(&receiver, &number, 1), THRUM_ESTATE);
    CHECK_EQ(thrum_file_adopt(&file, 0), THRUM_ESTATE);
    return NULL;
}

TEST(arguments, of_another_thread)
{
    thrum_loop *loop;
    pthread_t thread;
    CHECK_EQ(thrum_loop_new(&loop, NULL), 0);
    CHECK_EQ(pthread_create(&thread, NULL, elsewhere, loop), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_EQ(thrum_watchdog_stop(loop), THRUM_ESTATE); /* there is none */
    CHECK_EQ(thrum_loop_close(loop), 0);
}
