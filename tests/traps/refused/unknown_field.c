// A field that is not there.
// error gcc: :8:\d+: error: .struct f_frame. has no member named .nubmer.; did you mean .number.
// error clang: :8:\d+: error: no member named 'nubmer' in 'struct f_frame'; did you mean 'number'
#include "../trap.h"
ASYNC(f, ARGS((int, number)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    use(self->nubmer);
    ASYNC_END;
}
