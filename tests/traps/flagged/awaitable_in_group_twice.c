#include "../trap.h"

ASYNC(grouped, ARGS_NONE, LOCALS(thrum_group group; thrum_awaitable child;))
{
    ASYNC_BEGIN;
    self->child = work(1);
    WITH (self->group, thrum_group_open(&self->group)) {
        thrum_group_spawn(&self->group, self->child);
        thrum_group_spawn(&self->group, self->child); // finds awaitable-reused: was spent on line 8
    }
    ASYNC_END;
}
