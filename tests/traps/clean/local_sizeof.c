#include "../trap.h"

/* sizeof asks for a type, not for a value. */
ASYNC(sizes, ARGS_NONE, LOCALS(char line[16];))
{
    char shape[16];
    int n;
    ASYNC_BEGIN;
    n = compute(1);
    use(n);
    fill(shape, sizeof shape);
    show(shape);
    AWAIT(read_some(self->line, sizeof shape));
    use((int)(sizeof shape + sizeof n + sizeof(shape[n])));
    ASYNC_END;
}
