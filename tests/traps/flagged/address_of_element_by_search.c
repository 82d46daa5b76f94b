#include "../trap.h"
#include <string.h>

ASYNC(search, ARGS_NONE, LOCALS_NONE)
{
    char line[16];
    ASYNC_BEGIN;
    fill(line, sizeof line);
    AWAIT(write_all(strchr(line, ':'), 3)); // finds address-into-await: 'line'
    ASYNC_END;
}
