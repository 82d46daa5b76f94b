/* A program of firmware: its object asks for the library of the same layout by name. */
#include <thrum.h>

ASYNC(twice, ARGS((int, number)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_sleep(MILLISECONDS(1)));
    ASYNC_RETURN(2 * self->number);
    ASYNC_END;
}
