#include "../trap.h"
#include <string.h>

int parse(const char *text);

/* The address goes to a plain function, which is done with it before the await; only its value goes on. */
ASYNC(before, ARGS_NONE, LOCALS_NONE)
{
    char line[8];
    const char *p;
    ASYNC_BEGIN;
    fill(line, sizeof line);
    AWAIT(work(parse(line) + (int)strlen(line)));
    fill(line, sizeof line);
    p = line;
    AWAIT(work(p[0] + *p + line[1]));
    ASYNC_END;
}
