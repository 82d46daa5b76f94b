// An array as an argument: its type wants a typedef.
// error gcc: :5:\d+: error: expected .,. or .\}. before .\[. token
// error clang: :5:\d+: error: expected
#include "../trap.h"
ASYNC(f, ARGS((int, v[4])), LOCALS_NONE)
{
    ASYNC_BEGIN;
    ASYNC_END;
}
