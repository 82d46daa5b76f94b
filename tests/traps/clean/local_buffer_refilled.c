#include "../trap.h"
#include <stdio.h>
#include <string.h>

ASYNC(refill, ARGS((int, a)), LOCALS_NONE)
{
    char line[32];
    ASYNC_BEGIN;
    snprintf(line, sizeof line, "%d", self->a);
    show(line);
    AWAIT(work(1));
    memset(line, 0, sizeof line);
    strcpy(line, "again");
    show(line);
    ASYNC_END;
}
