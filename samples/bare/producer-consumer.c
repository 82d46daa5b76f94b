/* A lamp, somebody who makes things and somebody who uses them up, with a short queue in between. The program by which
 * microcontroller kernels are compared (tests/bench/embedded): it ends with the twentieth thing. */
#include <board.h>
#include <thrum.h>

enum { THINGS = 20 };

static uint64_t memory[128];
static thrum_queue queue;
static uint32_t slots[8];
static volatile uint32_t lamp;

static ASYNC(blink, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    for (;;) {
        lamp ^= 1;
        AWAIT(thrum_sleep(MILLISECONDS(50)));
    }
    ASYNC_END;
}

static ASYNC(produce, ARGS_NONE, LOCALS(uint32_t thing;))
{
    ASYNC_BEGIN;
    for (;;) {
        self->thing++;
        AWAIT(thrum_queue_put(&queue, &self->thing));
        AWAIT(thrum_sleep(MILLISECONDS(10)));
    }
    ASYNC_END;
}

static ASYNC(consume, ARGS_NONE, LOCALS(uint32_t thing;))
{
    ASYNC_BEGIN;
    do
        AWAIT(thrum_queue_get(&queue, &self->thing));
    while (self->thing < THINGS);
    ASYNC_END;
}

/* What thrum_run() does, but for its end: nothing is cancelled when the last thing was used up, so that nothing of what
 * cancels tasks is linked in. */
int main(void)
{
    thrum_pool_use_memory(memory, sizeof memory);
    thrum_queue_init(&queue, slots, sizeof slots / sizeof *slots, sizeof *slots);
    thrum_bare_open();
    thrum_spawn_detached(blink());
    thrum_spawn_detached(produce());
    thrum_task *user = thrum_spawn(consume());
    while (user && !thrum_task_done(user))
        if (!thrum_bare_step())
            thrum_bare_sleep();
    thrum_task_release(user);
    return !user;
}
