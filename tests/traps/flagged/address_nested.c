#include "../trap.h"

ASYNC(nested, ARGS_NONE, LOCALS_NONE)
{
    char buffer[64];
    ASYNC_BEGIN;
    AWAIT(thrum_timeout(SECONDS(1), read_some(buffer + 8, 8))); // finds address-into-await: 'buffer'
    ASYNC_END;
}
