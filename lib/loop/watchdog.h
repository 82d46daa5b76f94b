/* The watchdog of a loop (thrum/monitor.h), as the loop sees it. */
#ifndef THRUM_LOOP_WATCHDOG_H
#define THRUM_LOOP_WATCHDOG_H

#include <thrum/events.h>

#include "core/state.h"

typedef struct loop_watchdog loop_watchdog;

/* A step begins, or a call when `leaf` is NULL: `call` is what is called, as far as that is known. */
void watchdog_begin(loop_watchdog *watchdog, const thrum_coro *leaf, uintptr_t call);

/* Within a step that calls several functions one after the other: the next one. */
void watchdog_next(loop_watchdog *watchdog, uintptr_t call);

/* It ends. True: it has been told of already; then the end can be told of as well. */
bool watchdog_end(loop_watchdog *watchdog);
void watchdog_tell_end(const loop_watchdog *watchdog, thrum_time took);

/* The loop goes: its watchdog first. In a copy that fork() made there is no thread to wait for. */
void loop_close_watchdog(thrum_loop *loop, bool copy);

#endif
