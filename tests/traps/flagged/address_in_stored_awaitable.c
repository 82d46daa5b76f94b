#include "../trap.h"

ASYNC(stored, ARGS_NONE, LOCALS(thrum_awaitable read;))
{
    char buffer[8];
    ASYNC_BEGIN;
    self->read = read_some(buffer, 8); // finds address-into-await: 'buffer' is handed to 'read_some'
    AWAIT(self->read);
    ASYNC_END;
}
