/**
 * @file watches.h
 * What a path names, watched for changes.
 *
 *     thrum_watch_open(&self->watch, "app.conf", SECONDS(5));
 *     ASYNC_FOR (self->change, self->each, thrum_watch_changes(self->watch, &self->seen))
 *         if (self->change->what != THRUM_PATH_GONE)
 *             AWAIT(load("app.conf"));
 *
 * On Linux the system tells at once of changes on file systems of its own. Others, as those over the network, are asked
 * in intervals. A change is one of what stat(2) says, but for the time of the last access: so a file that was written
 * again with the same size and in the same tick of its clock has not changed. Of several changes between two looks the
 * last is seen. What a symbolic link points to is not watched: the link is. A folder changes when entries come and go.
 *
 * It is the loop's own thread that asks, with one lstat() each: do not watch what may hang.
 */
#ifndef THRUM_WATCHES_H
#define THRUM_WATCHES_H

#include <thrum/files.h>

THRUM_BEGIN_DECLS

/** A path that is watched. thrum_loop_close() closes those that are left, and says so in debug mode. */
typedef struct thrum_watch thrum_watch;

/** What has become of a path. */
typedef enum thrum_path_event {
    THRUM_PATH_CHANGED = 1, /**< another content, size, permission, owner; or another file */
    THRUM_PATH_APPEARED,    /**< there was nothing */
    THRUM_PATH_GONE         /**< there is nothing */
} thrum_path_event;

/** A change. What is not there has the type THRUM_FILE_NONE, and zeros. */
typedef struct thrum_path_change {
    thrum_path_event what;
    thrum_file_info before; /**< as the change before this one left it, or the call of thrum_watch_open() */
    thrum_file_info now;
} thrum_path_change;

/**
 * Watch a path, which need not name anything yet. Changes from now on count, also those that come while nobody waits.
 * [never waits · allocates · this loop's thread only]
 *
 * @param watch     where it goes; owned, for thrum_watch_close()
 * @param path      copied
 * @param interval  ticks between two looks where the system does not tell, at least a tenth of a second; 0: what libev
 *                  finds right, about five seconds
 * @return gives 0; THRUM_EUNSUPPORTED on backends that watch nothing (virtual time); THRUM_ENOMEM; THRUM_EINVAL;
 *         THRUM_ESTATE without a loop
 *
 * asyncio: none
 */
THRUM_API int thrum_watch_open(thrum_watch **watch, const char *path, thrum_time interval);

/**
 * Close a watch. A task that waits gets THRUM_ECLOSED; an ASYNC_FOR over its changes ends.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param watch  owned; NULL does nothing
 *
 * asyncio: none
 */
THRUM_API void thrum_watch_close(thrum_watch *watch);

/**
 * Wait for the next change.
 * [awaits · does not suspend when there was one · cancel-safe: the change stays · no allocation · this loop's thread
 * only]
 *
 * @param watch   open
 * @param change  where it goes; in memory that outlives the await
 * @return gives its `what`; THRUM_EBUSY while another task waits; THRUM_ECLOSED
 *
 * asyncio: none
 */
THRUM_API thrum_awaitable thrum_watch_next(thrum_watch *watch, thrum_path_change *change) THRUM_MUST_USE_;

/**
 * The changes, one after the other.
 * [awaits for each item · cancel-safe: the change stays · no allocation · this loop's thread only]
 *
 * @param watch   open; the iteration ends when it is closed while a task waits for an item
 * @param change  where each goes; in memory that outlives the iteration
 * @return gives an iterable; what it gives each time is `change`, the pointer
 *
 * asyncio: none
 */
THRUM_API thrum_iterable thrum_watch_changes(thrum_watch *watch, thrum_path_change *change) THRUM_MUST_USE_;

THRUM_END_DECLS

#endif
