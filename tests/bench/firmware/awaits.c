/* What an await costs: this file is compiled with one await and with twelve more, and the difference divided by 12. */
#include <thrum/async.h>

ASYNC(awaits, ARGS((thrum_time, period)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_sleep(self->period));
#ifdef TWELVE_MORE
    AWAIT(thrum_sleep(self->period));
    AWAIT(thrum_sleep(self->period));
    AWAIT(thrum_sleep(self->period));
    AWAIT(thrum_sleep(self->period));
    AWAIT(thrum_sleep(self->period));
    AWAIT(thrum_sleep(self->period));
    AWAIT(thrum_sleep(self->period));
    AWAIT(thrum_sleep(self->period));
    AWAIT(thrum_sleep(self->period));
    AWAIT(thrum_sleep(self->period));
    AWAIT(thrum_sleep(self->period));
    AWAIT(thrum_sleep(self->period));
#endif
    ASYNC_END;
}
