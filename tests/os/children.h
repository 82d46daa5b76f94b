/* What the tests of child processes share: a loop that must end with nothing left, no descriptor, no block and no
 * child; and system calls that are made to fail (failing.c). */
#ifndef TEST_OS_CHILDREN_H
#define TEST_OS_CHILDREN_H

#include <signal.h>
#include <sys/wait.h>

#include "../net/support.h"

#include "os/spawn.h"

/* Whether there is no child, not even one that has ended. */
static inline bool childless(void)
{
    siginfo_t info;
    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == -1 && errno == ECHILD;
}

/* Run it in both ways that children are made and watched: as on Linux, and as on any POSIX system. */
static inline void run_both(thrum_awaitable (*test)(void))
{
    for (int portable = !linux_only; portable < 2; portable++) {
        spawn_portable = portable;
        run(test);
        CHECK(childless());
    }
    spawn_portable = !linux_only;
}

#define CHILD_TEST(suite, name, ...) CHILD_TEST_LIMIT(suite, name, 30, __VA_ARGS__)

#define CHILD_TEST_LIMIT(suite, name, seconds, ...)                                                                    \
    static thrum_awaitable suite##_##name##_test(void);                                                                \
    TEST_LIMIT(suite, name, seconds)                                                                                   \
    {                                                                                                                  \
        run_both(suite##_##name##_test);                                                                               \
    }                                                                                                                  \
    static ASYNC(suite##_##name##_test, ARGS_NONE, __VA_ARGS__)

static const thrum_subprocess_options three_pipes = {
    .size = sizeof three_pipes,
    .in = {THRUM_STDIO_PIPE, 0},
    .out = {THRUM_STDIO_PIPE, 0},
    .err = {THRUM_STDIO_PIPE, 0},
};

/* What a shell says and how it ends, with these options: "text", whose room is 256 bytes. */
static inline thrum_awaitable ask(const char *command, const thrum_subprocess_options *options, char *text);
static ASYNC(ask_, ARGS((const char *, command), (thrum_subprocess_options, options), (char *, text)),
             LOCALS(thrum_process *child; thrum_process_output output; int code;))
{
    ASYNC_BEGIN;
    if (!self->options.out.kind)
        self->options.out.kind = THRUM_STDIO_PIPE;
    AWAIT_INTO(self->child, thrum_create_subprocess_shell(self->command, &self->options));
    AWAIT_INTO(self->code, thrum_process_communicate(self->child, NULL, 0, &self->output));
    snprintf(self->text, 256, "%s", self->output.out ? self->output.out : "");
    thrum_process_output_free(&self->output);
    ASYNC_RETURN(self->code);
FINALLY:
    thrum_process_release(self->child);
    ASYNC_END;
}
static inline thrum_awaitable ask(const char *command, const thrum_subprocess_options *options, char *text)
{
    return ask_(command, *options, text);
}

/* Until there is no child any more; the test's limit is how long that may take. */
static inline thrum_awaitable until_childless(void);
static ASYNC(until_childless_, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    while (!childless())
        AWAIT(thrum_sleep(MICROSECONDS(200)));
    ASYNC_END;
}
static inline thrum_awaitable until_childless(void)
{
    return until_childless_();
}

#define COMMAND(...) ((const char *const[]){__VA_ARGS__, NULL})

#endif
