// The * belongs to the type.
// error gcc: :5:\d+: error: expected identifier before .\*. token
// error clang: :5:\d+: error: expected identifier
#include "../trap.h"
ASYNC(f, ARGS((int, *p)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    ASYNC_END;
}
