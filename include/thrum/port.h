/**
 * @file port.h
 * What the bare-metal loop stands on: a few functions that a port defines, one file a processor or system
 * (those that come with thrum are lib/loop/bare/port_NAME.c). Firmware links exactly one.
 *
 * On Cortex-M, RISC-V and AVR thrum masks interrupts by itself, and a port has four functions: thrum_port_open(),
 * thrum_port_now(), thrum_port_arm() and thrum_port_idle(). Elsewhere, and where THRUM_PORT_LOCKS is 1,
 * thrum_port_lock() and thrum_port_unlock() come to it; where THRUM_PORT_WAKES is 1, thrum_port_wake().
 */
#ifndef THRUM_PORT_H
#define THRUM_PORT_H

#include <thrum/awaitables.h>

#if !THRUM_HOSTED

THRUM_BEGIN_DECLS

/**
 * Set up the clock. Called once by thrum_bare_open().
 * [never waits]
 *
 * asyncio: none
 */
void thrum_port_open(void);

/**
 * The clock: ticks that run freely, THRUM_TICKS_PER_SECOND of them in a second, and go round where 32 bits end.
 * [never waits · any interrupt]
 *
 * @return gives the time
 *
 * asyncio: loop.time
 */
thrum_time thrum_port_now(void);

/**
 * Have an interrupt come at a time: it ends the thrum_port_idle() that follows, and has nothing to do. There is one
 * alarm; a later call moves it. One whose time has come, or comes too soon for the hardware to hit, must be pending at
 * once. One that is farther than the hardware reaches may come as late as that allows: the loop arms again.
 * [never waits · called with interrupts masked]
 *
 * @param when  at most 2^31 - 1 ticks after now
 *
 * asyncio: the time-out of a selector
 */
void thrum_port_arm(thrum_time when);

/**
 * Sleep until an interrupt is pending, and come back. One that is pending already must not be missed: processors wait
 * for it with interrupts masked, or open the mask and sleep in one go. Coming back early does no harm.
 * [waits for interrupts · called with interrupts masked, and comes back so]
 *
 * asyncio: selectors.BaseSelector.select
 */
void thrum_port_idle(void);

/**
 * Mask every interrupt that calls thrum. Nests.
 * [never waits · any interrupt]
 *
 * @return gives what thrum_port_unlock() needs to restore the mask as it was
 *
 * asyncio: none
 */
uintptr_t thrum_port_lock(void);

/**
 * Restore the mask.
 * [never waits · any interrupt]
 *
 * @param token  of the thrum_port_lock() that this ends
 *
 * asyncio: none
 */
void thrum_port_unlock(uintptr_t token);

/**
 * Something was posted to the loop: where thrum_port_idle() waits for more than interrupts, have it come back.
 * [never waits · any interrupt, inside of thrum_port_lock()]
 *
 * asyncio: BaseEventLoop._write_to_self
 */
void thrum_port_wake(void);

/**
 * Whether an interrupt is being served right now. Only debug builds ask (THRUM_DEBUG).
 * [never waits · any interrupt]
 *
 * @return gives true or false
 *
 * asyncio: none
 */
bool thrum_port_in_isr(void);

/**
 * The program cannot go on. A weak one comes with thrum, which stops the processor.
 * [does not return]
 *
 * @param what      what happened, in words
 * @param function  the async function concerned by name, or NULL
 * @param line      where in it, or 0
 *
 * asyncio: none
 */
THRUM_NORETURN_ void thrum_port_panic(const char *what, const char *function, uint32_t line);

#if defined(__unix__) || defined(__APPLE__)
/**
 * Wait until a descriptor is ready. Only the port for POSIX systems has it (port_posix.c), for as many at once as
 * THRUM_PORT_DESCRIPTORS says (16), and where pselect(2) has to do for ppoll(2) for those below FD_SETSIZE.
 * [awaits · cancel-safe · this loop's thread only]
 *
 * @param descriptor  open, and stays so
 * @param events      POLLIN, POLLOUT or both, of <poll.h>
 * @return gives what poll(2) says: those that are there, POLLHUP, POLLERR, POLLNVAL; THRUM_ENOMEM; THRUM_ECANCELED
 *
 * asyncio: loop.add_reader, loop.add_writer
 */
thrum_awaitable thrum_port_ready(int descriptor, short events) THRUM_MUST_USE_;
#endif

THRUM_END_DECLS

#endif
#endif
