#include "../trap.h"

ASYNC(moved, ARGS((int, a)), LOCALS_NONE)
{
    char buffer[64];
    char *p;
    ASYNC_BEGIN;
    p = buffer;
    p = p + 2;
    p += self->a;
    p++;
    AWAIT(read_some(p, 8)); // finds address-into-await: 'buffer'
    ASYNC_END;
}
