// The same.
// error gcc: incompatible types when assigning to type .struct pair.
// error clang: assigning to 'struct pair' from incompatible type
#include "../trap.h"
struct pair { int a, b; };
ASYNC(f, ARGS_NONE, LOCALS(struct pair pair;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->pair, work(1));
    ASYNC_END;
}
