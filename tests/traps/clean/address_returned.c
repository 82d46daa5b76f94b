#include "../trap.h"
#include <string.h>

struct pair {
    int a, b;
};

/* What belongs to the caller, or is a value, may be returned. */
ASYNC(returned, ARGS((struct pair *, pair), (char *, line), (int, a)), LOCALS(char own[16]; char *end; struct pair mine;))
{
    ASYNC_BEGIN;
    AWAIT(read_some(self->own, sizeof self->own));
    if (self->a == 1)
        ASYNC_RETURN(self->line);
    if (self->a == 2)
        ASYNC_RETURN(&self->pair->b);
    if (self->a == 3)
        ASYNC_RETURN(&self->line[3]);
    if (self->a == 4)
        ASYNC_RETURN(self->own[3] + self->mine.b);
    if (self->a == 5)
        ASYNC_RETURN(strchr(self->own, ':') - self->own);
    if (self->a == 6)
        ASYNC_RETURN(strlen(self->own));
    ASYNC_RETURN(*self->end);
    ASYNC_END;
}
