// Two FINALLY in one function.
// error gcc: 'thrum_has_finally_'|duplicate case value
// error clang: :11:1: error: .*('thrum_has_finally_'|duplicate case value)
#include "../trap.h"
ASYNC(f, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(work(1));
FINALLY:
    AWAIT(work(2));
FINALLY:
    AWAIT(work(3));
    ASYNC_END;
}
