#include "../trap.h"

/* A result and an error may go to locals that are used before the next await. */
ASYNC(results, ARGS_NONE, LOCALS_NONE)
{
    int n, error;
    ASYNC_BEGIN;
    AWAIT_INTO(n, work(1));
    use(n);
    AWAIT_CATCH(error, work(2));
    if (error)
        use(error);
    AWAIT_CATCH_INTO(error, n, work(3));
    use(error ? error : n);
    ASYNC_END;
}
