#include "../trap.h"

/* The pointer pointed to a local once, but not any more. */
ASYNC(moved, ARGS_NONE, LOCALS(char own[8]; char *p;))
{
    char line[8];
    ASYNC_BEGIN;
    self->p = line;
    fill(self->p, sizeof line);
    self->p = self->own;
    AWAIT(read_some(self->p, 8));
    ASYNC_END;
}
