/**
 * @file supervisors.h
 * A group whose children may fail: each is left alone or started again, at most so often, with growing delays; only
 * what goes beyond that is a failure of the whole.
 */
#ifndef THRUM_SUPERVISORS_H
#define THRUM_SUPERVISORS_H

#include <thrum/taskgroups.h>

THRUM_BEGIN_DECLS

/** When a child is started again. */
enum {
    THRUM_RESTART_NEVER,      /**< a failure is reported, and that is all */
    THRUM_RESTART_ON_FAILURE, /**< after an error; not after a return */
    THRUM_RESTART_ALWAYS      /**< after a return as well */
};

/** For thrum_supervised.restarts: any number. */
#define THRUM_RESTARTS_UNLIMITED UINT16_MAX

/** How a child is started and kept running. Zero what is not needed. */
typedef struct thrum_supervised {
    size_t size;                             /**< sizeof(thrum_supervised) */
    thrum_awaitable (*start)(void *context); /**< makes what is to run, anew each time: an awaitable is used once */
    void *context;                           /**< for `start` */
    const char *name;                        /**< for reports; static storage, may be NULL */
    thrum_time within;      /**< ticks from the first restart after which they are counted anew; 0: never */
    thrum_time delay;       /**< ticks before the first restart */
    thrum_time delay_limit; /**< no delay is longer; 0: no limit */
    uint16_t restarts;      /**< how many are fine; the next failure is one of the whole */
    uint16_t factor;        /**< each further restart waits so many times as long as the one before; 0 is 1 */
    uint8_t policy;         /**< THRUM_RESTART_... */
} thrum_supervised;

struct thrum_supervisor;

/** A child has failed. */
typedef struct thrum_failure {
    struct thrum_supervisor *supervisor;
    const char *name;          /**< of the child, or NULL */
    void *context;             /**< of the child */
    const thrum_error *detail; /**< or NULL; good during the report */
    thrum_time delay;          /**< ticks until it is started again */
    int error;
    uint16_t restarts; /**< how often it was started again before, as counted now */
    bool again;        /**< it is started again */
    bool escalates;    /**< it was once too often: the whole fails */
} thrum_failure;

/** Is told of each failure. May cancel the supervisor, not spawn. */
typedef void thrum_failure_report(const thrum_failure *failure, void *context);

/** What a supervisor has counted since it was opened. */
typedef struct thrum_supervisor_counts {
    uint32_t failures; /**< children that ended with an error, each time */
    uint32_t restarts;
    size_t children; /**< that run now, or wait to be started again */
} thrum_supervisor_counts;

/** A supervising group, open for the length of a block. Fields are private. */
typedef struct thrum_supervisor {
    union {
        thrum_scope scope;
        thrum_group group;
    };
    thrum_failure_report *report;
    void *context;
    uint32_t failures, restarts;
} thrum_supervisor;

/**
 * Open a supervisor: `WITH (self->supervisor, thrum_supervisor_open(&self->supervisor, report, NULL)) { ... }`. At the
 * end of the block it waits for all children, as a group does. A child that fails does not disturb the others; one that
 * fails more often than it may cancels them and the block, which ends with THRUM_EGROUP: thrum_error_last()->errors has
 * its last error. THRUM_EINTERRUPTED and THRUM_EEXIT go through at once.
 * [awaits · suspends at its end while children run · no allocation · this loop's thread only]
 *
 * @param supervisor  in the LOCALS of the function; one that is open gives THRUM_ESTATE
 * @param report      is told of each failure; may be NULL
 * @param context     for `report`
 * @return gives 0
 *
 * asyncio: none; aiotools.Supervisor, and Erlang's supervisor
 */
THRUM_API thrum_awaitable thrum_supervisor_open(thrum_supervisor *supervisor, thrum_failure_report *report,
                                                void *context) THRUM_MUST_USE_;

/**
 * Start a child. Its handle is that of all its lives: thrum_task_cancel() ends them. A child that ends as cancelled is
 * neither a failure nor started again.
 * [never waits · one task and a frame of the pool · this loop's thread only]
 *
 * @param supervisor  open
 * @param child       copied; `start` and `context` are good until the block has ended
 * @return gives a handle that is good while the supervisor is open, not to be released; NULL when the pool is used up,
 *         it is not open or is being cancelled, or has no `start`: thrum_supervisor_error() tells which
 *
 * asyncio: none; aiotools.Supervisor.create_task
 */
THRUM_API thrum_task *thrum_supervisor_spawn(thrum_supervisor *supervisor, const thrum_supervised *child);

/**
 * Why the last spawn in a supervisor gave nothing.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param supervisor  any
 * @return gives THRUM_ENOMEM; THRUM_ESTATE; THRUM_EINVAL; 0 when it gave a task
 *
 * asyncio: none
 */
THRUM_API int thrum_supervisor_error(const thrum_supervisor *supervisor);

/**
 * Cancel the children and, once, the block, which then ends without an error of its own. As thrum_group_cancel().
 * [never waits · no allocation · this loop's thread only]
 *
 * @param supervisor  any
 *
 * asyncio: none; TaskGroup.cancel
 */
THRUM_API void thrum_supervisor_cancel(thrum_supervisor *supervisor);

/**
 * What was counted.
 * [never waits · no allocation · O(children) · this loop's thread only]
 *
 * @param supervisor  any that was opened
 * @param counts      filled in
 *
 * asyncio: none
 */
THRUM_API void thrum_supervisor_counts_get(const thrum_supervisor *supervisor, thrum_supervisor_counts *counts);

THRUM_END_DECLS

#endif
