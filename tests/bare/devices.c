/* Edges and transfers, on a machine without hardware. */
#include "machine.h"

#include <thrum/devices.h>
#include <thrum/port.h>

/* ---- a pin ---- */

static bool pin_is;

static bool level_of(void *pin)
{
    return *(bool *)pin;
}

static thrum_edge button = THRUM_EDGE_INIT(level_of, &pin_is);

static void edge(void)
{
    pin_is = !pin_is;
    thrum_signal_post_from_isr(&button.signal);
}

static void begin(void)
{
    machine_memory(4096);
    machine_set_clock(0);
    pin_is = false;
    (void)thrum_signal_cancel(&button.signal);
}

TEST(devices, an_edge)
{
    thrum_value edges;
    begin();
    machine_interrupt_at(7, edge);
    CHECK_EQ(thrum_bare_run(thrum_edge_wait(&button), &edges), 0);
    CHECK_EQ(edges, 1);
    CHECK_EQ(thrum_port_now(), 7);
    machine_interrupt(edge); /* while nobody waits */
    machine_interrupt(edge);
    CHECK_EQ(thrum_bare_run(thrum_edge_wait(&button), &edges), 0);
    CHECK_EQ(edges, 2);
}

/* Bounces within the time do not count; the level is that of the end. */
TEST(devices, a_bouncing_edge)
{
    thrum_value level;
    begin();
    machine_interrupt_at(5, edge);
    machine_interrupt_at(6, edge);
    machine_interrupt_at(10, edge);
    machine_interrupt_at(19, edge);
    machine_interrupt_at(20, edge);
    machine_interrupt_at(100, edge);
    CHECK_EQ(thrum_bare_run(thrum_edge_settled(&button, 10), &level), 0);
    CHECK_EQ(level, 1);
    CHECK_EQ(thrum_port_now(), 30);
    CHECK_EQ(thrum_bare_run(thrum_edge_settled(&button, 10), &level), 0);
    CHECK_EQ(level, 0);
    CHECK_EQ(thrum_port_now(), 110);
    machine_interrupt_at(200, edge);
    CHECK_EQ(thrum_bare_run(thrum_timeout(20, thrum_edge_settled(&button, 10)), &level), THRUM_ETIMEDOUT);
    CHECK_EQ(thrum_bare_run(thrum_timeout(75, thrum_edge_settled(&button, 10)), &level), THRUM_ETIMEDOUT);
    CHECK_EQ(thrum_port_now(), 205);
}

/* ---- a transfer of so many ticks, a byte a tick ---- */

static unsigned begun, aborted;
static int refusal;
static bool works; /* the hardware touches the memory */

static int begin_transfer(thrum_transfer *transfer);

static void abort_transfer(thrum_transfer *transfer)
{
    (void)transfer;
    CHECK(works);
    aborted++;
    works = false;
}

static const thrum_transfer_driver dma_driver = {begin_transfer, abort_transfer};
static thrum_transfer dma = THRUM_TRANSFER_INIT(dma, &dma_driver, NULL);

static void complete(void)
{
    works = false;
    thrum_transfer_done_from_isr(&dma, (int)dma.size);
}

static void fail(void)
{
    works = false;
    thrum_transfer_done_from_isr(&dma, -71);
}

static int begin_transfer(thrum_transfer *transfer)
{
    CHECK_PTR(transfer, &dma);
    begun++;
    works = !refusal;
    return refusal;
}

static char memory_of_transfer[16];

static void prepare(void)
{
    begin();
    dma.memory = memory_of_transfer;
    dma.size = 10;
    refusal = 0;
    begun = aborted = 0;
    works = false;
}

TEST(devices, a_transfer)
{
    thrum_value result;
    prepare();
    machine_interrupt_at(10, complete);
    CHECK_EQ(thrum_bare_run(thrum_transfer_run(&dma), &result), 0);
    CHECK_EQ(result, 10);
    machine_interrupt_at(20, fail);
    CHECK_EQ(thrum_bare_run(thrum_transfer_run(&dma), &result), -71);
    refusal = THRUM_EINVAL;
    CHECK_EQ(thrum_bare_run(thrum_transfer_run(&dma), &result), THRUM_EINVAL);
    CHECK_EQ(begun, 3);
    CHECK_EQ(aborted, 0);
    refusal = 0;
    machine_interrupt_at(30, complete);
    CHECK_EQ(thrum_bare_run(thrum_transfer_run(&dma), &result), 0);
}

