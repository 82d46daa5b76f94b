/* Descriptors, for the layers above the loop: one watcher a descriptor and direction, initialised once and then only
 * started and stopped, so that a steady state makes no epoll_ctl. */
#ifndef THRUM_LOOP_IO_H
#define THRUM_LOOP_IO_H

#include <stddef.h>

#include <thrum/backends.h>

/* Prepare a watcher of an open descriptor. `ready` is called while the loop polls, before anything of the pass runs: it
 * wakes tasks and queues calls, and nothing else; the watcher is still started, and what has nobody to tell stops it.
 * 0; THRUM_ESTATE without a loop; THRUM_EUNSUPPORTED on backends that watch no descriptors; what the backend gives. */
int thrum_io_init(thrum_io *io, int descriptor, uint8_t events, thrum_io_ready *ready);

/* What a watcher is part of, for `ready`. */
#define thrum_io_of(io, type, member) ((type *)(void *)((char *)(io)-offsetof(type, member)))

/* Something that can be watched and is no descriptor: `changed` is called when one of its watchers was started or
 * stopped. Who calls their `ready` is its own affair. */
typedef struct loop_source {
    void (*changed)(struct loop_source *source);
} loop_source;

/* Prepare a watcher of such a one, which stays until thrum_io_close(). */
void thrum_io_init_source(thrum_io *io, loop_source *source, uint8_t events, thrum_io_ready *ready);

/* Both do nothing when it is so already. Stopping and starting again within one pass costs no system call. */
void thrum_io_start(thrum_io *io);
void thrum_io_stop(thrum_io *io);

/* Before the descriptor is closed: stops, and forgets what the poller knows of it. */
void thrum_io_close(thrum_io *io);

/* Scratch memory of the loop, for reads that have no buffer of their own: good until the step that uses it suspends. */
enum { LOOP_SCRATCH = 65536 };
void *thrum_loop_scratch(void);

/* Behind it lie so many bytes more, for small writes that are collected until the end of a pass. */
enum { LOOP_COLLECTED = 4096 };

/* Have something called before the loop waits, at the end of each pass after which it may. There is one such call. */
void thrum_loop_before_wait(void (*call)(void));

/* Something that is counted has been opened, or closed. */
enum { LOOP_STREAMS, LOOP_SERVERS, LOOP_KINDS };
void loop_count_open(unsigned kind, bool more);

/* Everything that must be closed when the loop closes (streams, servers) hangs here. Called once, on
 * thrum_loop_close(), newest first; thrum_loop_forget() takes it out before. */
typedef struct thrum_loop_closer {
    struct thrum_loop_closer *next, *previous;
    void (*close)(struct thrum_loop_closer *closer);
} thrum_loop_closer;
/* In debug mode, when it closes what nobody has closed: "unclosed stream", with where it was made. */
void loop_tell_unclosed(const char *what, const void *object);

void thrum_loop_remember(thrum_loop_closer *closer);
void thrum_loop_forget(thrum_loop_closer *closer);

#endif
