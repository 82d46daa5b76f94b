#include "../trap.h"

/* A switch without an await in it is like any other. */
ASYNC(choose, ARGS((int, a)), LOCALS_NONE)
{
    int n;
    ASYNC_BEGIN;
    AWAIT(work(1));
    switch (self->a) {
    case 1:
        n = 10;
        break;
    case 2:
    case 3:
        n = 20;
        break;
    default:
        n = 30;
    }
    use(n);
    AWAIT(work(2));
    ASYNC_END;
}
