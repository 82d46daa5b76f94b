#include "../trap.h"

struct pair {
    int a, b;
};

/* A copy of what survives, made again at every resume. */
ASYNC(shorthand, ARGS((struct pair, pair)), LOCALS_NONE)
{
    const struct pair pair = self->pair;
    const int *const first = &self->pair.a;
    ASYNC_BEGIN;
    AWAIT(work(pair.a));
    AWAIT(work(pair.b + *first));
    use(pair.b);
    ASYNC_END;
}
