/* How much of the pool the program takes that sizes are measured by. */
#define main program
#include "../../../samples/bare/producer-consumer.c"
#undef main

int main(void)
{
    thrum_pool_stats stats;
    size_t least = 0; /* what the pool needs for itself */
    if (program() != 0)
        return 1;
    thrum_pool_stats_get(&stats);
    thrum_bare_close();
    while (thrum_pool_use_memory(memory, least) != 0)
        least++;
    board_put_number(least + stats.peak);
    return 0;
}
