#include "../trap.h"

/* One element is stored again, another one is read. */
ASYNC(element, ARGS_NONE, LOCALS_NONE)
{
    int v[3];
    ASYNC_BEGIN;
    v[0] = v[1] = 1;
    AWAIT(work(v[0]));
    v[0] = 2;
    use(v[0]);
    use(v[1]); // finds local-across-await: 'v'
    ASYNC_END;
}
