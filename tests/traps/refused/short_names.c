// Without the short names there are none.
// flags: -Werror
// error gcc: :7:\d+: error: return type defaults to .int.
// error clang: :7:\d+: error:
#define THRUM_NO_SHORT_NAMES
#include "../trap.h"
ASYNC(f, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(work(1));
    ASYNC_END;
}
