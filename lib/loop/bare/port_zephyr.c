/* A port for Zephyr: the loop is one thread, which sleeps in a semaphore. Interrupts and other threads may post
 * signals.
 *
 * CONFIG_THRUM_PORT builds it in, with THRUM_PORT_LOCKS=1, THRUM_PORT_WAKES=1 and
 * THRUM_TICKS_PER_SECOND=CONFIG_SYS_CLOCK_TICKS_PER_SEC. For one core: thrum_port_lock() masks the interrupts of the
 * core that it runs on. */
#include <thrum/port.h>

#include <zephyr/kernel.h>

BUILD_ASSERT(CONFIG_SYS_CLOCK_TICKS_PER_SEC == THRUM_TICKS_PER_SECOND, "a tick is a tick");

K_SEM_DEFINE(thrum_port_posted, 0, 1);

static bool armed;
static thrum_time alarm_at;

void thrum_port_open(void)
{
    armed = false;
}

thrum_time thrum_port_now(void)
{
    return (thrum_time)k_uptime_ticks();
}

/* What the last one gave. While it lasts nobody else takes one, so in thrum_port_idle() it is the loop's. */
static unsigned int held;

uintptr_t thrum_port_lock(void)
{
    return held = irq_lock();
}

void thrum_port_unlock(uintptr_t token)
{
    irq_unlock((unsigned int)token);
}

/* The semaphore counts up to one, and keeps that until the loop sleeps: none is missed. */
void thrum_port_wake(void)
{
    k_sem_give(&thrum_port_posted);
}

void thrum_port_arm(thrum_time when)
{
    armed = true;
    alarm_at = when;
}

/* Entered masked: that is lifted for the sleep, since Zephyr lets no thread be switched that holds a lock. What is
 * posted in between gives the semaphore. */
void thrum_port_idle(void)
{
    k_timeout_t most = K_FOREVER;
    if (armed) {
        const int32_t left = (int32_t)(alarm_at - thrum_port_now());
        most = K_TICKS(left < 0 ? 0 : left);
        armed = false;
    }
    irq_unlock(held);
    (void)k_sem_take(&thrum_port_posted, most);
    (void)irq_lock(); /* the loop unlocks with what it was given at first, which is the same */
}

bool thrum_port_in_isr(void)
{
    return k_is_in_isr();
}
