#include <Arduino.h>
#include <thrum.h>

int button_run(void);
void button_pressed(void);
void say(unsigned long presses);

static thrum_signal pressed = THRUM_SIGNAL_INIT;

/* The interrupt. */
void button_pressed(void)
{
    thrum_signal_post_from_isr(&pressed);
}

static ASYNC(presses, ARGS_NONE, LOCALS(unsigned long count;))
{
    ASYNC_BEGIN;
    for (;;) {
        AWAIT(thrum_signal_wait(&pressed));
        digitalWrite(LED_BUILTIN, HIGH);
        say(++self->count);
        /* What the contact does until it has come to rest is one post, or none. */
        AWAIT(thrum_sleep(MILLISECONDS(30)));
        digitalWrite(LED_BUILTIN, LOW);
        thrum_signal_cancel(&pressed);
    }
    ASYNC_END;
}

static uint64_t memory[32];

int button_run(void)
{
    thrum_pool_use_memory(memory, sizeof memory);
    return thrum_run(presses());
}
