/**
 * @file devices.h
 * Two shapes that most devices of a microcontroller have, as things to wait for: an edge of a pin (or anything else
 * that happens by itself, now and then), and a transfer that is begun and ends (DMA, a conversion, a message on a bus).
 * doc/devices.md makes both from signals, and says how to make others.
 */
#ifndef THRUM_DEVICES_H
#define THRUM_DEVICES_H

#include <thrum/async.h>
#include <thrum/bare.h>

#if !THRUM_HOSTED

THRUM_BEGIN_DECLS

/* ---- edges ---- */

/** An input whose changes an interrupt tells. Its interrupt calls thrum_signal_post_from_isr(&edge.signal). */
typedef struct thrum_edge {
    thrum_signal signal;
    bool (*level)(void *pin); /**< what it is now */
    void *pin;                /**< for `level` */
} thrum_edge;

/** The initialiser of an edge: what reads its level, and of which pin. */
#define THRUM_EDGE_INIT(level, pin)                                                                                    \
    {                                                                                                                  \
        THRUM_SIGNAL_INIT, (level), (pin)                                                                              \
    }

/**
 * Wait for an edge, or take those that came since somebody waited last.
 * [awaits · cancel-safe: the edges stay · no allocation · this loop's thread only]
 *
 * @param edge  prepared
 * @return gives how many edges there were, at least 1; THRUM_ECANCELED
 *
 * asyncio: none; Event.wait comes nearest
 */
thrum_awaitable thrum_edge_wait(thrum_edge *edge) THRUM_MUST_USE_;

/**
 * Wait for an edge, and then until no further one has come for a time: what a button says when it has done bouncing. An
 * edge that came before it is waited for counts.
 * [awaits · cancelled, it may have taken edges · two frames of the pool · this loop's thread only]
 *
 * @param edge   prepared
 * @param quiet  ticks without an edge
 * @return gives the level, 1 or 0; THRUM_ENOMEM; THRUM_ECANCELED
 *
 * asyncio: none
 */
thrum_awaitable thrum_edge_settled(thrum_edge *edge, thrum_time quiet) THRUM_MUST_USE_;

/* ---- transfers ---- */

typedef struct thrum_transfer thrum_transfer;

/** What a device does for a transfer. Constant; `begin` and `abort` are called with interrupts masked. */
typedef struct thrum_transfer_driver {
    int (*begin)(thrum_transfer *transfer);  /**< start the hardware; 0 or an error, and nothing was started */
    void (*abort)(thrum_transfer *transfer); /**< stop it: when this returns it touches no memory any more, and its
                                                interrupt will not come. Called when it runs, and no other time */
} thrum_transfer_driver;

/** Something that hardware does by itself, one at a time. The caller's; it stays in place while it runs. */
struct thrum_transfer {
    const thrum_transfer_driver *driver;
    void *device;         /**< the driver's */
    void *memory;         /**< the program's: where to, or from */
    size_t size;          /**< and how many bytes */
    thrum_signal ended;   /* private */
    thrum_task *task;     /* private: who waits */
    volatile int outcome; /* private */
    volatile bool runs;   /* private: the hardware does */
};

/** The initialiser of a transfer: the driver's calls, and what is the driver's. */
#define THRUM_TRANSFER_INIT(name, driver, device)                                                                      \
    {                                                                                                                  \
        (driver), (device), 0, 0, THRUM_SIGNAL_CALLING(thrum_transfer_ended_, &(name)), 0, 0, false                    \
    }

/* Private: what the loop calls when an interrupt has said that it ended. */
void thrum_transfer_ended_(thrum_signal *signal, unsigned count);

/**
 * Begin a transfer, and wait for its end. A task that is cancelled meanwhile goes on when the driver has stopped the
 * hardware, so that the memory is its own again: before its next step, nothing in between.
 * [awaits · cancelled: the driver's `abort` has run · no allocation · this loop's thread only]
 *
 * @param transfer  prepared; its `memory` and `size` set
 * @return gives what the interrupt said when it is 0 or more, a count of bytes for instance, or its error; the error of
 *         `begin`; THRUM_EBUSY when it runs already; THRUM_ECANCELED, also when it was complete but the task had not
 *         gone on yet
 *
 * asyncio: a Future that a Protocol completes
 */
thrum_awaitable thrum_transfer_run(thrum_transfer *transfer) THRUM_MUST_USE_;

/**
 * The hardware is done. What does not run any more, as its task was cancelled, does nothing.
 * [never waits · no allocation · its interrupt only]
 *
 * @param transfer  the one that runs
 * @param outcome   what its task gets: 0 or more is the result, negative an error
 *
 * asyncio: Future.set_result, by call_soon_threadsafe
 */
void thrum_transfer_done_from_isr(thrum_transfer *transfer, int outcome);

THRUM_END_DECLS

#endif
#endif
