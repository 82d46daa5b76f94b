#include "../trap.h"

static char shared[16];
static const char greeting[] = "hello";

ASYNC(statics, ARGS_NONE, LOCALS_NONE)
{
    static char own[16];
    ASYNC_BEGIN;
    AWAIT(read_some(own, sizeof own));
    AWAIT(read_some(shared, sizeof shared));
    AWAIT(write_all(greeting, sizeof greeting));
    AWAIT(write_all("bye", 3));
    ASYNC_END;
}
