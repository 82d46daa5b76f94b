// CATCH without TRY.
// error gcc: .else. without a previous .if.
// error clang: :9:5: error: expected expression
#include "../trap.h"
ASYNC(f, ARGS_NONE, LOCALS(thrum_try attempt; int error;))
{
    ASYNC_BEGIN;
    AWAIT(work(1));
    CATCH (self->error, self->attempt) {
        use(1);
    }
    ASYNC_END;
}
