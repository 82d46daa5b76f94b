// ASYNC_END is missing.
// error gcc: :9:1: error: expected declaration or statement at end of input
// error clang: :9:2: error: expected '\}'
#include "../trap.h"
ASYNC(f, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(work(1));
}
