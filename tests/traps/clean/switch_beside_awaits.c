#include "../trap.h"

ASYNC(beside, ARGS((int, a)), LOCALS(int next;))
{
    ASYNC_BEGIN;
    for (;;) {
        AWAIT(work(1));
        switch (self->a) {
        case 1:
            self->next = 2;
            break;
        case 2:
            ASYNC_RETURN(5);
        default:
            continue;
        }
        AWAIT(work(self->next));
    }
    ASYNC_END;
}
