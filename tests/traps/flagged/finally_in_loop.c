#include "../trap.h"

ASYNC(nested, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    while (compute(1)) {
        AWAIT(work(1));
    FINALLY: // finds finally-nested: FINALLY stands inside a loop or block
        use(1);
    }
    ASYNC_END;
}
