/* A port for AVR, on timer 1: 16 bits, which count F_CPU / 64 and go round four times a second at 16 MHz; an interrupt
 * in each half of a round looks at them. Between those the processor sleeps.
 *
 * F_CPU is the processor's clock, a multiple of 64 times THRUM_TICKS_PER_SECOND. In debug builds an interrupt that
 * calls thrum counts thrum_port_interrupts up while it is at work, which shows what else it calls. */
#include <thrum/port.h>

#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/sleep.h>

#ifndef THRUM_PORT_START
#define THRUM_PORT_START 0
#endif

#define COUNTS ((uint16_t)(F_CPU / 64 / THRUM_TICKS_PER_SECOND))
#define FARTHEST ((uint16_t)(0x8000u / COUNTS))

volatile uint8_t thrum_port_interrupts;

static uint32_t ticks = THRUM_PORT_START;
static uint16_t counted; /* what the timer showed when the last of them was over */
static bool due;

void thrum_port_open(void)
{
    TCCR1A = 0;
    TCNT1 = 0;
    OCR1B = 0x8000;
    TIMSK1 = _BV(TOIE1) | _BV(OCIE1B);
    TCCR1B = _BV(CS11) | _BV(CS10); /* on, one count for 64 clocks */
    sei();
}

/* Never a round late, with what is left of the tick that ran at the last look: it is looked twice a round. */
thrum_time thrum_port_now(void)
{
    uint8_t was = SREG;
    cli();
    uint16_t passed = (uint16_t)(TCNT1 - counted) / COUNTS;
    counted = (uint16_t)(counted + passed * COUNTS);
    thrum_time now = ticks += passed;
    SREG = was;
    return now;
}

void thrum_port_arm(thrum_time when)
{
    uint32_t ahead = when - thrum_port_now();
    due = (int32_t)ahead <= 0;
    if (due)
        return;
    uint16_t far = ahead > FARTHEST ? FARTHEST : (uint16_t)ahead;
    OCR1A = (uint16_t)(counted + far * COUNTS);
    TIFR1 = _BV(OCF1A);
    TIMSK1 |= _BV(OCIE1A);
    due = (int16_t)(TCNT1 - OCR1A) >= 0; /* it passed while this was written */
}

ISR(TIMER1_COMPA_vect)
{
    TIMSK1 &= (uint8_t)~_BV(OCIE1A);
}

ISR(TIMER1_OVF_vect)
{
    (void)thrum_port_now();
}

ISR(TIMER1_COMPB_vect, ISR_ALIASOF(TIMER1_OVF_vect));

/* The instruction behind `sei` runs before any interrupt does, so none comes between the look and the sleep. */
void thrum_port_idle(void)
{
    if (!due) {
        SMCR = _BV(SE); /* idle: timers go on */
        sei();
        sleep_cpu();
        SMCR = 0;
    } else {
        sei(); /* interrupts that are pending have their turn */
        __asm volatile("nop");
    }
    cli();
    due = false;
}

bool thrum_port_in_isr(void)
{
    return thrum_port_interrupts != 0;
}
