#include "../trap.h"

union number {
    int whole;
    float real;
};

ASYNC(view, ARGS_NONE, LOCALS_NONE)
{
    union number n;
    ASYNC_BEGIN;
    n.whole = 1;
    use(n.whole);
    AWAIT(work(1));
    n.real = 1.0f;
    use(n.whole);
    ASYNC_END;
}
