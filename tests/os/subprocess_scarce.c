/* Each call and each block that starting a child takes is refused once: an error says so, and nothing is left. */
#include "children.h"
#include "failing.h"

#include <sys/resource.h>

static struct {
    long count, fail, left;
} memory;

static void *allocate(void *context, size_t size)
{
    (void)context;
    if (memory.count++ == memory.fail)
        return NULL;
    memory.left++;
    return malloc(size);
}

static void give_back(void *context, void *block, size_t size)
{
    (void)context, (void)size;
    memory.left--;
    free(block);
}

/* ---- a bit of everything ---- */

static int made(void *context, const thrum_subprocess_protocol **protocol, void **own)
{
    static const thrum_subprocess_protocol silent = {.size = sizeof silent};
    *protocol = &silent;
    *own = context;
    return 0;
}

static ASYNC(scenario, ARGS_NONE,
             LOCALS(thrum_process *child; thrum_subprocess_transport * transport; thrum_process_output output;
                    int code;))
{
    static const char *const echo[] = {"echo", "hello", NULL}, *const cat[] = {"cat", NULL};
    static const thrum_pipeline_command commands[] = {{.arguments = echo}, {.arguments = cat}};
    thrum_subprocess_options options = three_pipes;
    ASYNC_BEGIN;
    options.in.kind = THRUM_STDIO_DEVNULL;
    AWAIT_INTO(self->child, thrum_create_subprocess_exec(cat, &options));
    AWAIT_INTO(self->code, thrum_process_communicate(self->child, NULL, 0, &self->output));
    thrum_process_output_free(&self->output);
    AWAIT_INTO(self->code, thrum_process_stop(self->child, SECONDS(1)));
    AWAIT_INTO(self->code, thrum_run_pipeline(commands, 2, NULL, 0, &self->output));
    CHECK_STR(self->output.out, "hello\n");
    AWAIT_INTO(self->transport, thrum_subprocess_exec(made, NULL, echo, NULL));
    AWAIT(thrum_subprocess_transport_wait_closed(self->transport));
FINALLY:
    thrum_process_release(self->child);
    thrum_process_output_free(&self->output);
    thrum_subprocess_transport_release(self->transport);
    ASYNC_END;
}

static void quiet(thrum_loop *loop, const thrum_report *report, void *context)
{
    (void)loop, (void)report, (void)context;
}

/* One run; gives its error. */
static int run_once(void)
{
    thrum_loop *loop;
    int before = count_descriptors();
    int error = thrum_loop_new(&loop, NULL);
    if (error)
        return error;
    eager_prepare(loop);
    thrum_loop_set_exception_handler(loop, quiet, NULL);
    error = thrum_loop_run_until_complete(loop, scenario(), NULL);
    CHECK_EQ(thrum_loop_close(loop), 0);
    CHECK_EQ(count_descriptors(), before);
    CHECK(childless());
    return error;
}

static void each_block(void)
{
    const thrum_allocator allocator = {.allocate = allocate, .release = give_back, .each = true};
    int failed = 0;
    bool over = false;
    for (long n = 0; !over; n++) {
        CHECK_EQ(thrum_pool_clear(), 0);
        memset(&memory, 0, sizeof memory);
        memory.fail = n;
        CHECK_EQ(thrum_pool_use_allocator(&allocator), 0);
        int error = run_once();
        if (error)
            CHECK_EQ(error, THRUM_ENOMEM);
        failed += error != 0;
        CHECK_EQ(thrum_pool_clear(), 0);
        CHECK_EQ(memory.left, 0);
        over = memory.count <= n;
    }
    CHECK_GT(failed, 20);
}

TEST_LIMIT(scarce, each_block_is_refused, 100)
{
    each_block();
}

TEST_LIMIT(scarce, each_block_is_refused_elsewhere, 100)
{
    spawn_portable = true;
    each_block();
}

static int each_call(failing_plan *plan, int error)
{
    int failed = 0;
    bool over = false;
    for (int n = 0; !over; n++) {
        *plan = (failing_plan){0, n, error};
        int gave = run_once();
        over = plan->count <= n;
        CHECK_EQ(gave, over ? 0 : -error);
        failed += !over;
    }
    plan->nth = -1;
    return failed;
}

TEST_LIMIT(scarce, each_call_fails, 100)
{
    for (int i = 0; i < 2; i++) {
        spawn_portable = i || spawn_portable;
        CHECK_GE(each_call(&failing_pipe, EMFILE), 6);
        CHECK_EQ(each_call(&failing_fork, EAGAIN), 4);
        CHECK_EQ(each_call(&failing_open, ENFILE), 1);
    }
}

/* A system that knows no descriptors of processes: a thread watches. Where nobody asks for any, fork() fails. */
TEST(scarce, no_descriptor_of_the_process)
{
    failing_fork = (failing_plan){0, 0, EINVAL};
    CHECK_EQ(run_once(), spawn_portable ? -EINVAL : 0);
    CHECK_GE(failing_fork.count, spawn_portable ? 1 : 4);
    failing_fork.nth = -1;
}

/* Descriptors run out at each place, the loop's own calls among them. */
TEST_LIMIT(scarce, descriptors_run_out, 100)
{
    struct rlimit limit, before;
    int failed = 0, error = -1;
    getrlimit(RLIMIT_NOFILE, &before);
    limit = before;
    for (rlim_t room = 3; error && room < 200; room++) {
        limit.rlim_cur = room;
        setrlimit(RLIMIT_NOFILE, &limit);
        error = run_once();
        failed += error != 0;
    }
    setrlimit(RLIMIT_NOFILE, &before);
    CHECK_EQ(error, 0);
    CHECK_GT(failed, 5);
}
