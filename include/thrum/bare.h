/**
 * @file bare.h
 * The loop of a microcontroller: the same tasks, timers and locks as on hosts, no heap, no threads; interrupts instead
 * of descriptors. A program is
 *
 *     static uint64_t memory[512];
 *     int main(void)
 *     {
 *         thrum_pool_use_memory(memory, sizeof memory);
 *         return thrum_run(app());
 *     }
 *
 * and a port (port.h) that is linked to it. An interrupt may call what has `_from_isr` in its name, use rings (rings.h)
 * and read the port's clock, and nothing else. In debug builds (THRUM_DEBUG) whatever else changes something, asks the
 * loop (thrum_now(), thrum_current_task()) or takes a result panics when an interrupt calls it. What only reads what it
 * is given (thrum_event_is_set(), sizes, `_locked`) goes through, and may find a change half made.
 */
#ifndef THRUM_BARE_H
#define THRUM_BARE_H

#include <thrum/errors.h>
#include <thrum/tasks.h>

#if !THRUM_HOSTED

THRUM_BEGIN_DECLS

/* ---- the loop ---- */

/**
 * Run a whole program: until `what` ends, then until what it left behind has ended, once cancelled.
 * [waits for the world]
 *
 * @param what  an awaitable; spent
 * @return gives 0, or 1 after an error
 *
 * asyncio: run
 */
int thrum_run(thrum_awaitable what);

/**
 * The same, for those who want to know how it ended. A loop that thrum_bare_open() has made goes on; otherwise there is
 * one for this call.
 * [waits for the world]
 *
 * @param what   an awaitable; spent
 * @param value  where its result goes; may be NULL
 * @return gives 0 or its error; THRUM_ENOMEM; THRUM_ESTATE from inside of a loop
 *
 * asyncio: Runner.run
 */
int thrum_bare_run(thrum_awaitable what, thrum_value *value);

/**
 * Make the loop, for a main loop that is there already and calls thrum_bare_step().
 * [never waits · no allocation, but for blocks of the pool with THRUM_RADIX_TIMERS]
 *
 * @return gives 0; THRUM_ENOMEM; THRUM_ESTATE when there is one
 *
 * asyncio: new_event_loop
 */
int thrum_bare_open(void);

/**
 * One pass: take up what interrupts have posted, fire timers that are due, run what is ready. When there is nothing
 * more, see what came of it, and then thrum_bare_sleep().
 * [never waits · not from inside of the loop]
 *
 * @return gives whether there is more to do at once
 *
 * asyncio: BaseEventLoop._run_once
 */
bool thrum_bare_step(void);

/**
 * Sleep until there is something to do, or any interrupt has come.
 * [waits for interrupts · not from inside of the loop]
 *
 * asyncio: selectors.BaseSelector.select
 */
void thrum_bare_sleep(void);

/**
 * End the loop: tasks that have not ended are destroyed without another step.
 * [never waits · not from inside of the loop]
 *
 * asyncio: loop.close
 */
void thrum_bare_close(void);

/* ---- from interrupts to the loop ---- */

typedef struct thrum_signal thrum_signal;

/** What the loop calls for a signal that was posted; `count` is how many times since it was called last. */
typedef void thrum_signal_call(thrum_signal *signal, unsigned count);

/** Something that an interrupt says to the loop. Usually static: it stays in place as long as it may be posted. */
struct thrum_signal {
    thrum_signal *next;      /* private: among those that were posted; NULL: it is not */
    unsigned posted;         /* private: and how often */
    thrum_signal_call *call; /* private */
    void *context;           /**< the caller's */
    unsigned pending;        /* private: for who waits next */
    thrum_waiters waiters;   /* private */
};

/** A signal that a task waits for: thrum_signal_wait(). */
#define THRUM_SIGNAL_INIT                                                                                              \
    {                                                                                                                  \
        0, 0, thrum_signal_tell, 0, 0,                                                                                 \
        {                                                                                                              \
            0                                                                                                          \
        }                                                                                                              \
    }

/** A signal of which a function is told: it may set an event, complete a future, put into a queue. */
#define THRUM_SIGNAL_CALLING(call, context)                                                                            \
    {                                                                                                                  \
        0, 0, (call), (context), 0,                                                                                    \
        {                                                                                                              \
            0                                                                                                          \
        }                                                                                                              \
    }

/**
 * What the loop calls for a signal made by THRUM_SIGNAL_INIT: it hands all posts to the task that has waited longest.
 * [never waits · no allocation · the loop only]
 *
 * @param signal  any
 * @param count   posts, at least one
 *
 * asyncio: none
 */
void thrum_signal_tell(thrum_signal *signal, unsigned count);

/**
 * Prepare a signal, as the initialisers do.
 * [never waits · no allocation · before its interrupt is switched on]
 *
 * @param signal   the caller's
 * @param call     what the loop is to call; NULL: a task waits for it
 * @param context  the caller's
 *
 * asyncio: loop.add_signal_handler
 */
void thrum_signal_init(thrum_signal *signal, thrum_signal_call *call, void *context);

/**
 * Post a signal: the loop sees to it in its next pass, in the order of posting. Posting again before that counts, and
 * does nothing else. O(1), with a dozen instructions behind a mask.
 * [never waits · no allocation · any interrupt, and the loop itself]
 *
 * @param signal  prepared
 *
 * asyncio: loop.call_soon_threadsafe
 */
void thrum_signal_post_from_isr(thrum_signal *signal);

/**
 * Wait until a signal is posted, or take at once what was posted since somebody waited for it last.
 * [awaits · cancel-safe: the posts stay · no allocation]
 *
 * @param signal  of THRUM_SIGNAL_INIT
 * @return gives how many posts there were, at least 1; THRUM_ECANCELED
 *
 * asyncio: Event.wait, for an event that is cleared by it
 */
thrum_awaitable thrum_signal_wait(thrum_signal *signal) THRUM_MUST_USE_;

/**
 * Take a signal back that may have been posted, before its memory goes. Its interrupt is off already.
 * [never waits · no allocation · O(posted signals) · the loop only]
 *
 * @param signal  prepared; nobody waits for it
 * @return gives whether a post was outstanding
 *
 * asyncio: loop.remove_signal_handler
 */
bool thrum_signal_cancel(thrum_signal *signal);

THRUM_END_DECLS

#endif
#endif
