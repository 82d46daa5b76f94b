/* Where a pool on a host gets its memory. */
#include <stdlib.h>

#include "core/pool.h"

static void *host_allocate(void *context, size_t size)
{
    (void)context;
    return malloc(size);
}

static void host_release(void *context, void *memory, size_t size)
{
    (void)context;
    (void)size;
    free(memory);
}

thrum_allocator thrum_pool_host_allocator(void)
{
    thrum_allocator allocator = {host_allocate, host_release, NULL, false};
    return allocator;
}
