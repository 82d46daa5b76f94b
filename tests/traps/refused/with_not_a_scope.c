// WITH of something that is no scope.
// error gcc: request for member .scope. in something not a structure or union
// error clang: member reference base type 'int' is not a structure or union
#include "../trap.h"
ASYNC(f, ARGS((thrum_lock *, lock)), LOCALS(int hold;))
{
    ASYNC_BEGIN;
    WITH (self->hold, thrum_lock_acquire(self->lock)) {
        use(1);
    }
    ASYNC_END;
}
