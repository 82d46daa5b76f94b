/* Debug mode, as far as the core has to do with it. Without THRUM_CHECKS there is none, and nothing of this is called.
 * A loop in debug mode makes `state->open` OPEN_DEBUG, which leads the calls that look at it astray from their short
 * way, into what is declared here; and it lets frames be taken and given the slow way, where they are noted and
 * poisoned. Where it is off none of this is ever reached.
 *
 * Whose a task is its memory tells: it is of the pool of its thread. Handles bear a mark of the thread in which they
 * were armed. */
#ifndef THRUM_CORE_CHECKS_H
#define THRUM_CORE_CHECKS_H

#include <thrum/blocks.h>

#include "core/state.h"

/* Whether there is memory for what debug mode notes. */
#define CHECKS_KEEP (THRUM_CHECKS && THRUM_HOSTED && !THRUM_SMALL)

#if THRUM_CHECKS

/* ---- what debug mode notes, on hosts ---- */

enum { MADE_BITS = 11, KEPT_BLOCKS = 256, KEPT_BYTES = 1 << 20 };

/* Where something was made. */
typedef struct made_entry {
    const void *object;
    const thrum_function *in;
    uint32_t line;
} made_entry;

typedef struct kept_block {
    void *block;
    const thrum_operations *operations; /* of the frame or record that was there; NULL: a task */
    size_t size;
    uint8_t kind; /* the pool's */
} kept_block;

/* From the oldest on: a ring. */
typedef struct thrum_kept {
    kept_block blocks[KEPT_BLOCKS];
    size_t first, count, bytes;
} thrum_kept;

typedef struct thrum_checks {
    made_entry made[1 << MADE_BITS];
    thrum_kept kept;
    size_t steps;      /* since every task was looked at: see thrum_check_blocks() */
    size_t tasks;      /* that there were then */
    bool scratch_held; /* the state's own record is somebody's, and does not just look so */
} thrum_checks;

/* ---- on and off, and where things were made ---- */

/* Switch debug mode for this thread's open loop. */
void thrum_checks_set(bool on);

/* The loop is closed, and nobody will ask any more where something was made. */
void thrum_checks_end(void);

/* Note that the running code has made `object`; by what and after which await, thrum_made_find() says: false when it is
 * not known. */
void thrum_made_note(const void *object);
bool thrum_made_find(const void *object, const thrum_function **made_in, uint32_t *line);

/* The same of a task that begins. */
void thrum_made_note_task(thrum_task *task);

/* Add to a report where its task, or another one, was made. */
void thrum_made_find_task(const thrum_task *task, thrum_core_report *report);

#else
#define thrum_checks_set(on) ((void)(on))
#define thrum_checks_end() ((void)0)
#define thrum_made_note(object) ((void)(object))
#define thrum_made_note_task(task) ((void)(task))
#define thrum_made_find_task(task, report) ((void)(report))

THRUM_UNUSED_ static inline bool thrum_made_find(const void *object, const thrum_function **made_in, uint32_t *line)
{
    (void)object, (void)made_in, (void)line;
    return false;
}
#endif

/* `state->open` is not OPEN_PLAIN: may this be done here with a task? False: no, and it was told of where anybody is in
 * debug mode. */
bool thrum_check_task(const thrum_task *task, const char *what);

/* The same for an open block of its, which has to be where it was opened. */
bool thrum_check_scope(const thrum_task *task, const thrum_scope *scope, const char *foreign, const char *moved);

/* The same for waking it or a handle. */
bool thrum_check_wake(thrum_waiter *waiter);

/* The same for all in a list. */
bool thrum_check_waiters(const thrum_waiters *list);

/* The same for a handle that is to be armed. */
bool thrum_check_handle_idle(const thrum_handle *handle);

/* A handle that bears a mark is to be woken or taken back: is the mark this thread's? */
bool thrum_check_handle_mine(const thrum_handle *handle);

/* ---- what is used up: see checks_used.c ---- */

#if CHECKS_KEEP

/* What stands where something was used up. */
extern const thrum_operations thrum_used_up;

