// error gcc: 'struct numbers_frame' has no member named 'ASYNC_GEN_is_missing_'
// error clang: no member named 'ASYNC_GEN_is_missing_' in 'struct numbers_frame'
#include "../trap.h"

static ASYNC(numbers, ARGS_NONE, LOCALS(int i;))
{
    ASYNC_BEGIN;
    YIELD(self->i);
    ASYNC_END;
}
