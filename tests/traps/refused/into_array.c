// The same.
// error gcc: assignment to expression with array type
// error clang: array type 'char\[4\]' is not assignable
#include "../trap.h"
ASYNC(f, ARGS_NONE, LOCALS(char a[4];))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->a, work(1));
    ASYNC_END;
}
