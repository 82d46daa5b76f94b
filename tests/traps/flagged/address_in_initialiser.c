#include "../trap.h"

struct span {
    void *base;
    size_t size;
};

ASYNC(initialised, ARGS_NONE, LOCALS_NONE)
{
    char buffer[8];
    struct span span = { buffer, sizeof buffer };
    ASYNC_BEGIN;
    AWAIT(read_some(span.base, span.size)); // finds address-into-await: 'buffer'
    ASYNC_END;
}
