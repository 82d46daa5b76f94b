/**
 * @file backends.h
 * What a loop stands on: a clock, a wait that ends in time or when it is woken, and descriptors that are watched. The
 * library's own (libev, a guest in the application's libev loop, virtual time) are made with this interface, and so is
 * one of your own: fill in a thrum_backend, name it in `thrum_loop_options.custom`, and thrum_loop_new() makes a loop
 * of it. doc/backends.md has one over poll(2), and says how to try yours.
 *
 * Ready queue, timers, tasks and calls of other threads are not the backend's business. Its verbs are called in the
 * loop's thread, but for `wake`, and never by each other. None may run anything of the user's.
 */
#ifndef THRUM_BACKENDS_H
#define THRUM_BACKENDS_H

#include <thrum/events.h>
#include <thrum/timeouts.h>

THRUM_BEGIN_DECLS

/** What a watcher waits for. */
enum { THRUM_IO_READ = 1, THRUM_IO_WRITE = 2 };

/** A descriptor that is watched in one direction. The loop has at most one watcher for each descriptor and
 * direction. */
typedef struct thrum_io thrum_io;

/** To be called in `wait` for each watcher that is started and ready, once. It may stop this watcher, and no other. */
typedef void thrum_io_ready(thrum_io *io);

struct thrum_io {
    thrum_io_ready *ready; /**< for the backend to call */
    int descriptor;        /**< open, for as long as the watcher is */
    uint8_t events;        /**< THRUM_IO_READ or THRUM_IO_WRITE */
    bool started;     /**< a backend that gives a watcher up by itself, because its descriptor is none any more, sets
                                this to false and calls `ready`: whoever reads or writes then learns why */
    bool open;        /**< private */
    void *storage[6]; /**< the backend's own, from `io_open` to `io_close` */
};

/** A path that is watched. */
typedef struct thrum_watched_path {
    const char *name;                                 /**< stays until `path_stop` */
    void (*changed)(struct thrum_watched_path *path); /**< to be called in `wait`: the file may be another now */
    void *storage;                                    /**< the backend's own */
} thrum_watched_path;

/** A child process that is watched. */
typedef struct thrum_watched_child {
    int process;                                      /**< its number */
    int status;                                       /**< for the backend to set: as waitpid(2) gives it */
    void (*ended)(struct thrum_watched_child *child); /**< to be called in `wait`, once `status` is known */
    void *storage;                                    /**< the backend's own */
} thrum_watched_child;

/**
 * A backend: constant, usually static. Members may be added at the end, which a backend that was compiled before then
 * leaves out. `own` is the backend's storage for one loop. Those that may be NULL say so.
 */
