#include "../trap.h"

ASYNC(array, ARGS_NONE, LOCALS(size_t n;))
{
    char buffer[64];
    ASYNC_BEGIN;
    AWAIT_INTO(self->n, read_some(buffer, sizeof buffer)); // finds address-into-await: 'buffer' is handed into the AWAIT_INTO on line 7
    ASYNC_END;
}
