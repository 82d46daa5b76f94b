#include "../trap.h"

struct pair {
    int a, b;
};

ASYNC(returned, ARGS((int, a)), LOCALS(char line[16]; struct pair pair; char *end;))
{
    char buffer[8];
    char *p;
    ASYNC_BEGIN;
    if (self->a == 1)
        ASYNC_RETURN(self->line); // finds address-returned: the address of a part of self-> is returned
    if (self->a == 2)
        ASYNC_RETURN(&self->pair.b); // finds address-returned: the address of a part of self->
    p = buffer + 1;
    if (self->a == 3)
        ASYNC_RETURN(p); // finds address-returned: the address of local variable 'buffer'
    ASYNC_RETURN((&(struct pair){ 1, 2 })); // finds address-returned: a compound literal
    ASYNC_END;
}
