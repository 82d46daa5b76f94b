// ASYNC_BEGIN is missing.
// error gcc: .thrum_base_. undeclared
// error clang: :7:5: error: use of undeclared identifier 'thrum_base_'
#include "../trap.h"
ASYNC(f, ARGS_NONE, LOCALS_NONE)
{
    AWAIT(work(1));
    ASYNC_END;
}
