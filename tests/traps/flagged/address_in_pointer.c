#include "../trap.h"

ASYNC(by_pointer, ARGS_NONE, LOCALS_NONE)
{
    char buffer[64];
    char *p;
    ASYNC_BEGIN;
    p = buffer;
    AWAIT(read_some(p, 8)); // finds address-into-await: 'buffer'
    ASYNC_END;
}
