#include "../trap.h"

/* Before ASYNC_BEGIN it is set again at every resume: a shorthand for something that survives. */
ASYNC(shorthand, ARGS((thrum_lock *, lock)), LOCALS(int numbers[4]; int i;))
{
    thrum_lock *const lock = self->lock;
    int *numbers = self->numbers;
    ASYNC_BEGIN;
    AWAIT(thrum_lock_acquire(lock));
    for (self->i = 0; self->i < 4; self->i++)
        AWAIT_INTO(numbers[self->i], work(self->i));
    thrum_lock_release(lock);
    ASYNC_END;
}
