// ASYNC_BEGIN is missing.
// error gcc: .ASYNC_BEGIN_is_missing_. undeclared
// error clang: :7:5: error: use of undeclared identifier 'ASYNC_BEGIN_is_missing_'
#include "../trap.h"
ASYNC(f, ARGS_NONE, LOCALS_NONE)
{
    AWAIT(work(1));
    ASYNC_END;
}
