/**
 * @file signals.h
 * Signals of the operating system, in the loop: as calls, and as something to wait for. What an interrupt of a
 * microcontroller posts is another thing, `thrum_signal` of devices.h.
 *
 *     static const int numbers[] = {SIGHUP, SIGTERM};
 *     thrum_signal_receiver_open(&self->receiver, numbers, 2);
 *     ASYNC_FOR (self->number, self->each, thrum_signal_receiver_each(self->receiver)) {
 *         if (self->number == SIGTERM)
 *             break;
 *         AWAIT(load_again());
 *     }
 *
 * Nothing of the program's runs in the signal handler, which only wakes loops. A signal that comes again before the
 * loop has got to it counts once. It does not matter which thread the system picks; a signal that every thread blocks
 * does not come, and no mask is changed here.
 *
 * Any loop of any thread may ask for any signal, and each one that has asked is told: all handlers and all receivers.
 * What the signal did before comes back with the last of them, when it is removed or its loop closes. In a child
 * process after fork() it is back at once.
 *
 * The signals of faults (SIGSEGV, SIGBUS, SIGILL, SIGFPE) are refused, since to go on from there is to fault again.
 * A handler of the application's for the same signal is not called meanwhile, but for SIGCHLD, which others wait for.
 */
#ifndef THRUM_SIGNALS_H
#define THRUM_SIGNALS_H

#include <thrum/events.h>
#include <thrum/generators.h>

THRUM_BEGIN_DECLS

/**
 * Call a handle whenever the process gets a signal, until thrum_remove_signal_handler(). Replaces what this loop had
 * for it. A run's own way with SIGINT and SIGTERM (runners.h) rests as long as there is a handler or a receiver.
 * [never waits · allocates · this loop's thread only]
 *
 * @param number   SIGHUP, SIGUSR1...
 * @param call     called by the loop, never in the signal handler; with the context variables of this call
 * @param context  for `call`, as `handle->context`
 * @return gives 0; THRUM_EINVAL for what is no signal, and without a `call`; THRUM_EUNSUPPORTED for SIGKILL, SIGSTOP,
 *         those of faults and those that the C library keeps; THRUM_ESTATE without a loop; THRUM_ENOMEM
 *
 * asyncio: loop.add_signal_handler
 */
THRUM_API int thrum_add_signal_handler(int number, thrum_callback *call, void *context);

/**
 * Call nothing for a signal any more; a call that is queued already is not made.
 * [never waits · this loop's thread only]
 *
 * @param number  any
 * @return gives whether this loop had a handler
 *
 * asyncio: loop.remove_signal_handler
 */
THRUM_API bool thrum_remove_signal_handler(int number);

/**
 * Wait for a signal. It is listened to as long as the wait lasts: one that comes before does what it does by default.
 * Where none may be missed in between, use a receiver.
 * [awaits · cancel-safe: one that came at the same time is lost · allocates · this loop's thread only]
 *
 * @param number  as for thrum_add_signal_handler()
 * @return gives the number; and the errors of thrum_signal_receiver_open()
 *
 * asyncio: none
 */
THRUM_API thrum_awaitable thrum_wait_signal(int number) THRUM_MUST_USE_;

/** What keeps signals for a task until it takes them. thrum_loop_close() closes those that are left, and says so in
 * debug mode. */
typedef struct thrum_signal_receiver thrum_signal_receiver;

/**
 * Receive signals. Those that come from now on are kept, each of them once.
 * [never waits · allocates · this loop's thread only]
 *
 * @param receiver  where it goes; owned, for thrum_signal_receiver_close()
 * @param numbers   which; read by this call
 * @param count     how many there are, at least 1
 * @return gives 0; THRUM_EINVAL when one is no signal, or there are none; THRUM_EUNSUPPORTED when one cannot be
 *         handled; THRUM_ESTATE without a loop; THRUM_ENOMEM. Nothing is listened to then.
 *
 * asyncio: none
 */
THRUM_API int thrum_signal_receiver_open(thrum_signal_receiver **receiver, const int *numbers, size_t count);

/**
 * Close a receiver: what it kept is forgotten. A task that waits gets THRUM_ECLOSED; an ASYNC_FOR over it ends.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param receiver  owned; NULL does nothing
 *
 * asyncio: none
 */
THRUM_API void thrum_signal_receiver_close(thrum_signal_receiver *receiver);

/**
 * Wait for the next signal. Of several that have come, each has its turn.
 * [awaits · does not suspend when one has come · cancel-safe: the signal stays · no allocation · this loop's thread
 * only]
 *
 * @param receiver  open
 * @return gives its number; THRUM_EBUSY while another task waits; THRUM_ECLOSED
 *
 * asyncio: none
 */
THRUM_API thrum_awaitable thrum_signal_receiver_next(thrum_signal_receiver *receiver) THRUM_MUST_USE_;

/**
 * The signals, one after the other.
 * [awaits for each item · cancel-safe: the signal stays · no allocation · this loop's thread only]
 *
 * @param receiver  open; the iteration ends when it is closed while a task waits for an item
 * @return gives an iterable; what it gives each time is the number
 *
 * asyncio: none
 */
THRUM_API thrum_iterable thrum_signal_receiver_each(thrum_signal_receiver *receiver) THRUM_MUST_USE_;

THRUM_END_DECLS

#endif
