// An argument is in self->.
// error gcc: :8:\d+: error: .number. undeclared
// error clang: :8:\d+: error: use of undeclared identifier 'number'
#include "../trap.h"
ASYNC(f, ARGS((int, number)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    use(number);
    ASYNC_END;
}
