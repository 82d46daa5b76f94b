/* Where an await can stand, and what it can wait for. */
/* It looks at awaits, not at cancellations. thrum-check: ignore-file thrum-cancellation-swallowed */
#include <sim.h>

static ASYNC(later, ARGS((int, n)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_yield());
    ASYNC_RETURN(self->n);
    ASYNC_END;
}

static ASYNC(at_once, ARGS((int, n)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    ASYNC_RETURN(self->n);
    ASYNC_END;
}

static ASYNC(fails, ARGS((int, error)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_yield());
    ASYNC_RAISE(self->error);
    ASYNC_END;
}

/* ---- several awaits a line ---- */

/* clang-format off */
static ASYNC(one_line, ARGS_NONE, LOCALS(int a, b, c;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->a, later(1)); AWAIT_INTO(self->b, later(2)); AWAIT(thrum_yield());
    AWAIT_INTO(self->c, at_once(4)); AWAIT(later(0));
    if (self->a) AWAIT(later(0)); else AWAIT(fails(THRUM_EAPP(1)));
    if (!self->a) AWAIT(fails(THRUM_EAPP(1))); else AWAIT(later(0));
    ASYNC_RETURN(self->a + self->b + self->c);
    ASYNC_END;
}

#define BOTH(x, y) do { AWAIT(later(x)); AWAIT(later(y)); } while (0)
static ASYNC(in_a_macro, ARGS_NONE, LOCALS(int i;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < 3; self->i++) BOTH(1, 2);
    BOTH(3, 4); BOTH(5, 6);
    ASYNC_RETURN(self->i);
    ASYNC_END;
}
/* clang-format on */

TEST(awaits, several_on_one_line)
{
    thrum_value value = 0;
    CHECK_EQ(sim_run(one_line(), &value), 0);
    CHECK_EQ(value, 7);
    CHECK_EQ(sim_run(in_a_macro(), &value), 0);
    CHECK_EQ(value, 3);
}

/* ---- loops and branches ---- */

static ASYNC(loops, ARGS_NONE, LOCALS(int i, j, k; thrum_value sum;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < 4; self->i++) {
        int got; /* lives between awaits only */
        AWAIT_INTO(self->k, later(self->i));
        got = self->k;
        if (got == 1)
            continue;
        if (got == 3)
            break;
        self->sum += got + 10; /* 10, 12 */
        for (self->j = 0; self->j < 3; self->j++) {
            if (self->j == 1)
                continue;
            AWAIT(thrum_yield());
            self->sum += 100; /* twice in each of two rounds */
        }
    }
    while (self->i-- > 0) {
        AWAIT(later(1));
        if (self->i == 1)
            break;
        self->sum += 1000; /* i == 2 */
    }
    do {
        AWAIT(later(1));
        self->sum += 10000;
        if (self->j-- == 2)
            continue;
        AWAIT(later(1));
    } while (self->j > 0);
    /* No braces anywhere. */
    for (self->i = 0; self->i < 2; self->i++)
        for (self->j = 0; self->j < 2; self->j++)
            if (self->i == self->j)
                AWAIT_INTO(self->k, later(self->i + 5));
            else
                AWAIT(thrum_yield());
    self->sum += (thrum_value)self->k * 100000;
    ASYNC_RETURN(self->sum);
    ASYNC_END;
}

TEST(awaits, in_loops_and_branches)
{
    thrum_value value = 0;
    CHECK_EQ(sim_run(loops(), &value), 0);
    CHECK_EQ(value, 22 + 400 + 1000 + 30000L + 600000L);
}

static ASYNC(condition, ARGS_NONE, LOCALS(int round; int result;))
{
    ASYNC_BEGIN;
again:
    AWAIT(thrum_yield());
    if (++self->round < 5)
        goto again;
    {
        AWAIT(thrum_yield());
        {
            AWAIT_INTO(self->result, later(self->round));
        }
    }
    ASYNC_RETURN(self->result);
    ASYNC_END;
}

TEST(awaits, after_a_jump_back_and_in_plain_blocks)
{
    thrum_value value = 0;
    CHECK_EQ(sim_run(condition(), &value), 0);
    CHECK_EQ(value, 5);
}

/* A switch of the user's own is fine as long as it holds no await. */
static ASYNC(own_switch, ARGS((int, what)), LOCALS(int got;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->got, later(self->what));
    switch (self->got) {
    case 1:
        self->got = 11;
        break;
    case 2:
        self->got = 22;
        break;
    default:
        self->got = 99;
    }
    AWAIT(thrum_yield());
    ASYNC_RETURN(self->got);
    ASYNC_END;
}

TEST(awaits, beside_a_switch)
{
    thrum_value value = 0;
    CHECK_EQ(sim_run(own_switch(2), &value), 0);
    CHECK_EQ(value, 22);
    CHECK_EQ(sim_run(own_switch(3), &value), 0);
    CHECK_EQ(value, 99);
}

/* ---- recursion ---- */

static ASYNC(fibonacci, ARGS((int, n)), LOCALS(int a, b;))
{
    ASYNC_BEGIN;
    if (self->n < 2)
        ASYNC_RETURN(self->n);
    if (self->n % 3 == 0)
        AWAIT(thrum_yield());
    AWAIT_INTO(self->a, fibonacci(self->n - 1));
    AWAIT_INTO(self->b, fibonacci(self->n - 2));
    ASYNC_RETURN(self->a + self->b);
    ASYNC_END;
}

static ASYNC(deep, ARGS((int, n)), LOCALS(int below;))
{
    ASYNC_BEGIN;
    if (self->n == 0) {
        AWAIT(thrum_sleep(5));
        ASYNC_RETURN(0);
    }
    AWAIT_INTO(self->below, deep(self->n - 1));
    ASYNC_RETURN(self->below + 1);
    ASYNC_END;
}

TEST(awaits, recursion)
{
    thrum_value value = 0;
    CHECK_EQ(sim_run(fibonacci(15), &value), 0);
    CHECK_EQ(value, 610);
    CHECK_EQ(sim_run(deep(2000), &value), 0);
    CHECK_EQ(value, 2000);
}

/* ---- evaluated once ---- */

static int evaluated;

static thrum_awaitable counted(thrum_awaitable what)
{
    evaluated++;
    return what;
}

static int *counted_place(int *place)
{
    evaluated += 100;
    return place;
}

static ASYNC(each_form, ARGS_NONE, LOCALS(int v, err; thrum_event event; bool said;))
{
    ASYNC_BEGIN;
    AWAIT(counted(thrum_sleep(5)));
    AWAIT(counted(at_once(1)));
    AWAIT_INTO(self->v, counted(later(1)));
    AWAIT_CATCH(self->err, counted(fails(THRUM_EAPP(1))));
    AWAIT_CATCH_INTO(self->err, self->v, counted(later(1)));
    AWAIT_CATCH_ALL(self->err, counted(fails(THRUM_EAPP(1))));
    AWAIT_CATCH_ALL_INTO(self->err, self->v, counted(later(1)));
    CHECK_EQ(evaluated, 7);
    AWAIT_INTO(*counted_place(&self->v), later(6));
    CHECK_EQ(self->v, 6);
    CHECK_EQ(evaluated, 107);
    ASYNC_END;
}

TEST(awaits, evaluate_what_they_wait_for_once)
{
    evaluated = 0;
    CHECK_EQ(sim_run(each_form(), NULL), 0);
}

/* ---- what can be awaited ---- */

static void set_event(thrum_handle *handle)
{
    thrum_event_set((thrum_event *)handle->context);
}

static void set_future(thrum_handle *handle)
{
    CHECK_EQ(thrum_future_set_result((thrum_future *)handle->context, 42), 0);
}

static ASYNC(everything, ARGS_NONE,
             LOCALS(thrum_task *task; thrum_future future; thrum_event event; thrum_handle handle; int v, err;))
{
    ASYNC_BEGIN;
    /* a task, before and after its end */
    self->task = thrum_spawn(later(3));
    AWAIT_INTO(self->v, self->task);
    CHECK_EQ(self->v, 3);
    self->v = 0;
    AWAIT_INTO(self->v, self->task);
    CHECK_EQ(self->v, 3);
    AWAIT(self->task);
    thrum_task_release(self->task);
    self->task = thrum_spawn(fails(THRUM_EAPP(4)));
    AWAIT_CATCH(self->err, self->task);
    CHECK_EQ(self->err, THRUM_EAPP(4));
    AWAIT_CATCH_INTO(self->err, self->v, self->task);
    CHECK_EQ(self->err, THRUM_EAPP(4));
    CHECK_EQ(self->v, 3); /* left alone */
    thrum_task_release(self->task);
    /* a future */
    thrum_handle_init(&self->handle, set_future, &self->future);
    CHECK_EQ(thrum_call_later(10, &self->handle), 0);
    AWAIT_INTO(self->v, &self->future);
    CHECK_EQ(self->v, 42);
    self->v = 0;
    AWAIT_CATCH_ALL_INTO(self->err, self->v, &self->future);
    CHECK_EQ(self->v, 42);
    CHECK_EQ(self->err, 0);
    /* an event */
    thrum_handle_init(&self->handle, set_event, &self->event);
    CHECK_EQ(thrum_call_later(10, &self->handle), 0);
    AWAIT(&self->event);
    CHECK(thrum_event_is_set(&self->event));
    AWAIT(&self->event);
    /* nothing at all */
    AWAIT_CATCH(self->err, (thrum_task *)NULL);
    CHECK_EQ(self->err, THRUM_EINVAL);
    AWAIT_CATCH(self->err, (thrum_future *)NULL);
    CHECK_EQ(self->err, THRUM_EINVAL);
    ASYNC_RETURN(sim_time());
    ASYNC_END;
}

TEST(awaits, take_awaitable_task_future_and_event)
{
    thrum_value value = 0;
    CHECK_EQ(sim_run(everything(), &value), 0);
    CHECK_EQ(value, 20);
}

/* ---- AWAIT_UNTIL ---- */

static int stock;
static thrum_event arrived;

static void deliver(thrum_handle *handle)
{
    stock++;
    thrum_event_set(&arrived);
    thrum_event_clear(&arrived);
    if (stock < 5)
        CHECK_EQ(thrum_call_later(10, handle), 0);
}

static ASYNC(consumer, ARGS((int, want)), LOCALS(int looked;))
{
    ASYNC_BEGIN;
    AWAIT_UNTIL((self->looked++, stock >= self->want), &arrived);
    ASYNC_RETURN(self->looked);
    ASYNC_END;
}

TEST(awaits, until_a_condition_holds)
{
    thrum_value value = 0;
    thrum_handle handle = THRUM_HANDLE_INIT(deliver, NULL);
    stock = 0;
    thrum_event_init(&arrived);
    sim_open();
    CHECK_EQ(thrum_call_later(10, &handle), 0);
    CHECK_EQ(sim_run(consumer(3), &value), 0);
    CHECK_EQ(value, 4); /* at first, and after each of three deliveries */
    CHECK_EQ(sim_time(), 30);
    CHECK_EQ(sim_run(consumer(2), &value), 0);
    CHECK_EQ(value, 1); /* holds already: does not wait */
    thrum_task *task = thrum_spawn(consumer(9));
    sim_pass();
    thrum_task_cancel(task);
    CHECK_EQ(sim_until(task), 0);
    CHECK(thrum_task_cancelled(task));
    thrum_task_release(task);
    thrum_handle_cancel(&handle);
    sim_close();
}
