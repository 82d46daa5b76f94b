/* The same as awaits.c in a loop by hand. */
#include "superloop.h"

typedef struct waiter {
    place at;
    delay until;
    uint32_t period;
} waiter;

bool awaits(waiter *self);
bool awaits(waiter *self)
{
    BEGIN(self->at);
    SLEEP(self->at, self->until, self->period);
#ifdef TWELVE_MORE
    SLEEP(self->at, self->until, self->period);
    SLEEP(self->at, self->until, self->period);
    SLEEP(self->at, self->until, self->period);
    SLEEP(self->at, self->until, self->period);
    SLEEP(self->at, self->until, self->period);
    SLEEP(self->at, self->until, self->period);
    SLEEP(self->at, self->until, self->period);
    SLEEP(self->at, self->until, self->period);
    SLEEP(self->at, self->until, self->period);
    SLEEP(self->at, self->until, self->period);
    SLEEP(self->at, self->until, self->period);
    SLEEP(self->at, self->until, self->period);
#endif
    END;
}
