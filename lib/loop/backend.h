/* What a loop stands on: it says the time, waits for at most so long, can be woken from anywhere, and watches
 * descriptors. A backend's own fields stand behind the loop's, in one block. */
#ifndef THRUM_LOOP_BACKEND_H
#define THRUM_LOOP_BACKEND_H

#include "loop/io.h"

typedef struct thrum_backend {
    size_t size; /* of the block: a thrum_loop and what the backend keeps */
    bool drives; /* passes are run by wait() itself, and also when the application runs the loop underneath */

    int (*open)(thrum_loop *loop, const thrum_loop_options *options);
    void (*close)(thrum_loop *loop);
    thrum_time (*now)(const thrum_loop *loop);
    thrum_time (*resolution)(const thrum_loop *loop);

    /* Wait for descriptors and for wake(), at most until the time `until`; 0 does not wait. Calls ready() of what is
     * ready, and notes in loop->woke when it came back. 0 or an error. */
    int (*wait)(thrum_loop *loop, thrum_time until);

    /* From any thread or signal handler: have wait() return. */
    void (*wake)(thrum_loop *loop);

    /* Something outside of the loop (a thread) will post to it: do not take it for idle. May be NULL. */
    void (*hold)(thrum_loop *loop, bool more);

    /* Descriptors; io_init is NULL where none are watched. */
    void (*io_init)(thrum_loop *loop, thrum_io *io);
    void (*io_start)(thrum_loop *loop, thrum_io *io);
    void (*io_stop)(thrum_loop *loop, thrum_io *io);

    /* A descriptor that becomes readable when there is something to do, or an error. NULL: THRUM_EUNSUPPORTED. */
    int (*descriptor)(thrum_loop *loop);
} thrum_backend;

extern const thrum_backend thrum_backend_libev, thrum_backend_guest, thrum_backend_sim;

#endif
