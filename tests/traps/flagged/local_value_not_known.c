#include "../trap.h"

void set(bool *flag);
static bool *kept;

/* The flags look constant, but are not. */
ASYNC(flags, ARGS((int, a)), LOCALS_NONE)
{
    bool given, escaped, looped;
    int n, m, i, k;
    ASYNC_BEGIN;
    given = escaped = looped = false;
    n = m = k = compute(1);
    set(&given);
    if (given)
        AWAIT(work(1));
    use(n); // finds local-across-await: 'n' is used after the AWAIT on line 16
    escaped = false;
    kept = &escaped;
    m = compute(2);
    use(compute(3));
    if (escaped)
        AWAIT(work(2));
    use(m); // finds local-across-await: 'm' is used after the AWAIT on line 23
    k = compute(1);
    looped = false;
    for (i = 0; i < 3; i++) { // finds local-across-await: 'i'
        if (looped)
            AWAIT(work(3));
        looped = true;
        use(k); // finds local-across-await: 'k'
    }
    ASYNC_END;
}
