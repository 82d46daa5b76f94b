// A result goes to an integer or a pointer.
// error gcc: incompatible types when assigning to type .double.
// error clang: assigning to 'double' from incompatible type
#include "../trap.h"
ASYNC(f, ARGS_NONE, LOCALS(double d;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->d, work(1));
    ASYNC_END;
}
