/* The smallest program: say something, wait a second, say something else.
 *
 *     ./samples/run hello
 */
#include <stdio.h>

#include <thrum.h>

static ASYNC(hello, ARGS((const char *, name)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    printf("Hello ...\n");
    AWAIT(thrum_sleep(SECONDS(1)));
    printf("... %s!\n", self->name);
    ASYNC_END;
}

int main(int argc, char **argv)
{
    return thrum_run(hello(argc > 1 ? argv[1] : "World"));
}
