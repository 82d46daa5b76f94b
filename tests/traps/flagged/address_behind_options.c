#include "../trap.h"
#include <thrum/subprocess.h>

/* Options are copied, what they point to is not. */
ASYNC(build, ARGS((const char *, path)), LOCALS(thrum_process *child;))
{
    ASYNC_BEGIN;
    {
        const char *environment[] = { self->path, NULL };
        thrum_subprocess_options options = { .size = sizeof options, .environment = environment };
        AWAIT_INTO(self->child, thrum_create_subprocess_shell("make", &options)); // finds address-into-await: 'environment'
    }
    ASYNC_END;
}
