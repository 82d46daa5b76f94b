/* Two lamps, each with a rhythm of its own. Where there is no lamp the console shows it. */
#include <board.h>
#include <thrum.h>

static uint64_t memory[128];

static ASYNC(blink, ARGS((const char *, lamp), (thrum_time, period), (int, times)), LOCALS(int i;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < self->times; self->i++) {
        board_put(self->lamp);
        AWAIT(thrum_sleep(self->period));
    }
    ASYNC_END;
}

static ASYNC(both, ARGS_NONE, LOCALS(thrum_group lamps;))
{
    ASYNC_BEGIN;
    WITH (self->lamps, thrum_group_open(&self->lamps)) {
        if (!thrum_group_spawn(&self->lamps, blink("green\n", MILLISECONDS(500), 6)) ||
            !thrum_group_spawn(&self->lamps, blink("red\n", MILLISECONDS(1000), 3)))
            ASYNC_RAISE(THRUM_ENOMEM);
    }
    ASYNC_END;
}

int main(void)
{
    thrum_pool_use_memory(memory, sizeof memory);
    return thrum_run(both());
}
