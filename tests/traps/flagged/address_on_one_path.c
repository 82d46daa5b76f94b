#include "../trap.h"

ASYNC(either, ARGS((int, a)), LOCALS(char own[8];))
{
    char buffer[8];
    ASYNC_BEGIN;
    AWAIT(read_some(self->a ? self->own : buffer, 8)); // finds address-into-await: 'buffer'
    ASYNC_END;
}
