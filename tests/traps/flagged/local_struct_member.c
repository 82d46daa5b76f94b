#include "../trap.h"

struct pair {
    int a, b;
};

ASYNC(member, ARGS_NONE, LOCALS_NONE)
{
    struct pair p;
    ASYNC_BEGIN;
    p.a = 1;
    p.b = 2;
    AWAIT(work(p.a));
    p.a = 3;
    use(p.a);
    use(p.b); // finds local-across-await: 'p'
    ASYNC_END;
}
