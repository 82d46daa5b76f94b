/* A Modbus RTU device on a serial line: eight coils, eight inputs, sixteen registers to hold, and two that count
 * seconds and requests. A frame ends where the line is silent, which is a time limit around a read. */
#include <thrum.h>

#include "../console.h"
#include "rtu.h"

enum { ADDRESS = 17, FASTEST = 10000 };

#ifndef MODBUS_BAUD
#define MODBUS_BAUD 115200
#endif

/* Three and a half characters of eleven bits; above 19,200 baud 1.75 ms, however fast the line is. In whole ticks, the
 * one that runs not counted; and emulated lines hand bytes over in lumps, which takes a little longer. */
#define SILENCE_MICROSECONDS (MODBUS_BAUD > 19200 ? 1750 : 38500000 / MODBUS_BAUD)
#define SILENCE (((thrum_time)SILENCE_MICROSECONDS * THRUM_TICKS_PER_SECOND + 999999) / 1000000 + 1 + MILLISECONDS(2))

static uint64_t memory[192];
static uint8_t coils[8];
static const uint8_t inputs[8] = {1, 0, 1, 1, 0, 0, 0, 1};
static uint16_t holding[16], counters[2];

/* Register 0 is the speed of a motor, which has an end. */
static bool drive(uint16_t at, uint16_t value)
{
    return at != 0 || value <= FASTEST;
}

static const rtu_device device = {ADDRESS, coils, inputs, holding, counters, 8, 8, 16, 2, drive};

/* What came until the line fell silent: its size; THRUM_ETIMEDOUT does not leave. One that is too long is read to its
 * end all the same. */
static ASYNC(read_frame, ARGS((thrum_stream *, line), (uint8_t *, frame)),
             LOCALS(size_t size, more; int error; uint8_t rest[16];))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->size, thrum_stream_read(self->line, self->frame, RTU_LONGEST));
    for (;;) {
        if (self->size < RTU_LONGEST)
            AWAIT_CATCH_INTO(self->error, self->more,
                             thrum_timeout(SILENCE, thrum_stream_read(self->line, self->frame + self->size,
                                                                      RTU_LONGEST - self->size)));
        else
            AWAIT_CATCH_INTO(self->error, self->more,
                             thrum_timeout(SILENCE, thrum_stream_read(self->line, self->rest, sizeof self->rest)));
        if (self->error == THRUM_ETIMEDOUT)
            break;
        if (self->error)
            ASYNC_RAISE(self->error);
        if (self->more == 0)
            break;
        self->size += self->more;
    }
    ASYNC_RETURN((thrum_value)self->size);
    ASYNC_END;
}

static ASYNC(serve, ARGS((thrum_stream *, line)), LOCALS(size_t size; uint8_t frame[RTU_LONGEST];))
{
    ASYNC_BEGIN;
    for (;;) {
        AWAIT_INTO(self->size, read_frame(self->line, self->frame));
        if (self->size == 0)
            break; /* the line is gone */
        self->size = rtu_serve(&device, self->frame, self->size);
        counters[1]++;
        if (self->size)
            AWAIT(thrum_stream_write(self->line, self->frame, self->size));
    }
    ASYNC_END;
}

static ASYNC(count_seconds, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    for (;;) {
        AWAIT(thrum_sleep(SECONDS(1)));
        counters[0]++;
    }
    ASYNC_END;
}

static ASYNC(app, ARGS((thrum_stream *, line)), LOCALS(thrum_group group;))
{
    ASYNC_BEGIN;
    WITH (self->group, thrum_group_open(&self->group)) {
        if (!thrum_group_spawn(&self->group, count_seconds()))
            ASYNC_RAISE(THRUM_ENOMEM);
        AWAIT(serve(self->line));
        thrum_group_cancel(&self->group);
    }
    ASYNC_END;
}

int main(void)
{
    thrum_pool_use_memory(memory, sizeof memory);
    return thrum_run(app(console_open()));
}
