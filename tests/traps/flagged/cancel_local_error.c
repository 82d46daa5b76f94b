#include "../trap.h"

ASYNC(local_error, ARGS_NONE, LOCALS_NONE)
{
    int error;
    ASYNC_BEGIN;
    AWAIT_CATCH_ALL(error, work(1)); // finds cancellation-swallowed: AWAIT_CATCH_ALL
    if (!error)
        ASYNC_RETURN(1);
    ASYNC_RETURN(error);
    ASYNC_END;
}
