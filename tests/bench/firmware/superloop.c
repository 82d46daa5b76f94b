/* The program of samples/bare/producer-consumer.c by hand (superloop.h): a lamp, somebody who makes things, somebody
 * who uses them up, a queue of 8 in between, and the end with the twentieth thing. */
#include "superloop.h"

enum { THINGS = 20, SLOTS = 8 };

volatile uint32_t ticks;

#if defined(__arm__)
void SysTick_Handler(void);
void SysTick_Handler(void)
{
    ticks++;
}

static void open_clock(void)
{
    *(volatile uint32_t *)0xe000e014 = 16000 - 1;
    *(volatile uint32_t *)0xe000e018 = 0;
    *(volatile uint32_t *)0xe000e010 = 7;
}
#elif defined(__riscv)
#define CLINT(at) (*(volatile uint32_t *)(0x02000000ul + (at)))

void thrum_port_alarm(void);
void thrum_port_alarm(void)
{
    ticks++;
    CLINT(0x4000) += 10000; /* a comparison goes round once in 7 minutes, longer than this runs */
}

static void open_clock(void)
{
    CLINT(0x4004) = 0;
    CLINT(0x4000) = CLINT(0xbff8) + 10000;
    __asm volatile("csrs mie, %0\n\tcsrsi mstatus, 8" ::"r"(1 << 7) : "memory");
}
#else
#include <avr/interrupt.h>
#include <avr/io.h>

ISR(TIMER1_COMPA_vect)
{
    ticks++;
}

static void open_clock(void)
{
    OCR1A = 250 - 1;
    TCCR1B = _BV(WGM12) | _BV(CS11) | _BV(CS10);
    TIMSK1 = _BV(OCIE1A);
    sei();
}
#endif

static volatile uint32_t lamp;
static uint32_t slots[SLOTS];
static uint8_t put, got;

static place blinks, produces, consumes;
static delay blink_until, produce_until;
static uint32_t made, used;

static bool blink(void)
{
    BEGIN(blinks);
    for (;;) {
        lamp ^= 1;
        SLEEP(blinks, blink_until, 50);
    }
    END;
}

static bool produce(void)
{
    BEGIN(produces);
    for (;;) {
        made++;
        WAIT_UNTIL(produces, (uint8_t)(put - got) < SLOTS);
        slots[put++ % SLOTS] = made;
        SLEEP(produces, produce_until, 10);
    }
    END;
}

static bool consume(void)
{
    BEGIN(consumes);
    do {
        WAIT_UNTIL(consumes, put != got);
        used = slots[got++ % SLOTS];
    } while (used < THINGS);
    END;
}

int main(void)
{
    open_clock();
    do {
        blink();
        produce();
    } while (!consume());
    return 0;
}
