// The same, wider than a result.
// error gcc: too wide for the result of an await
// error clang: too wide for the result of an await
#include "../trap.h"
struct large { long a, b, c; };
ASYNC(f, ARGS_NONE, LOCALS(struct large large;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->large, work(1));
    ASYNC_END;
}
