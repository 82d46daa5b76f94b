/* A clock so quick that time passes between any two instructions: each alarm is near, and some are past when they have
 * been computed. None may be missed; the last wait ends some time, and the program. */
#include <board.h>
#include <thrum.h>

static uint64_t memory[64];

static ASYNC(near, ARGS_NONE, LOCALS(thrum_time ahead;))
{
    ASYNC_BEGIN;
    for (self->ahead = 1; self->ahead < 1000; self->ahead++)
        AWAIT(thrum_sleep(self->ahead));
    ASYNC_END;
}

int main(void)
{
    thrum_pool_use_memory(memory, sizeof memory);
    return thrum_run(near());
}
