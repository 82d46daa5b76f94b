/* The end of a runner. */
#ifndef THRUM_OS_SHUTDOWN_H
#define THRUM_OS_SHUTDOWN_H

#include <thrum/events.h>

/* Cancel all tasks at once and wait for them, then those that they have left behind, until there are none; then close
 * the generators that stand open. After `most` ticks name the tasks that remain: THRUM_ETIMEDOUT. */
int shutdown_tasks(thrum_loop *loop, thrum_time most);

#endif
