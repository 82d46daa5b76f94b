// An item that is not of the channel's type.
// error g++: the queue has items of another type
// error clang++: the queue has items of another type
#include "../trap.h"
struct job {
    int a;
};
ASYNC(f, ARGS_NONE, LOCALS(SENDER_OF(struct job) out; long item;))
{
    ASYNC_BEGIN;
    AWAIT(CHANNEL_SEND(&self->out, &self->item));
    ASYNC_END;
}
