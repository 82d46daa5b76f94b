#include "../trap.h"

ASYNC(fail, ARGS((int, a)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(work(1));
    if (self->a)
        goto cleanup; // finds goto: 'goto cleanup' jumps into FINALLY
    AWAIT(work(2));
FINALLY:
    use(1);
cleanup:
    use(2);
    ASYNC_END;
}
