#include "../trap.h"

ASYNC(nothing, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    ASYNC_END;
}

ASYNC(only_finally, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
FINALLY:
    use(1);
    ASYNC_END;
}

ASYNC(at_once, ARGS((int, a)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    if (self->a)
        ASYNC_RETURN(self->a);
    else
        ASYNC_RAISE(THRUM_EINVAL);
    ASYNC_END;
}
