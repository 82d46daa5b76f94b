/**
 * @file taskgroups.h
 * Tasks that belong together: the block does not end before they have, and when one fails the others are cancelled.
 */
#ifndef THRUM_TASKGROUPS_H
#define THRUM_TASKGROUPS_H

#include <thrum/blocks.h>

THRUM_BEGIN_DECLS

struct thrum_child;

/** A group of tasks, open for the length of a block. Fields are private. */
typedef struct thrum_group {
    thrum_scope scope;
    thrum_task *parent;
    struct thrum_child *children; /* not done; a circle */
    struct thrum_child *kept;     /* done, their handles still good; a chain */
    struct thrum_error *errors, *last_error;
    thrum_task *joiner;
    uint32_t failures;
    int32_t base_error;  /* an interrupt or exit that a child ended with */
    int32_t spawn_error; /* why the last spawn gave nothing */
    uint8_t state;
    uint8_t flags;
} thrum_group;

/**
 * Open a group: `WITH (self->group, thrum_group_open(&self->group)) { ... }`. At the end of the block it is joined:
 * every child has ended, and its frames are gone. When a child fails, the others and the block are cancelled, and the
 * block ends with THRUM_EGROUP: thrum_error_last()->errors lists what happened, in order, the block's own error last.
 * A child that ends as cancelled is no failure.
 * [awaits · suspends at its end while children run · no allocation · this loop's thread only]
 *
 * @param group  in the LOCALS of the function; one that is open gives THRUM_ESTATE
 * @return gives 0
 *
 * asyncio: TaskGroup
 */
THRUM_API thrum_awaitable thrum_group_open(thrum_group *group) THRUM_MUST_USE_;

/**
 * Start a child. Allowed while the group is joined as long as one child runs, so children may spawn siblings.
 * [never waits · one task of the pool · this loop's thread only]
 *
 * @param group  open
 * @param what   an awaitable; spent by this call whatever it gives
 * @return gives a handle that is good while the group is open, not to be released; NULL when the pool is used up, the
 *         group is not open or is being cancelled: thrum_group_error() tells which
 *
 * asyncio: TaskGroup.create_task
 */
THRUM_API thrum_task *thrum_group_spawn(thrum_group *group, thrum_awaitable what);

/**
 * Start a child that is forgotten as soon as it has ended; what a server does with its connections.
 * [never waits · one task of the pool · this loop's thread only]
 *
 * @param group  open
 * @param what   an awaitable; spent by this call whatever it gives
 * @return gives 0; THRUM_ENOMEM; THRUM_ESTATE when the group is not open, or is being cancelled
 *
 * asyncio: TaskGroup.create_task, the result forgotten
 */
THRUM_API int thrum_group_spawn_detached(thrum_group *group, thrum_awaitable what);

/**
 * Start a child, and run it right here until it first suspends, as thrum_spawn_eager().
 * [never waits · one task of the pool · runs other code · this loop's thread only]
 *
 * @param group  open
 * @param what   an awaitable; spent by this call whatever it gives
 * @return gives a handle as thrum_group_spawn(), or NULL
 *
 * asyncio: TaskGroup.create_task(eager_start=True)
 */
THRUM_API thrum_task *thrum_group_spawn_eager(thrum_group *group, thrum_awaitable what);

/**
 * Start a child with settings, as thrum_spawn_with().
 * [never waits · one task of the pool, a block more for name or context · may run other code ·
 *  this loop's thread only]
 *
 * @param group    open
 * @param what     an awaitable; spent by this call whatever it gives
 * @param options  borrowed for the call; NULL is the default
 * @return gives a handle as thrum_group_spawn(), or NULL
 *
 * asyncio: TaskGroup.create_task(name=, context=, eager_start=)
 */
THRUM_API thrum_task *thrum_group_spawn_with(thrum_group *group, thrum_awaitable what,
                                             const thrum_spawn_options *options);

/** What a child reports through that it is ready. Lives as long as the child. Fields are private. */
typedef struct thrum_started {
    struct thrum_child *child;
} thrum_started;

/** The function of a child that reports when it is ready; usually an async function. */
typedef thrum_awaitable thrum_child_starter(thrum_started *started, void *argument);

/**
 * Start a child and wait until it reports that it is ready: a server that listens, a connection that is up. From then
 * on it is a child like any other. One that ends before is not the group's: this fails with its error, and the group
 * goes on. When this is cancelled, the child is cancelled and joined.
 * [awaits · cancel-safe: the child is cancelled and joined · two frames and one task of the pool ·
 *  this loop's thread only]
 *
 * @param group     open, until this is over
 * @param starter   called in the child; it calls thrum_started_set()
 * @param argument  for the starter
 * @return gives what the child reported; the error that it ended with instead, THRUM_ESTATE when it returned;
 *         THRUM_ENOMEM; THRUM_ESTATE when the group is not open, or is being cancelled; THRUM_ECANCELED
 *
 * asyncio: none; trio.Nursery.start
 */
THRUM_API thrum_awaitable thrum_group_start(thrum_group *group, thrum_child_starter *starter,
                                            void *argument) THRUM_MUST_USE_;

/**
 * Report, in a child that thrum_group_start() has started, that it is ready.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param started  what the child was given
 * @param value    what thrum_group_start() gives
 * @return gives 0; THRUM_ESTATE when it was called before; THRUM_ECANCELED when nobody waits any more, and the child is
 *         being cancelled
 *
 * asyncio: none; trio.TaskStatus.started
 */
THRUM_API int thrum_started_set(thrum_started *started, thrum_value value);

/**
 * Why the last spawn in a group gave nothing.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param group  any
 * @return gives THRUM_ENOMEM; THRUM_ESTATE when the group is not open, or is being cancelled; 0 when it gave a task
 *
 * asyncio: the exception of TaskGroup.create_task
 */
THRUM_API int thrum_group_error(const thrum_group *group);

/**
 * Wait, inside the block, until no child runs. The group stays open. Errors are not given here, but at the block's end.
 * [awaits · does not suspend when there are none · no allocation · this loop's thread only]
 *
 * @param group  open
 * @return gives 0; THRUM_ECANCELED, when a child failed or the task was cancelled; THRUM_EBUSY when somebody joins
 *
 * asyncio: what `__aexit__` waits for
 */
THRUM_API thrum_awaitable thrum_group_join(thrum_group *group) THRUM_MUST_USE_;

/**
 * Cancel what runs in a group: the children and, once, the block; the block then ends without an error of its own.
 * Before the block is entered it is remembered; after its end it does nothing.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param group  any
 *
 * asyncio: TaskGroup.cancel
 */
THRUM_API void thrum_group_cancel(thrum_group *group);

/**
 * How many children have not ended.
 * [never waits · no allocation · O(children) · this loop's thread only]
 *
 * @param group  any
 * @return gives a count
 *
 * asyncio: len(TaskGroup._tasks)
 */
THRUM_API size_t thrum_group_size(const thrum_group *group);

THRUM_END_DECLS

#endif
