// Two arguments of one name.
// error gcc: redefinition of parameter .a.
// error clang: redefinition of parameter 'a'
#include "../trap.h"
ASYNC(f, ARGS((int, a), (int, a)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    ASYNC_END;
}
