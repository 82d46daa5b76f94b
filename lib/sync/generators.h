/* Iterations, for what closes generators that nobody closed. */
#ifndef THRUM_SYNC_GENERATORS_H
#define THRUM_SYNC_GENERATORS_H

#include <thrum/generators.h>

enum { ITERATION_NEW, ITERATION_OPEN, ITERATION_ENDED };

/* Make this the open iteration of a generator that stands at a YIELD, or has not begun. */
void thrum_iteration_adopt(thrum_iteration *iteration, thrum_yields *yields);

/* Whether thrum_shutdown_generators() has anything to do. */
bool thrum_generators_left(void);

/* The blocks of a generator's frame are left because it is: a cancellation that was due to one of them came out where
 * the items are used, and that block swallows it. The loop there is over, then, without an error. False: no
 * cancellation is why the generator is left. */
bool thrum_loop_over(thrum_coro *coro);

#endif
