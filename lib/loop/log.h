/* Messages go through here, a line a call. */
#ifndef THRUM_LOOP_LOG_H
#define THRUM_LOOP_LOG_H

#include <thrum/errors.h>
#include <thrum/tasks.h>

/* A line, put together as by printf; what is longer than a few hundred bytes is cut. */
#if defined(__GNUC__)
__attribute__((format(printf, 1, 2)))
#endif
void thrum_log(const char *format, ...);

/* An error with its name and text, its detail and its trace; `what` stands in front. */
void thrum_log_error(const char *what, int code, const thrum_error *detail);

/* Where a task stands, a line a frame, innermost first. */
void thrum_log_task(const thrum_task *task);

/* All tasks of this thread's loop and what they wait for: as a tree where the program has the code for it. */
void thrum_log_tasks(void);

/* fork() copies a lock as it is: it is held while that happens, and given back in both processes. */
void thrum_log_fork(bool before);

#endif
