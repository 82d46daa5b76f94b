/* Masking interrupts, where the processor is known inline: an interrupt that posts spends as little behind the mask as
 * can be. No compiler moves what reads or writes memory out of it, so nothing that is only touched in there need be
 * volatile. */
#ifndef THRUM_LOOP_BARE_MASK_H
#define THRUM_LOOP_BARE_MASK_H

#include <thrum/port.h>

#if THRUM_PORT_LOCKS

static inline uintptr_t mask(void)
{
    return thrum_port_lock();
}

static inline void unmask(uintptr_t was)
{
    thrum_port_unlock(was);
}

#elif defined(__ARM_ARCH)

static inline uintptr_t mask(void)
{
    uintptr_t was;
    __asm volatile("mrs %0, primask\n\tcpsid i" : "=r"(was)::"memory");
    return was;
}

static inline void unmask(uintptr_t was)
{
    __asm volatile("msr primask, %0" ::"r"(was) : "memory");
}

#elif defined(__riscv)

/* mstatus.MIE. All that was set in mstatus is set again, since meanwhile nothing in it changes. */
static inline uintptr_t mask(void)
{
    uintptr_t was;
    __asm volatile("csrrci %0, mstatus, 8" : "=r"(was)::"memory");
    return was;
}

static inline void unmask(uintptr_t was)
{
    __asm volatile("csrs mstatus, %0" ::"r"(was) : "memory");
}

#else /* AVR: SREG is at 0x3f */

static inline uintptr_t mask(void)
{
    uint8_t was;
    __asm volatile("in %0, 0x3f\n\tcli" : "=r"(was)::"memory");
    return was;
}

static inline void unmask(uintptr_t was)
{
    __asm volatile("out 0x3f, %0" ::"r"((uint8_t)was) : "memory");
}

#endif

#endif
