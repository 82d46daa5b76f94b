#include "../trap.h"

struct message {
    int kind;
    char text[16];
};

ASYNC(frame, ARGS((struct message, message)), LOCALS(char line[16]; struct message copy; thrum_future done;))
{
    ASYNC_BEGIN;
    AWAIT(read_some(self->line, sizeof self->line));
    AWAIT(read_some(&self->copy.text[2], 8));
    AWAIT(write_all(&self->message, sizeof self->message));
    thrum_future_init(&self->done);
    thrum_future_set_result(&self->done, 1);
    AWAIT(&self->done);
    ASYNC_END;
}
