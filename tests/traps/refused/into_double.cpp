// A result goes to an integer or a pointer.
// error g++: AWAIT_INTO stores an integer or a pointer
// error clang++: AWAIT_INTO stores an integer or a pointer
#include "../trap.h"
ASYNC(f, ARGS_NONE, LOCALS(double d;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->d, work(1));
    ASYNC_END;
}
