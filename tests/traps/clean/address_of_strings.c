#include "../trap.h"
#include <thrum/subprocess.h>

/* A program's name and arguments are copied when the call is made. */
ASYNC(build, ARGS((const char *, what)), LOCALS(thrum_process *child;))
{
    ASYNC_BEGIN;
    {
        const char *words[] = { "make", self->what, NULL };
        AWAIT_INTO(self->child, thrum_create_subprocess_exec(words, NULL));
    }
    AWAIT_INTO(self->child, thrum_create_subprocess_exec((const char *[]){ "make", self->what, NULL }, NULL));
    AWAIT(thrum_process_wait(self->child));
    ASYNC_END;
}
