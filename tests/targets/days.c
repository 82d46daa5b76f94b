/* Fifty days asleep (or as many as the arguments say), in waits of at most 2^31 - 1 ticks: none ends early or late, and
 * nothing runs meanwhile but what
 * the timer's hardware, where it does not reach so far, makes necessary. A second task sleeps shorter times beside. */
#include <board.h>
#include <thrum.h>
#include <thrum/port.h>

static uint64_t memory[100];
static uint64_t all;

static unsigned long waits, naps;

static void sleep_was(thrum_time before, thrum_time ticks)
{
    const thrum_time late = thrum_port_now() - before - ticks;
    if (late > 1) {
        board_put("a wait ended by so many ticks too late (or early): ");
        board_put_hex((uintptr_t)late);
        board_put("\n");
        board_exit(3);
    }
}

static ASYNC(naps_beside, ARGS_NONE, LOCALS(thrum_time before;))
{
    ASYNC_BEGIN;
    for (;;) {
        self->before = thrum_now();
        AWAIT(thrum_sleep(INT32_MAX / 3));
        sleep_was(self->before, INT32_MAX / 3);
        naps++;
    }
    ASYNC_END;
}

static ASYNC(sleeps, ARGS_NONE, LOCALS(uint64_t left; thrum_time before; thrum_time ticks; thrum_task * beside;))
{
    ASYNC_BEGIN;
    self->beside = thrum_spawn(naps_beside());
    for (self->left = all; self->left; self->left -= self->ticks) {
        self->ticks = self->left < INT32_MAX ? (thrum_time)self->left : INT32_MAX;
        self->before = thrum_now();
        AWAIT(thrum_sleep(self->ticks));
        sleep_was(self->before, self->ticks);
        waits++;
    }
    thrum_task_release(self->beside); /* the end of the program cancels it */
    ASYNC_END;
}

int main(void)
{
    unsigned days = 0;
    for (const char *digit = board_arguments(); *digit; digit++)
        days = days * 10 + (unsigned)(*digit - '0');
    all = (uint64_t)(days ? days : 50) * 24 * 60 * 60 * THRUM_TICKS_PER_SECOND;
    thrum_pool_use_memory(memory, sizeof memory);
    if (thrum_run(sleeps()) != 0)
        return 1;
    board_put_number(waits);
    board_put(" waits, ");
    board_put_number(naps);
    board_put(" beside\n");
    return waits == (unsigned long)((all + INT32_MAX - 1) / INT32_MAX) && (days || naps >= 2 * waits) ? 0 : 2;
}
