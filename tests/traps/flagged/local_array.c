#include "../trap.h"

ASYNC(array, ARGS_NONE, LOCALS_NONE)
{
    char line[16];
    ASYNC_BEGIN;
    fill(line, sizeof line);
    AWAIT(work(1));
    show(line); // finds local-across-await: 'line'
    ASYNC_END;
}
