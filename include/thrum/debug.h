/**
 * @file debug.h
 * Looking into a program that runs. Debug mode itself is thrum_loop_set_debug(), in events.h; call graphs are graph.h.
 * From outside, without any preparation: the script for gdb in share/thrum/gdb, with `thrum ps` and `thrum pstree`.
 */
#ifndef THRUM_DEBUG_H
#define THRUM_DEBUG_H

#include <thrum/events.h>
#include <thrum/graph.h>

THRUM_BEGIN_DECLS

/* Private: what stands behind the next one. */
THRUM_API int thrum_dump_on_signal_(int signal, int (*print)(thrum_put_line *put, void *context));

/**
 * Have this thread's loop print all its tasks as a tree to the log whenever the process gets a signal, until the loop
 * is closed. Call it in the thread of each loop that shall answer. The signal's disposition is given back when the last
 * of them closes. The handler only posts to the loops, so a loop answers between two steps: not from inside of one that
 * never ends.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param signal  one that the application does not handle yet: SIGUSR1, SIGQUIT...
 * @return gives 0; THRUM_ESTATE when the thread has no loop, or the loop answers a signal already; THRUM_EBUSY when
 *         the application handles it, or THRUM_DUMP_LOOPS loops answer already; THRUM_EINVAL for what is no signal,
 *         THRUM_EUNSUPPORTED for one that cannot be handled
 *
 * asyncio: faulthandler.register with print_call_graph
 */
static inline int thrum_dump_on_signal(int signal)
{
    return thrum_dump_on_signal_(signal, thrum_print_task_tree);
}

/** How many loops of a process may answer. */
#define THRUM_DUMP_LOOPS 64

THRUM_END_DECLS

#endif
