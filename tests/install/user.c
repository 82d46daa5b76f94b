/* A program outside the tree. It is built as C and as C++, against the static and the shared library. */
#include <stdio.h>
#include <string.h>

#include <thrum.h>

static ASYNC(answer, ARGS((int, value)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_sleep(MILLISECONDS(1)));
    ASYNC_RETURN(self->value);
    ASYNC_END;
}

static ASYNC(app, ARGS_NONE, LOCALS(int got;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->got, answer(42));
    printf("thrum %s: %d\n", thrum_version(), self->got);
    if (self->got != 42 || strcmp(thrum_version(), THRUM_VERSION_STRING) != 0)
        ASYNC_RAISE(THRUM_EINVAL);
    ASYNC_END;
}

int main(void)
{
    return thrum_run(app());
}
