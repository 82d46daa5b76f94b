#include "../trap.h"

struct pair {
    int a, b;
};
void take(const struct pair *pair);
int sum(struct pair pair);

ASYNC(rebuilt, ARGS_NONE, LOCALS_NONE)
{
    struct pair p;
    ASYNC_BEGIN;
    p = (struct pair){ 1, 2 };
    use(sum(p));
    AWAIT(work(1));
    p.a = 3;
    p.b = 4;
    take(&p);
    use(sum(p));
    AWAIT(work(2));
    p = (struct pair){ .b = 5 };
    use(p.a);
    ASYNC_END;
}
