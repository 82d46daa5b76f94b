#include "../trap.h"

/* A task that is spawned outlives this step, too. */
ASYNC(spawn, ARGS_NONE, LOCALS(thrum_group group;))
{
    char buffer[8];
    ASYNC_BEGIN;
    WITH (self->group, thrum_group_open(&self->group)) {
        thrum_group_spawn(&self->group, read_some(buffer, 8)); // finds address-into-await: handed to 'read_some'
    }
    ASYNC_END;
}
