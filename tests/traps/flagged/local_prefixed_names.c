#define THRUM_NO_SHORT_NAMES
#include "../trap.h"

THRUM_ASYNC(prefixed, THRUM_ARGS_NONE, THRUM_LOCALS_NONE)
{
    int n;
    THRUM_ASYNC_BEGIN;
    n = compute(1);
    THRUM_AWAIT(work(n));
    use(n); // finds local-across-await: 'n'
    THRUM_ASYNC_END;
}
