#include "../trap.h"

static ASYNC_GEN(numbers, ARGS((const int *, n)), LOCALS(thrum_value got;))
{
    int local = 1, other = 2;
    ASYNC_BEGIN;
    local = compute(1); YIELD(1);
    use(local); // finds local-across-await: local variable 'local' is used after the YIELD on line 7
    YIELD(&other); // finds address-into-await: the address of local variable 'other' is handed into the YIELD on line 9
    switch (compute(0)) {
    case 1:
        YIELD(2); // finds await-in-switch: YIELD inside a switch
    }
    ASYNC_END;
}

ASYNC(loops, ARGS_NONE, LOCALS(thrum_iteration each; thrum_lock_hold hold; thrum_lock *lock; int i;))
{
    int sum = 0, bound = 9;
    ASYNC_BEGIN;
    ASYNC_FOR (self->i, self->each, numbers(&bound)) // finds address-into-await: into the ASYNC_FOR on line 21
        sum += self->i; // finds local-across-await: local variable 'sum' is used after the ASYNC_FOR on line 21
    ASYNC_FOR (self->i, self->each, numbers(NULL)) {
        WITH (self->hold, thrum_lock_hold_enter(&self->hold, self->lock)) {
            break; // finds jump-leaves-block: 'break' leaves the WITH block
        }
        if (self->i)
            goto out; // finds goto: 'goto out' leaves an ASYNC_FOR block
    }
out:
    ASYNC_RETURN(0);
    ASYNC_END;
}
