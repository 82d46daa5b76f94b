#include "../trap.h"

/* What it points to survives; the pointer does not. */
ASYNC(pointer, ARGS_NONE, LOCALS(char line[16];))
{
    char *end;
    ASYNC_BEGIN;
    end = self->line + 3;
    AWAIT(work(1));
    *end = 0; // finds local-across-await: 'end'
    ASYNC_END;
}
