/* A port for Arduino, on millis(): a tick is a millisecond. The sketch's loop() calls thrum_run(), or setup() calls
 * thrum_bare_open() and loop() thrum_bare_step(). Between two ticks the processor sleeps; the timer behind millis()
 * wakes it, so it is never asleep for longer than that. */
#include <Arduino.h>

#if defined(__AVR__)
#include <avr/sleep.h>
#endif
#include <thrum/port.h>

THRUM_STATIC_ASSERT_(THRUM_TICKS_PER_SECOND == 1000, "millis() counts milliseconds");

void thrum_port_open(void) {}

thrum_time thrum_port_now(void)
{
    return (thrum_time)millis();
}

/* Each millisecond is an interrupt, so there is nothing to arm; but a time that has come must not be slept over. */
static thrum_time alarm_at;
static bool armed;

void thrum_port_arm(thrum_time when)
{
    alarm_at = when;
    armed = true;
}

#if defined(__AVR__)

/* The macros of <avr/sleep.h> narrow an int. */
#pragma GCC diagnostic ignored "-Wconversion"

/* The instruction after sei() is carried out before any interrupt: none can come between it and sleep. */
static void doze(void)
{
    set_sleep_mode(SLEEP_MODE_IDLE);
    sleep_enable();
    sei();
    sleep_cpu();
    sleep_disable();
    cli();
}

#elif defined(__ARM_ARCH_PROFILE)

static void doze(void)
{
    __asm volatile("wfi" ::: "memory"); /* ends when an interrupt is pending, masked or not */
}

#else

static void doze(void)
{
    interrupts();
    yield();
    noInterrupts();
}

#endif

void thrum_port_idle(void)
{
    if (!armed || (int32_t)(alarm_at - thrum_port_now()) > 0)
        doze();
    armed = false;
}

#if THRUM_PORT_LOCKS

static uint8_t depth;

uintptr_t thrum_port_lock(void)
{
    noInterrupts();
    return depth++;
}

void thrum_port_unlock(uintptr_t token)
{
    depth = (uint8_t)token;
    if (depth == 0)
        interrupts();
}

#endif

/* Not known on every processor that has Arduino. */
bool thrum_port_in_isr(void)
{
    return false;
}