typedef struct thrum_backend {
    size_t size;    /**< sizeof(thrum_backend) */
    size_t storage; /**< bytes for each loop, aligned as malloc() does, and zeroed before `open` */
    bool drives;    /**< passes are run by the main loop underneath, with thrum_backend_pass(), and not by the loop */
    bool stepwise;  /**< its clock stands still between waits: `wait` is called before each pass, also while tasks are
                         ready, and the seed of the loop's options counts */

    /** Make ready. 0 or an error, which thrum_loop_new() gives; nothing else is called then. The options are those of
     * the loop, `custom_context` among them. */
    int (*open)(void *own, thrum_loop *loop, const thrum_loop_options *options);

    /** Give everything back: watchers have been closed, and nothing is called any more. In a child process after
     * fork(), what is shared with the parent must be left as it is. */
    void (*close)(void *own);

    /** Ticks of a clock that never goes back. */
    thrum_time (*now)(const void *own);

    /**
     * Wait until a watcher is ready, until `wake` is called, or until the time `until`, whichever is first; not at all
     * when that is 0 (look at the descriptors all the same), and without end when it is THRUM_NEVER. Coming back early
     * is allowed. Then call `ready` of the watchers that are. A watcher that was not ready before is looked at each
     * time: nobody is starved by those that always are.
     *
     * `*woke` becomes the time at which it came back, the time of the pass that follows.
     *
     * 0, or an error, which ends the run of the loop and is what that gives. THRUM_ESTATE says that nothing will ever
     * happen again, as virtual time does when there is no timer: the loop reports all that wait as a deadlock.
     *
     * One that drives runs its main loop here until something has happened, or until `until`, and leaves `*woke` alone.
     */
    int (*wait)(void *own, thrum_time until, thrum_time *woke);

    /** From any thread and from signal handlers, also while nobody waits: have the `wait` that runs, or else the next
     * one that may wait, come back soon. Not called before `open` nor after `close`. May not change errno. */
    void (*wake)(void *own);

    /** Ticks below which two times of the clock are the same, at least 1. NULL: 1. */
    thrum_time (*resolution)(const void *own);

    /** `more`: a thread has begun with something that will end in `wake`, or a path is waited for; otherwise it has
     * ended. As long as there is one more begun than ended, the loop is not idle. NULL: no matter. */
    void (*hold)(void *own, bool more);

    /** A watcher is prepared, but not started: the place to reserve what starting it takes. 0 or an error. NULL: this
     * backend watches no descriptors, streams and servers give THRUM_EUNSUPPORTED, and the rest of these are NULL. */
    int (*io_open)(void *own, thrum_io *io);

    /** It is not started, its descriptor will be closed next, and the same number may come back as another file. NULL:
     * nothing to do. */
    void (*io_close)(void *own, thrum_io *io);

    /** From the next `wait` on it is watched, level-triggered: as long as it is ready and started, each wait calls it.
     * Started and stopped in turn, often within one pass: put off what costs a system call. Cannot fail; what the
     * system refuses later counts as ready. */
    void (*io_start)(void *own, thrum_io *io);

    /** `ready` is not called any more, not even in the `wait` that runs. */
    void (*io_stop)(void *own, thrum_io *io);

    /** Watch a path; where the system does not tell of changes, look every `interval` ticks, 0 being your own choice.
     * 0 or an error. NULL: this backend watches no paths, and thrum_watch_open() gives THRUM_EUNSUPPORTED. */
    int (*path_start)(void *own, thrum_watched_path *path, thrum_time interval);

    /** Stop; not NULL where `path_start` is not. */
    void (*path_stop)(void *own, thrum_watched_path *path);

    /** A descriptor that is readable when there is something to do, or an error. NULL: THRUM_EUNSUPPORTED. */
    int (*descriptor)(void *own);

    /** Watch a child process, which may have ended before. Only for main loops that take the status of every child from
     * the system, so that nobody else gets it: others give THRUM_EUNSUPPORTED, or leave it NULL, and thrum sees to it
     * itself. 0 or an error. */
    int (*child_start)(void *own, thrum_watched_child *child);

    /** Stop, after `ended` too; not NULL where `child_start` is not. */
    void (*child_stop)(void *own, thrum_watched_child *child);
} thrum_backend;

/**
 * The storage of a loop's backend, for functions of the backend's own that take a loop.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param loop     open; NULL is allowed
 * @param backend  the very struct that the loop's options named
 * @return gives the storage; NULL when the loop stands on another backend
 *
 * asyncio: none
 */
THRUM_API void *thrum_backend_storage(const thrum_loop *loop, const thrum_backend *backend);

/**
 * For a backend that drives, when its main loop is about to wait: how long it may. From here on calls of other threads
 * use `wake`; they stop doing so with thrum_backend_pass(), which is to be called whenever the main loop has come back.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param loop  of a backend that drives
 * @return gives 0: not at all; a time of its clock; THRUM_NEVER, also from within a pass, when a step of a task runs
 *         the main loop by itself
 *
 * asyncio: none
 */
THRUM_API thrum_time thrum_backend_before_wait(thrum_loop *loop);

/**
 * For a backend that drives, when its main loop has come back and has called `ready` of what was ready: run what is to
 * be run. From within a pass it does nothing.
 * [waits for the world · this loop's thread only]
 *
 * @param loop  of a backend that drives
 * @return gives whether something of the loop's is outstanding, ready or timed, so that the main loop has to go on
 *
 * asyncio: BaseEventLoop._run_once
 */
THRUM_API bool thrum_backend_pass(thrum_loop *loop);

THRUM_END_DECLS

#endif
