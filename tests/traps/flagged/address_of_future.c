#include "../trap.h"

ASYNC(future, ARGS_NONE, LOCALS_NONE)
{
    thrum_future done;
    ASYNC_BEGIN;
    thrum_future_init(&done);
    AWAIT(&done); // finds address-into-await: 'done'
    ASYNC_END;
}
