// The same in C++.
#include "../trap.h"

static ASYNC_GEN(numbers, ARGS((const int, n)), LOCALS(int i; void *got;), ON_DROP((void)self->n;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < self->n; self->i++) {
        YIELD(self->i);
        YIELD_INTO(self->got, static_cast<void *>(self));
    }
    ASYNC_END;
}

ASYNC(loops, ARGS((int, n)), LOCALS(thrum_iteration outer; thrum_iteration inner; int i; const char *text;))
{
    ASYNC_BEGIN;
    ASYNC_FOR (self->i, self->outer, numbers(self->n)) {
        if (self->i == 5)
            break;
        ASYNC_FOR (self->text, self->inner, numbers(self->i))
            continue;
    }
    ASYNC_END;
}
