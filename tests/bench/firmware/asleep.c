/* Sleeps for one second, or with the argument "b" for sixty: the same number of instructions. */
#include <board.h>
#include <thrum.h>

static uint64_t memory[64];

int main(void)
{
    const thrum_time seconds = board_arguments()[0] == 'b' ? 60 : 1;
    thrum_pool_use_memory(memory, sizeof memory);
    return thrum_run(thrum_sleep(seconds * SECONDS(1)));
}
