#include "../trap.h"

/* Several of them in one function: each is found, in the order of the text. */
ASYNC(several, ARGS((long, a)), LOCALS_NONE)
{
    char buffer[8];
    int n;
    ASYNC_BEGIN;
    n = compute(1);
    AWAIT(read_some(buffer, 8)); // finds address-into-await: 'buffer'
    use(n);                      // finds local-across-await: 'n'
    switch (self->a) {
    case 1:
        AWAIT(work(1)); // finds await-in-switch: AWAIT
        return 1;       // finds plain-return: ASYNC_RETURN
    default:
        break;
    }
    ASYNC_END;
}
