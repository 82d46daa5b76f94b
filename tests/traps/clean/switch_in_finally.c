#include "../trap.h"

enum state { IDLE, BUSY, FAILED };

/* A switch that names every value of its enum, and one that falls through on purpose. */
ASYNC(states, ARGS((enum state, state)), LOCALS(const char *name; int n;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->n, work(1));
    switch (self->state) {
    case IDLE:
        self->name = "idle";
        break;
    case BUSY:
        self->name = "busy";
        break;
    case FAILED:
        self->name = "failed";
        break;
    }
FINALLY:
    switch (self->n) {
    case 3:
        self->n++;
        /* fall through */
    case 4:
        use(self->n);
        break;
    default:
        show(self->name);
    }
    AWAIT(work(2));
    ASYNC_END;
}
