#include "../trap.h"

struct span {
    void *base;
    size_t size;
};
thrum_awaitable read_span(struct span span);

ASYNC(in_struct, ARGS_NONE, LOCALS_NONE)
{
    char buffer[8];
    ASYNC_BEGIN;
    struct span span;
    span.base = buffer;
    span.size = sizeof buffer;
    AWAIT(read_span(span)); // finds address-into-await: 'buffer'
    ASYNC_END;
}
