/* Names and texts of error codes, the system's among them; what fails where the thread has no loop. */
#include <errno.h>
#include <limits.h>

#include "support.h"

TEST(errors, every_code_has_a_name)
{
    thrum_loop *loop;
    CHECK_EQ(thrum_loop_new(&loop, NULL), 0); /* the system's names come with the first loop */
    CHECK_STR(thrum_error_name(0), "THRUM_OK");
    CHECK_STR(thrum_error_name(THRUM_ETIMEDOUT), "THRUM_ETIMEDOUT");
    CHECK_STR(thrum_error_name(-ECONNREFUSED), "ECONNREFUSED");
    CHECK_STR(thrum_error_name(-ENOENT), "ENOENT");
    CHECK_STR(thrum_error_name(THRUM_EAPP(0)), "EAPP");
    CHECK_STR(thrum_error_name(THRUM_EAPP(27000)), "EAPP");
    CHECK_STR(thrum_error_name(THRUM_EAPP(27000) - 1), "E?");
    CHECK_STR(thrum_error_name(ENOENT), "E?");
    CHECK_STR(thrum_error_name(INT_MAX), "E?");
    CHECK_STR(thrum_error_name(INT_MIN), "E?");
    CHECK_STR(thrum_error_text(INT_MIN), "unknown error");
    CHECK_EQ(thrum_loop_close(loop), 0);
}

static int dropped;

static ASYNC(owns, ARGS_NONE, LOCALS_NONE, ON_DROP(dropped++;))
{
    ASYNC_BEGIN;
    AWAIT(thrum_yield());
    ASYNC_END;
}

TEST(errors, without_a_loop)
{
    thrum_pool_stats before, after;
    thrum_handle handle = THRUM_HANDLE_INIT(NULL, NULL);
    thrum_pool_stats_get(&before);
    dropped = 0;
    CHECK(!thrum_spawn(owns()));
    CHECK(!thrum_spawn_eager(owns()));
    CHECK_EQ(thrum_spawn_detached(owns()), THRUM_ESTATE);
    CHECK_EQ(thrum_loop_run_until_complete(NULL, owns(), NULL), THRUM_ESTATE);
    CHECK_EQ(dropped, 4);
    CHECK_EQ(thrum_call_soon(&handle), THRUM_ESTATE);
    CHECK_EQ(thrum_now(), 0);
    CHECK(!thrum_current_task());
    thrum_pool_stats_get(&after);
    CHECK_EQ(after.blocks, before.blocks);
}
