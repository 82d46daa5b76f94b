#include "../trap.h"

/* The pointer survives; what it points to does not. */
ASYNC(in_self, ARGS_NONE, LOCALS(char *p;))
{
    char buffer[8];
    ASYNC_BEGIN;
    self->p = buffer;
    AWAIT(read_some(self->p, 8)); // finds address-into-await: 'buffer'
    ASYNC_END;
}
