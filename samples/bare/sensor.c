/* A sensor is read fifty times a second, to the tick; the values go through a queue to somebody who smooths them and
 * reports once a second. A watchdog notices when the sensor falls silent. */
#include <thrum.h>

#include "console.h"

enum { EACH_SECOND = 50, SMOOTHING = 8, REPORTS = 5 };

#if !THRUM_HOSTED
static uint64_t memory[256];
#endif
static thrum_queue samples;
static int16_t slots[16];
static unsigned reading;

/* A device would be asked here. This one rises and falls, and once is silent for a while. */
static bool read_sensor(int16_t *value)
{
    unsigned at = reading++ % 100;
    *value = (int16_t)(2000 + 10 * (int)(at < 50 ? at : 100 - at));
    return reading <= 120 || reading > 150;
}

static ASYNC(sample, ARGS_NONE, LOCALS(thrum_ticker ticker; int16_t value; unsigned missed;))
{
    ASYNC_BEGIN;
    thrum_ticker_init(&self->ticker, SECONDS(1) / EACH_SECOND);
    for (;;) {
        AWAIT_INTO(self->missed, thrum_ticker_next(&self->ticker));
        if (read_sensor(&self->value))
            AWAIT(thrum_queue_put(&samples, &self->value));
    }
    ASYNC_END;
}

/* "NAME 123\r\n"; gives its length. */
static size_t format(char *line, const char *name, unsigned value)
{
    char digits[6], *at = line;
    unsigned count = 0;
    while (*name)
        *at++ = *name++;
    *at++ = ' ';
    do
        digits[count++] = (char)('0' + (char)(value % 10));
    while ((value /= 10) != 0);
    while (count)
        *at++ = digits[--count];
    *at++ = '\r', *at++ = '\n';
    return (size_t)(at - line);
}

static ASYNC(report, ARGS((thrum_stream *, console)),
             LOCALS(int32_t smooth; int16_t value; unsigned count, reports; int error; char line[24];))
{
    ASYNC_BEGIN;
    while (self->reports < REPORTS) {
        AWAIT_CATCH(self->error, thrum_timeout(MILLISECONDS(200), thrum_queue_get(&samples, &self->value)));
        if (self->error == THRUM_ETIMEDOUT) {
            AWAIT(thrum_stream_write(self->console, "silent\r\n", 8));
            continue;
        }
        if (self->error)
            ASYNC_RAISE(self->error);
        self->smooth += self->value - self->smooth / SMOOTHING;
        if (++self->count % EACH_SECOND == 0) {
            self->reports++;
            AWAIT(thrum_stream_write(self->console, self->line,
                                     format(self->line, "value", (unsigned)(self->smooth / SMOOTHING))));
        }
    }
    AWAIT(thrum_stream_flush(self->console));
    ASYNC_END;
}

static ASYNC(app, ARGS_NONE, LOCALS(thrum_stream *console; thrum_group group;))
{
    ASYNC_BEGIN;
    self->console = console_open();
    if (!self->console)
        ASYNC_RAISE(THRUM_ENOMEM);
    thrum_queue_init(&samples, slots, sizeof slots / sizeof *slots, sizeof *slots);
    WITH (self->group, thrum_group_open(&self->group)) {
        if (!thrum_group_spawn(&self->group, sample()))
            ASYNC_RAISE(THRUM_ENOMEM);
        AWAIT(report(self->console));
        thrum_group_cancel(&self->group);
    }
FINALLY:
    console_close(self->console);
    ASYNC_END;
}

int main(void)
{
#if !THRUM_HOSTED
    thrum_pool_use_memory(memory, sizeof memory);
#endif
    return thrum_run(app());
}
