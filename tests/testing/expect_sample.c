/* The sample expect, with everything that can come in between: it drives a real program on a real terminal. */
#include "samples_children.h"

#include "../../samples/expect.c"
#undef main

static char name[] = "/tmp/thrum-expect-XXXXXX";

static ASYNC(drives, ARGS((void *, context)), LOCALS(struct play play;))
{
    static const char *const program[] = {"/bin/sh", "-c", "echo ready; read x; echo got $x; exit 2", NULL};
    ASYNC_BEGIN;
    self->play = (struct play){.script = name, .arguments = program, .timeout = SECONDS(20)};
    AWAIT(app(&self->play));
    ASYNC_END;
}

TEST_LIMIT(testing_samples, expect, 60)
{
    static const char text[] = "expect ready\nsize 10 20\nsend it\\n\nexpect got it\n";
    int file = mkstemp(name);
    CHECK_EQ(write(file, text, sizeof text - 1), (ssize_t)sizeof text - 1);
    CHECK_EQ(close(file), 0);
    CHECK_NOT_NULL(freopen("/dev/null", "w", stdout)); /* where it copies what the program says */
    children_begin();
    explore_children(drives, THRUM_EEXIT, 4);
    CHECK_EQ(unlink(name), 0);
}
