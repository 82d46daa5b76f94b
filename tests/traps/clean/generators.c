// Generators, and the loops over them: break and continue belong to ASYNC_FOR.
#include "../trap.h"

static ASYNC_GEN(numbers, ARGS((int, n)), LOCALS(int i; thrum_value got;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < self->n; self->i++) {
        int twice = self->i * 2;
        YIELD(twice);
        YIELD_INTO(self->got, self->i);
        if (self->got)
            ASYNC_RETURN(0);
    }
FINALLY:
    AWAIT(thrum_yield());
    ASYNC_END;
}

ASYNC(loops, ARGS((int, n)), LOCALS(thrum_iteration outer, inner; int i; const char *text; long sum;))
{
    ASYNC_BEGIN;
    ASYNC_FOR (self->i, self->outer, numbers(self->n)) {
        int item = self->i;
        if (item == 3)
            continue;
        if (item == 5)
            break;
        if (item == 7)
            ASYNC_RETURN(item);
        ASYNC_FOR (item, self->inner, numbers(item))
            self->sum += item;
        for (;;)
            break;
    }
    ASYNC_FOR (self->text, self->inner, numbers(1))
        AWAIT(thrum_yield());
    ASYNC_RETURN(self->sum);
    ASYNC_END;
}
