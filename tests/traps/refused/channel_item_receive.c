// The same, taken out.
// error gcc: the queue has items of another type
// error clang: the queue has items of another type
#include "../trap.h"
struct job {
    int a;
};
ASYNC(f, ARGS_NONE, LOCALS(RECEIVER_OF(struct job) in; long item;))
{
    ASYNC_BEGIN;
    AWAIT(CHANNEL_RECEIVE(&self->in, &self->item));
    ASYNC_END;
}
