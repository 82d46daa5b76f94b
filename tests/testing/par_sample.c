/* The sample par, with everything that can come in between: it runs real commands. */
#include "samples_children.h"

#include "../../samples/par.c"
#undef main

static ASYNC(runs_some, ARGS((void *, context)), LOCALS(struct work work; char *commands[3]; int error;))
{
    ASYNC_BEGIN;
    self->commands[0] = (char *)(uintptr_t) ":";
    self->commands[1] = (char *)(uintptr_t) "exit 3";
    self->commands[2] = (char *)(uintptr_t) "exit 0";
    self->work = (struct work){.commands = self->commands, .count = 3, .jobs = 2, .timeout = SECONDS(20)};
    AWAIT_CATCH(self->error, app(&self->work));
    if (self->error == THRUM_EEXIT && (self->work.done != 3 || self->work.failed != 1 || self->work.running))
        ASYNC_RAISE(THRUM_EINCOMPLETE);
    ASYNC_RAISE(self->error);
    ASYNC_END;
}

TEST_LIMIT(testing_samples, par, 60)
{
    children_begin();
    explore_children(runs_some, THRUM_EEXIT, 6);
}

/* Commands are read from a file, which the next run reads once more. */
static ASYNC(reads_some, ARGS((void *, context)), LOCALS(struct work work;))
{
    ASYNC_BEGIN;
    if (lseek(STDIN_FILENO, 0, SEEK_SET) < 0)
        ASYNC_RAISE(-errno);
    self->work = (struct work){.jobs = 2, .timeout = SECONDS(20)};
    AWAIT(app(&self->work));
    if (self->work.done != 3)
        ASYNC_RAISE(THRUM_EINCOMPLETE);
    ASYNC_END;
}

TEST_LIMIT(testing_samples, par_from_the_standard_input, 60)
{
    FILE *lines = tmpfile();
    CHECK_NOT_NULL(lines);
    CHECK(fputs(":\n\n:\n:", lines) >= 0 && fflush(lines) == 0);
    CHECK_EQ(dup2(fileno(lines), STDIN_FILENO), STDIN_FILENO);
    children_begin();
    explore_children(reads_some, 0, 6);
    fclose(lines);
}
