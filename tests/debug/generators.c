/* Generators in call graphs: those that run stand among the frames of the task that has the loop. */
#include "support.h"

static char seen[TEXT];

static ASYNC(innermost, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_sleep(SECONDS(1)));
    ASYNC_END;
}

static ASYNC_GEN(inner, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    YIELD(1);
    AWAIT(innermost());
    YIELD(2);
    ASYNC_END;
}

static ASYNC_GEN(around, ARGS_NONE, LOCALS(thrum_iteration each; int item;))
{
    ASYNC_BEGIN;
    ASYNC_FOR (self->item, self->each, inner())
        YIELD(self->item);
    ASYNC_END;
}

static ASYNC(loops, ARGS_NONE, LOCALS(thrum_iteration each; int item;))
{
    ASYNC_BEGIN;
    ASYNC_FOR (self->item, self->each, around()) {
        if (self->item == 2)
            AWAIT(thrum_sleep(SECONDS(1)));
    }
    ASYNC_END;
}

static ASYNC(waits, ARGS((thrum_task *, task)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(self->task);
    ASYNC_END;
}

/* test_graph's generators */
TEST(graph, generators)
{
    sim_open();
    thrum_task *task = thrum_spawn(loops()), *other = thrum_spawn(waits(task));
    sim_settle();
    strcpy(seen, shape_of_task(task));
    CHECK_STR(seen, "T<loops> [innermost inner around loops] (T<waits> [waits])");
    CHECK_EQ(frames_[1].line, 17);
    CHECK_EQ(frames_[2].line, 25);
    CHECK_EQ(sim_run(thrum_sleep(MILLISECONDS(1500)), NULL), 0);
    strcpy(seen, shape_of_task(task)); /* both stand at a YIELD, which waits for nothing */
    CHECK_STR(seen, "T<loops> [loops] (T<waits> [waits])");
    CHECK_EQ(sim_until(other), 0);
    thrum_task_release(task);
    thrum_task_release(other);
    sim_close();
}
