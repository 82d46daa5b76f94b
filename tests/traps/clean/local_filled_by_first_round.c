#include "../trap.h"

/* The loop runs at least once; and one that fills an array by index counts as filling it, however often it runs. */
ASYNC(first_round, ARGS((int, count)), LOCALS_NONE)
{
    char line[16];
    int n;
    ASYNC_BEGIN;
    AWAIT(work(1));
    for (int i = 0; i < 3; i++)
        n = compute(i);
    use(n);
    for (int i = 0; i < self->count; i++)
        line[i] = 'x';
    line[self->count] = 0;
    show(line);
    ASYNC_END;
}
