/* What a call graph says a task was doing when it was looked at. */
#include "support.h"

static thrum_task_state state_of(thrum_task *task, const char *operation)
{
    thrum_graph graph = graph_with_room();
    CHECK_EQ(thrum_capture_call_graph(&graph, task, 0, THRUM_ALL_FRAMES), 0);
    CHECK_PTR(graph.first->task, task);
    if (operation)
        CHECK_STR(graph.first->operation, operation);
    else
        CHECK_NULL(graph.first->operation);
    return graph.first->state;
}

static thrum_event event;

static ASYNC(works, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    CHECK_EQ(state_of(thrum_current_task(), NULL), THRUM_TASK_RUNNING);
    AWAIT(&event);
    CHECK_EQ(state_of(thrum_current_task(), NULL), THRUM_TASK_RUNNING);
    AWAIT(thrum_yield());
    AWAIT(thrum_sleep(SECONDS(1)));
    ASYNC_END;
}

TEST(states, of_a_task)
{
    sim_open();
    thrum_event_init(&event);
    thrum_task *task = thrum_spawn(works());
    CHECK_EQ(state_of(task, NULL), THRUM_TASK_NEW);
    sim_settle();
    CHECK_EQ(state_of(task, "event"), THRUM_TASK_WAITING);
    thrum_event_set(&event);
    CHECK_EQ(state_of(task, NULL), THRUM_TASK_READY);
    sim_pass();
    CHECK_EQ(state_of(task, NULL), THRUM_TASK_READY); /* at its yield */
    sim_settle();
    CHECK_EQ(state_of(task, "sleep"), THRUM_TASK_WAITING);
    thrum_task_cancel(task);
    CHECK_EQ(state_of(task, NULL), THRUM_TASK_READY);
    sim_settle();
    CHECK_EQ(state_of(task, NULL), THRUM_TASK_DONE);
    thrum_task_release(task);
    sim_close();
}

static ASYNC(starts, ARGS_NONE, LOCALS(thrum_task *task;))
{
    ASYNC_BEGIN;
    self->task = thrum_spawn_eager(thrum_event_wait(&event));
    CHECK_EQ(state_of(self->task, "event"), THRUM_TASK_WAITING);
    thrum_event_set(&event);
    AWAIT(self->task);
FINALLY:
    thrum_task_release(self->task);
    ASYNC_END;
}

static ASYNC(looks_at, ARGS((thrum_task **, who), (thrum_task_state, expected)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    CHECK_EQ(state_of(*self->who, NULL), self->expected);
    ASYNC_END;
}

static thrum_task *starter;

static ASYNC(starts_one_that_looks, ARGS_NONE, LOCALS(thrum_task *task;))
{
    ASYNC_BEGIN;
    starter = thrum_current_task();
    self->task = thrum_spawn_eager(looks_at(&starter, THRUM_TASK_READY));
    AWAIT(self->task);
FINALLY:
    thrum_task_release(self->task);
    ASYNC_END;
}

/* One that was started eagerly runs within another's step; that waits for its turn meanwhile. */
TEST(states, of_eager_tasks)
{
    thrum_event_init(&event);
    CHECK_EQ(sim_run(starts(), NULL), 0);
    CHECK_EQ(sim_run(starts_one_that_looks(), NULL), 0);
}

/* A table that was captured before is printed as that of now. */
TEST(states, in_a_table)
{
    lines now = {.count = 0}, later = {.count = 0};
    sim_open();
    thrum_event_init(&event);
    thrum_task *task = thrum_spawn(works());
    sim_settle();
    CHECK_EQ(thrum_print_task_table(put_line, &now), 0);
    thrum_graph graph = graph_with_room();
    CHECK_EQ(thrum_capture_task_tree(&graph, THRUM_ALL_FRAMES), 0);
    thrum_task_set_name(task, "another name");
    thrum_graph_print_table(&graph, put_line, &later);
    CHECK_EQ(later.count, 2);
    CHECK_STR(later.text, now.text);
    thrum_task_cancel(task);
    sim_settle();
    thrum_task_release(task);
    sim_close();
}
