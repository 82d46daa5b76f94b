// Nobody can say of what type this is.
// error gcc: the queue has items of another type
// error clang: the queue has items of another type
#include "../trap.h"
struct job {
    int a;
};
ASYNC(f, ARGS_NONE, LOCALS(QUEUE_OF(struct job, 4) jobs; long item;))
{
    ASYNC_BEGIN;
    if (QUEUE_PUT_NOWAIT(&self->jobs, (void *)&self->item))
        ASYNC_RAISE(-1);
    ASYNC_END;
}
