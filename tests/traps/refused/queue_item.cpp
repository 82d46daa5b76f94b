// The same.
// error g++: the queue has items of another type
// error clang++: the queue has items of another type
#include "../trap.h"
struct job {
    int a;
};
ASYNC(f, ARGS_NONE, LOCALS(QUEUE_OF(struct job, 4) jobs; long item;))
{
    ASYNC_BEGIN;
    AWAIT_PUT(&self->jobs, &self->item);
    ASYNC_END;
}
