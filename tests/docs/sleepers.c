/* What doc/develop.md looks into from outside: two tasks that sleep until they are killed. */
#include <stdio.h>
#include <thrum.h>

static ASYNC(sleeper, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_sleep(SECONDS(3600)));
    ASYNC_END;
}

static ASYNC(app, ARGS_NONE, LOCALS(thrum_group group;))
{
    ASYNC_BEGIN;
    WITH (self->group, thrum_group_open(&self->group)) {
        thrum_group_spawn(&self->group, sleeper());
        thrum_group_spawn(&self->group, sleeper());
        AWAIT(thrum_yield());
        AWAIT(thrum_yield());
        puts("ready");
        fflush(stdout);
    }
    ASYNC_END;
}

int main(void)
{
    return thrum_run(app());
}
