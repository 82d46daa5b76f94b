/**
 * @file cores.h
 * One loop on every core: a program that runs the same async function in several threads, each with a loop of its own.
 *
 *     static thrum_awaitable start(unsigned core, void *port) { return serve(port); }
 *     int main(void) { return thrum_run_on_every_core(start, "7777", NULL); }
 *
 * Servers that shall share a port set `reuse_port` in their options: the system deals the connections out.
 */
#ifndef THRUM_CORES_H
#define THRUM_CORES_H

#include <thrum/runners.h>

THRUM_BEGIN_DECLS

/** Called once in each thread, with its number, from 0: makes what that thread runs. */
typedef thrum_awaitable thrum_core_starter(unsigned number, void *argument);

/** How to run on several cores. Zeroed memory with `size` set is the default; members may be added at the end. */
typedef struct thrum_cores_options {
    size_t size;                        /**< sizeof(thrum_cores_options) */
    unsigned threads;                   /**< how many; 0: as many as processors that this process may use */
    bool pin;                           /**< keep each thread on one processor, where the system can do that */
    const thrum_runner_options *runner; /**< of each thread's runner; NULL: all default */
    thrum_time shutdown; /**< how long each may take to end once it was told to; 0: 300 s; THRUM_NEVER: any time */
} thrum_cores_options;

/**
 * Run the same in several threads, of which the calling one is number 0, until all of them have ended. One that ends
 * without an error leaves the others alone. The first error stops all the others, as thrum_stop_every_core() does; and
 * so does a signal that the runner of the main thread takes for its own. What has not ended `shutdown` after it was
 * told to is an error, THRUM_ETIMEDOUT: it is left to its runner, which cancels it once more and waits for as long as
 * its own `shutdown` says.
 * [waits for the world · one such run at a time · any thread without a loop]
 *
 * @param starter   called in each thread, once its loop runs
 * @param argument  for it
 * @param options   borrowed for the call; NULL is the default
 * @return gives an exit code, as thrum_run(): of the first error; after a signal, 128 and its number, unless what
 *         thread 0 ran gave a result all the same; 1 when threads cannot be had, or such a run goes on
 *
 * asyncio: none
 */
THRUM_API int thrum_run_on_every_core(thrum_core_starter *starter, void *argument, const thrum_cores_options *options);

/**
 * Cancel what runs on every core, so that it cleans up and ends.
 * [never waits · no allocation · any thread, and signal handlers]
 *
 * @return gives false when there is no such run
 *
 * asyncio: none
 */
THRUM_API bool thrum_stop_every_core(void);

THRUM_END_DECLS

#endif
