// AWAIT of nothing.
// error gcc: ._Generic. selector of type .void. is not compatible
// error clang: controlling expression type 'void' not compatible
#include "../trap.h"
ASYNC(f, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(use(1));
    ASYNC_END;
}
