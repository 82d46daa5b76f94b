#include "../trap.h"

struct span {
    const void *base;
    size_t size;
};
thrum_awaitable write_span(const struct span *span);

/* The struct survives; what it points to does not. */
ASYNC(spans, ARGS_NONE, LOCALS(struct span span;))
{
    char buffer[8];
    ASYNC_BEGIN;
    fill(buffer, sizeof buffer);
    self->span.base = buffer;
    self->span.size = sizeof buffer;
    AWAIT(write_span(&self->span)); // finds address-into-await: 'buffer' is handed into the AWAIT
    ASYNC_END;
}
