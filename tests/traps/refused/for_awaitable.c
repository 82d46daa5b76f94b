// error gcc: incompatible type for argument 3 of 'thrum_iteration_begin_'
// error clang: passing 'thrum_awaitable' .* to parameter of incompatible type 'thrum_iterable'
#include "../trap.h"

static ASYNC(waits, ARGS_NONE, LOCALS(thrum_iteration each; int i;))
{
    ASYNC_BEGIN;
    ASYNC_FOR (self->i, self->each, thrum_yield())
        continue;
    ASYNC_END;
}