/* The interrupt may come while the hardware is being started. */
TEST(devices, a_transfer_that_ends_at_once)
{
    thrum_value result;
    prepare();
    for (unsigned n = 1; n < 5; n++) {
        machine_interrupt_after_masks(n, complete);
        machine_interrupt_at(thrum_port_now() + 1000, complete);
        CHECK_EQ(thrum_bare_run(thrum_timeout(2000, thrum_transfer_run(&dma)), &result), 0);
        machine_interrupt_after_masks(0, NULL);
        CHECK_EQ(thrum_bare_run(thrum_sleep(3000), NULL), 0);
    }
}

static ASYNC(user, ARGS_NONE, LOCALS(int size;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->size, thrum_transfer_run(&dma));
    ASYNC_RETURN(self->size);
FINALLY:
    CHECK(!works); /* whatever happened: before this task goes on the hardware has stopped */
    ASYNC_END;
}

static ASYNC(second_user, ARGS_NONE, LOCALS(int error; thrum_task * first;))
{
    ASYNC_BEGIN;
    self->first = thrum_spawn(user());
    AWAIT(thrum_yield());
    AWAIT_CATCH(self->error, thrum_transfer_run(&dma));
    CHECK_EQ(self->error, THRUM_EBUSY);
    thrum_task_cancel(self->first);
    AWAIT_CATCH_ALL(self->error, self->first);
    CHECK_EQ(self->error, THRUM_ECANCELED);
FINALLY:
    thrum_task_release(self->first);
    ASYNC_END;
}

TEST(devices, one_transfer_at_a_time)
{
    prepare();
    CHECK_EQ(thrum_bare_run(second_user(), NULL), 0);
    CHECK_EQ(aborted, 1);
    complete(); /* an interrupt that was on its way */
    CHECK_EQ(thrum_bare_run(thrum_sleep(1), NULL), 0);
    machine_interrupt_at(10, complete);
    CHECK_EQ(thrum_bare_run(thrum_transfer_run(&dma), NULL), 0);
}

/* Cancelled `before` ticks around the completion, and at each step of the loop after it: the hardware is stopped when
 * it works and only then, exactly one outcome arrives, and the transfer can be used again. */
TEST(devices, cancelled_at_every_moment)
{
    unsigned ends = 0, cancels = 0;
    for (unsigned passes = 0; passes < 8; passes++) {
        prepare();
        CHECK_EQ(thrum_bare_open(), 0);
        thrum_task *task = thrum_spawn(user());
        CHECK_NOT_NULL(task);
        for (unsigned i = 0; i < passes; i++) {
            if (i == 2 && works)
                machine_interrupt(complete);
            (void)thrum_bare_step();
        }
        if (passes == 2) /* posted, and the loop has not looked */
            machine_interrupt(complete);
        bool worked = works, over = thrum_task_done(task);
        CHECK_EQ(thrum_task_cancel(task), !over);
        CHECK(!works); /* at once, not when the task goes on */
        CHECK_EQ(aborted, worked ? 1u : 0u);
        while (!thrum_task_done(task))
            (void)thrum_bare_step();
        CHECK_EQ(thrum_task_result(task, NULL), over ? 0 : THRUM_ECANCELED);
        thrum_task_release(task);
        ends += over;
        cancels += !over && begun;
        thrum_value result;
        machine_interrupt_at(thrum_port_now() + 5, complete);
        CHECK_EQ(thrum_bare_run(thrum_transfer_run(&dma), &result), 0);
        CHECK_EQ(result, 10);
        thrum_bare_close();
    }
    CHECK_GE(ends, 1);
    CHECK_GE(cancels, 2);
}

/* By the clock: a limit that is reached before, with and after the completion. */
TEST(devices, a_time_limit_around_a_transfer)
{
    for (thrum_time limit = 8; limit <= 12; limit++) {
        prepare();
        machine_interrupt_at(10, complete);
        int error = thrum_bare_run(thrum_timeout(limit, thrum_transfer_run(&dma)), NULL);
        CHECK(error == 0 || error == THRUM_ETIMEDOUT);
        if (limit != 10)
            CHECK_EQ(error, limit < 10 ? THRUM_ETIMEDOUT : 0);
        CHECK_EQ(aborted, limit < 10 ? 1u : 0u);
        CHECK(!works);
        CHECK_EQ(thrum_bare_run(thrum_sleep(100), NULL), 0);
    }
}
