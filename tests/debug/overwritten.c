/* Blocks whose memory is overwritten while they are open: debug mode ends the program before it follows what stands
 * there, and names where their task is. */
#include "support.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static struct {
    union {
        thrum_group group;
        thrum_deadline limit;
        thrum_cancel_scope scope;
        thrum_lock_hold hold;
    } block;
    thrum_lock lock;
} shared;

static int filler;
static thrum_time begins_late;

static ASYNC(naps, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_sleep(SECONDS(1)));
    ASYNC_END;
}

static void overwrite(void)
{
    memset(&shared.block, filler, sizeof shared.block);
}

/* ---- by the step of the task that has it open ---- */

static ASYNC(in_group, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    WITH (shared.block.group, thrum_group_open(&shared.block.group)) {
        thrum_group_spawn(&shared.block.group, naps());
        AWAIT(thrum_yield());
        overwrite();
        AWAIT(thrum_sleep(SECONDS(2)));
    }
    ASYNC_END;
}

static ASYNC(in_limit, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    WITH (shared.block.limit, thrum_deadline_after(&shared.block.limit, SECONDS(1))) {
        AWAIT(thrum_yield());
        overwrite();
        AWAIT(thrum_sleep(SECONDS(2)));
    }
    ASYNC_END;
}

static ASYNC(in_scope, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    WITH (shared.block.scope, thrum_move_on_after(&shared.block.scope, SECONDS(5))) {
        AWAIT(naps());
        overwrite();
        AWAIT(thrum_sleep(SECONDS(2)));
    }
    ASYNC_END;
}

static ASYNC(in_hold, ARGS_NONE, LOCALS(thrum_deadline outer;))
{
    ASYNC_BEGIN;
    WITH (self->outer, thrum_deadline_after(&self->outer, SECONDS(9))) {
        WITH (shared.block.hold, thrum_lock_hold(&shared.block.hold, &shared.lock)) {
            AWAIT(thrum_yield());
            overwrite();
            AWAIT(naps());
        }
    }
    ASYNC_END;
}

/* Its block ends in the same step: to its exit there is no way any more. */
static ASYNC(in_nothing, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    WITH (shared.block.group, thrum_group_open(&shared.block.group)) {
        thrum_group_spawn(&shared.block.group, naps());
        AWAIT(thrum_yield());
        overwrite();
    }
    ASYNC_END;
}

/* ---- by another one's, among many ---- */

static ASYNC(waits, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    WITH (shared.block.limit, thrum_deadline_after(&shared.block.limit, begins_late)) {
        AWAIT(thrum_sleep(SECONDS(1000)));
    }
    ASYNC_END;
}

static ASYNC(disturbs, ARGS_NONE, LOCALS(thrum_group group; int i;))
{
    ASYNC_BEGIN;
    begins_late = SECONDS(500);
    WITH (self->group, thrum_group_open(&self->group)) {
        thrum_group_spawn(&self->group, waits());
        for (self->i = 0; self->i < 300; self->i++)
            thrum_group_spawn(&self->group, naps());
        AWAIT(thrum_yield());
        overwrite();
    }
    ASYNC_END;
}

/* ---- nothing is wrong: blocks of generators, left by errors, by cancellations, and shielded ---- */

static ASYNC_GEN(counts, ARGS_NONE, LOCALS(int i; thrum_lock_hold hold;))
{
    ASYNC_BEGIN;
    WITH (self->hold, thrum_lock_hold(&self->hold, &shared.lock)) {
        for (self->i = 0; self->i < 5; self->i++) {
            YIELD(self->i);
            AWAIT(thrum_yield());
        }
    }
    ASYNC_END;
}

static ASYNC(in_order, ARGS_NONE,
             LOCALS(thrum_try attempt; thrum_cancel_scope scope; thrum_iteration each; thrum_deadline limit; int item;
                    int error; thrum_group group;))
{
    ASYNC_BEGIN;
    WITH (self->group, thrum_group_open(&self->group)) {
        thrum_group_spawn(&self->group, naps());
        WITH (self->scope, thrum_cancel_scope_open(&self->scope, THRUM_NEVER, SECONDS(5), THRUM_CANCEL_LEVEL)) {
            ASYNC_FOR (self->item, self->each, counts()) {
                AWAIT(naps());
                if (self->item == 3)
                    thrum_cancel_scope_cancel(&self->scope);
            }
        }
        TRY (self->attempt) {
            WITH (self->limit, thrum_deadline_after(&self->limit, SECONDS(1))) {
                AWAIT(thrum_sleep(SECONDS(3)));
            }
        }
        CATCH (self->error, self->attempt) {
            AWAIT(naps());
        }
    }
    CHECK_EQ(self->error, THRUM_ETIMEDOUT);
    ASYNC_END;
}

static thrum_loop *open_loop(void)
{
    const thrum_loop_options options = {.size = sizeof options, .backend = THRUM_BACKEND_SIM, .debug = true};
    thrum_loop *loop = NULL;
    CHECK_EQ(thrum_loop_new(&loop, &options), 0);
    eager_prepare(loop);
    return loop;
}

TEST(overwritten, nothing_is_told_of_blocks_in_order)
{
    thrum_loop *loop = open_loop();
    memset(&shared, 0, sizeof shared);
    CHECK_EQ(thrum_loop_run_until_complete(loop, in_order(), NULL), 0);
    CHECK_EQ(thrum_loop_close(loop), 0);
}

static void ends(thrum_awaitable (*what)(void), const char *where)
{
    int pipes[2], status;
    char said[400] = "";
    CHECK_EQ(pipe(pipes), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(pipes[1], STDERR_FILENO);
        signal(SIGABRT, SIG_DFL);
        thrum_loop *loop = open_loop();
        memset(&shared, 0, sizeof shared);
        thrum_loop_run_until_complete(loop, what(), NULL);
        _exit(0);
    }
    close(pipes[1]);
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_GT(read(pipes[0], said, sizeof said - 1), 0);
    close(pipes[0]);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    CHECK(strstr(said, "the memory of an open block was overwritten"));
    CHECK(strstr(said, where));
}

TEST(overwritten, by_its_own_task)
{
    static const int fillers[] = {0, 0x55, 0xff};
    for (size_t i = 0; i < sizeof fillers / sizeof *fillers; i++) {
        filler = fillers[i];
        ends(in_group, "  in in_group, ");
        ends(in_limit, "  in in_limit, ");
        ends(in_scope, "  in in_scope, ");
        ends(in_hold, "  in naps, ");
    }
    filler = 0;
    ends(in_nothing, "  in in_nothing, ");
}

TEST(overwritten, by_another_one)
{
    filler = 0;
    ends(disturbs, "  in waits, ");
}
