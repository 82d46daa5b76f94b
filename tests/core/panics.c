/* Mistakes that end the program, with the name of the function and the line: each in a process of its own. */
/* thrum-check: ignore-file */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sim.h>

#include "core/panic.h"

enum { AS_EXPECTED = 42, OTHERWISE = 43 };

static const char *expected_text, *expected_name;
static unsigned expected_line;

static void told(const char *what, const thrum_function *function, uint32_t line)
{
    bool same = !strcmp(what, expected_text) && !strcmp(thrum_function_name(function), expected_name) &&
                line == expected_line && strstr(thrum_function_file(function), "panics.c");
    _exit(same ? AS_EXPECTED : OTHERWISE);
}

static void must_panic(thrum_awaitable (*app)(void), const char *text, const char *name)
{
    int status = 0;
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        expected_text = text;
        expected_name = name;
        thrum_panic_hook = told;
        sim_run(app(), NULL);
        _exit(0);
    }
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK(WIFEXITED(status));
    CHECK_EQ(WEXITSTATUS(status), AS_EXPECTED);
}

/* The compiler sees an await in a switch on an int; this one is as wide as the labels. */
static ASYNC(waits_in_a_switch, ARGS_NONE, LOCALS(long long kind;))
{
    ASYNC_BEGIN;
    switch (self->kind) {
    case 0:
        expected_line = __LINE__ + 1;
        AWAIT(thrum_yield());
        break;
    default:
        break;
    }
    ASYNC_END;
}

TEST(panics, an_await_in_a_wide_switch)
{
    must_panic(waits_in_a_switch, "an await inside a switch of the body: the frame cannot go on", "waits_in_a_switch");
}

#if THRUM_DEBUG
static ASYNC(gives_one, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_yield());
    ASYNC_RETURN(1);
    ASYNC_END;
}

static ASYNC(awaits_twice, ARGS_NONE, LOCALS(thrum_awaitable what;))
{
    ASYNC_BEGIN;
    self->what = gives_one();
    AWAIT(self->what);
    expected_line = __LINE__ + 1;
    AWAIT(self->what);
    ASYNC_END;
}

TEST(panics, an_awaitable_that_is_used_again)
{
    must_panic(awaits_twice, "an awaitable is used again", "awaits_twice");
}
#endif
