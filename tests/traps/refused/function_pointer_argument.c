// A function pointer as an argument: its type wants a typedef.
// error gcc: :5:\d+: error: expected identifier before .\(. token
// error clang: :5:\d+: error: expected identifier
#include "../trap.h"
ASYNC(f, ARGS((int, (*call)(int))), LOCALS_NONE)
{
    ASYNC_BEGIN;
    ASYNC_END;
}
