#include "../trap.h"

/* A reference is a pointer in disguise: it does not survive. */
ASYNC(reference, ARGS_NONE, LOCALS(int count;))
{
    ASYNC_BEGIN;
    for (;;) {
        int n = 0;
        {
            auto add = [&n](int more) { n += more; };
            add(1);
        }
        use(n);
        break;
    }
    AWAIT(work(1));
    ASYNC_END;
}

ASYNC(kept, ARGS_NONE, LOCALS(int count;))
{
    int i;
    ASYNC_BEGIN;
    for (i = 0; i < 3; ++i) // finds local-across-await: 'i'
        AWAIT(work(1));
    ASYNC_END;
}
