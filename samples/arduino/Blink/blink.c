#include <Arduino.h>
#include <thrum.h>

int blink_run(void);
void say(unsigned long seconds);

static ASYNC(blink, ARGS((int, pin), (int, milliseconds)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    for (;;) {
        digitalWrite((uint8_t)self->pin, HIGH);
        AWAIT(thrum_sleep(MILLISECONDS(self->milliseconds)));
        digitalWrite((uint8_t)self->pin, LOW);
        AWAIT(thrum_sleep(MILLISECONDS(self->milliseconds)));
    }
    ASYNC_END;
}

static ASYNC(count, ARGS_NONE, LOCALS(unsigned long seconds;))
{
    ASYNC_BEGIN;
    for (;;) {
        AWAIT(thrum_sleep(SECONDS(1)));
        say(++self->seconds);
    }
    ASYNC_END;
}

static ASYNC(both, ARGS_NONE, LOCALS(thrum_task *led;))
{
    ASYNC_BEGIN;
    self->led = thrum_spawn(blink(LED_BUILTIN, 125));
    AWAIT(count());
FINALLY:
    thrum_task_release(self->led);
    ASYNC_END;
}

/* All the memory that tasks and their frames take. */
static uint64_t memory[48];

int blink_run(void)
{
    thrum_pool_use_memory(memory, sizeof memory);
    return thrum_run(both());
}
