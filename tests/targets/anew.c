/* A signal that is posted while it waits for its turn behind another one, whose call runs: it is called once, with all
 * that was posted, and the loop finds nobody in line then. Where a port's mask is inline this is no matter of course:
 * a post says to the loop that somebody stands in line before it looks whether that is so. */
#include <board.h>
#include <thrum.h>

static thrum_signal second;
static unsigned calls, counted;

static void post_second(thrum_signal *signal, unsigned count)
{
    (void)signal, (void)count;
    thrum_signal_post_from_isr(&second);
}

static void count_second(thrum_signal *signal, unsigned count)
{
    (void)signal;
    calls++;
    counted += count;
}

static thrum_signal first = THRUM_SIGNAL_CALLING(post_second, NULL);
static thrum_signal second = THRUM_SIGNAL_CALLING(count_second, NULL);

static ASYNC(posts, ARGS_NONE, LOCALS(int round;))
{
    ASYNC_BEGIN;
    for (self->round = 1; self->round <= 3; self->round++) {
        thrum_signal_post_from_isr(&first);
        thrum_signal_post_from_isr(&second);
        AWAIT(thrum_sleep(2));
        if (calls != (unsigned)self->round || counted != 2 * calls)
            board_exit(2);
    }
    ASYNC_END;
}

int main(void)
{
    static uint64_t memory[90];
    thrum_pool_use_memory(memory, sizeof memory);
    return thrum_run(posts());
}
