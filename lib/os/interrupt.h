/* Ctrl-C while a runner runs: SIGINT, and SIGTERM when asked for, cancel the main task. */
#ifndef THRUM_OS_INTERRUPT_H
#define THRUM_OS_INTERRUPT_H

#include <thrum/events.h>
#include <thrum/tasks.h>

/* Take over SIGINT (and SIGTERM) for a run of `task`, where nobody else handles them and this is the main thread;
 * nothing is done otherwise. */
void interrupt_begin(thrum_loop *loop, thrum_task *task, bool terminate);

/* Give back what was taken, unless somebody else has changed it meanwhile. Gives the signal that came, or 0. */
int interrupt_end(void);

#endif