/* Keep a block for a while instead of giving it back to the pool. Only where there are `state->checks`. */
void thrum_keep(thrum_state *state, void *block, const thrum_operations *was, size_t size, unsigned kind);

/* Give everything back that is kept. False: there was nothing. */
bool thrum_kept_give(thrum_state *state);

/* An awaitable is to be used: was it not yet? False: it was told of. */
bool thrum_check_unused(thrum_awaitable what);

/* The same for a frame, which then is in use. */
bool thrum_check_take(thrum_coro *coro);

/* Before each step: nobody gets the state's own record; after the last one: as it was. And where the pool has nothing
 * left: it can be had after all, if true. */
void thrum_scratch_hide(thrum_state *state);
void thrum_scratch_show(thrum_state *state);
bool thrum_scratch_lend(thrum_state *state);

static inline bool used_is_kept(const thrum_state *state)
{
    return in_debug_mode(state) && state->checks;
}

#else
#define thrum_keep(state, block, was, size, kind) ((void)0)
#define thrum_kept_give(state) false
#define thrum_check_unused(what) true
#define thrum_check_take(coro) true
#define thrum_scratch_lend(state) false
#define used_is_kept(state) false
#endif

/* For a handle that gets into use in debug mode: the mark, never 0. */
uint16_t thrum_check_mark(void);

/* A task is to be made where there is no loop. */
void thrum_check_no_loop(void);

/* A step has ended, of this task or of one that is gone (NULL): end the program where the memory of an open block was
 * overwritten. Looks at this task's blocks; at up to 1024 tasks at those of all, and at those of more every so many
 * steps. */
#if THRUM_CHECKS
void thrum_check_blocks(thrum_task *stepped);
#else
#define thrum_check_blocks(stepped) ((void)(stepped))
#endif

/* Where a task is, about: its innermost frame that is the user's, and the await that this passed last. */
const thrum_function *thrum_users_function(const thrum_task *task, uint32_t *line);

/* Tell of misuse by the running code of `object`, and of where that was made and another task waits in it; what is told
 * is put together of two texts. */
void thrum_check_tell_of(const char *name, const char *what, const void *object, const thrum_task *waits);

/* The same, with what the report says already. */
void thrum_check_tell(thrum_core_report *report);

/* ---- objects of the user's that tasks wait in ---- */

/* A kind of them. */
typedef struct check_kind {
    const char *name;
    const void *(*waited_in)(const thrum_task *task); /* the object that a parked task waits in; NULL: none of these */
} check_kind;

/* An object begins, where perhaps somebody waits in what was there before. */
void thrum_check_begins(const check_kind *kind, const void *object);

/* One of its lines is to be touched: does it stand in this thread, and in this object? */
bool thrum_check_line(const check_kind *kind, const thrum_waiters *line, const void *object);

/* A task is to wait in it. */
thrum_step thrum_check_enter(const check_kind *kind, const void *object, thrum_waiters *line, thrum_task *task);

/* As thrum_check_line() for a future, in which others than tasks may wait: of these nothing is known. */
bool thrum_check_future_line(const check_kind *kind, const thrum_waiters *line, const void *object);

/* A task wants to leave a line: does it stand there? Otherwise nothing of the object may be touched. */
bool thrum_check_leaves(const thrum_waiters *line, const thrum_waiter *waiter);

/* Something was done that its state forbids. Gives the error. */
int thrum_check_refused(const void *object, const char *what, int error);

static inline void object_begins(const check_kind *kind, const void *object)
{
    if (in_debug_mode(thrum_state_here()))
        thrum_check_begins(kind, object);
}

static inline bool line_is_sound(const check_kind *kind, const thrum_waiters *line, const void *object)
{
    return !doubtful(thrum_state_here()) || thrum_check_line(kind, line, object);
}

static inline int refused(const void *object, const char *what, int error)
{
    return doubtful(thrum_state_here()) ? thrum_check_refused(object, what, error) : error;
}

/* Set by the loop: told of what happens in threads that have none. Says whether anybody listens; NULL only asks
 * that. */
extern bool (*thrum_stray_hook)(const thrum_core_report *report);

#endif
