/* Memory for tests that bring none: each has a process of its own, with a pool of one array, as on machines. */
#include <thrum.h>

__attribute__((constructor)) static void begin(void)
{
    static uint64_t memory[TEST_POOL_ / sizeof(uint64_t)];
    (void)thrum_pool_use_memory(memory, sizeof memory);
}
