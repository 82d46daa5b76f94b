/* Public async functions, declared by a plain prototype in a header. */
#include "plain.h"

#include <thrum/async.h>

ASYNC(plain_gives, ARGS((int, n)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_yield());
    ASYNC_RETURN(self->n);
    ASYNC_END;
}

typedef thrum_awaitable of_int(int n);

ASYNC(plain_twice, ARGS((of_int *, function), (int, n)), LOCALS(int a, b;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->a, self->function(self->n));
    AWAIT_INTO(self->b, self->function(self->n));
    ASYNC_RETURN(self->a + self->b);
    ASYNC_END;
}
