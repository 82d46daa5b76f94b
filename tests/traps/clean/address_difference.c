#include "../trap.h"

ASYNC(difference, ARGS_NONE, LOCALS_NONE)
{
    char line[8], *end;
    ASYNC_BEGIN;
    fill(line, sizeof line);
    for (end = line; *end; end++)
        ;
    AWAIT(work((int)(end - line)));
    ASYNC_END;
}
