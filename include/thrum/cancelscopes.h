/**
 * @file cancelscopes.h
 * Cancel scopes: a block that anybody can cancel, that ends by itself when its time is up, that can protect its body
 * from cancellations for a bounded time, and that can keep cancelling until it ends.
 *
 * asyncio cancels tasks; a cancel scope cancels a part of one, and the program goes on after it:
 *
 *     WITH (self->scope, thrum_move_on_after(&self->scope, SECONDS(2))) {
 *         AWAIT(ask_the_cache(self->key, &self->answer));
 *     }
 *     if (thrum_cancel_scope_caught(&self->scope))
 *         ...                                          // too slow, or thrum_cancel_scope_cancel(): it was given up
 *
 * Use thrum_deadline where "too slow" shall be an error. A clean-up that must not be interrupted, but not hang either:
 *
 *     FINALLY:
 *         WITH (self->scope, thrum_shield_for(&self->scope, SECONDS(5))) {
 *             AWAIT(say_goodbye(self->peer));
 *         }
 *
 * Who asked is known: a scope takes back exactly the request that it made, and swallows the cancellation that this led
 * to; one that came from elsewhere passes through.
 */
#ifndef THRUM_CANCELSCOPES_H
#define THRUM_CANCELSCOPES_H

#include <thrum/timeouts.h>

THRUM_BEGIN_DECLS

/** A cancel scope. Lives in the LOCALS of the function that opens it; zeroed memory is a new one. Fields are
 * private. */
typedef struct thrum_cancel_scope {
    union {
        thrum_scope scope;
        thrum_deadline limit; /* how it asks the task, and when by itself */
    };
    thrum_handle shield; /* ends the shield */
    uint16_t held;       /* cancellations from outside that the shield holds back */
    uint8_t flags;
} thrum_cancel_scope;

/** How a scope cancels. */
enum {
    THRUM_CANCEL_EDGE = 0, /**< once, as asyncio does: what catches the cancellation may go on awaiting */
    THRUM_CANCEL_LEVEL = 1 /**< every await in the scope that would suspend, from then on until the scope ends; clean-up
                                that has to await takes a shield */
};

/**
 * Open a scope: `WITH (self->scope, thrum_cancel_scope_open(&self->scope, THRUM_NEVER, 0, THRUM_CANCEL_EDGE)) { ... }`.
 * When it is cancelled, or its time is up, the task is cancelled at the await inside where it is parked (or at the next
 * one); where the block ends that cancellation is swallowed, and the program goes on after the block. An error that the
 * body ends with instead passes, and so does a cancellation that was asked for by somebody else as well.
 *
 * The shield holds back, as long as it lasts, what is asked from outside of this scope: thrum_task_cancel(), the
 * deadlines, groups and scopes around it. What is inside, and the scope itself, cancels as ever. What was held is
 * counted by thrum_task_cancelling(), may be taken back by thrum_uncancel(), and otherwise comes at the first await
 * after the block; or, when the time of the shield is up before the block ends, at the await where the task is parked.
 * A shield without bound may keep a program from ending: give it a deadline of its own at least.
 * [awaits, never suspends · no allocation · this loop's thread only]
 *
 * @param scope       in the LOCALS of the function; one that is open gives THRUM_ESTATE
 * @param when        the loop's time at which it is cancelled by itself; THRUM_NEVER: not
 * @param shield_for  ticks that the body is shielded, from now; 0: not; THRUM_NEVER: as long as the block lasts
 * @param flags       THRUM_CANCEL_EDGE or THRUM_CANCEL_LEVEL
 * @return gives 0
 *
 * asyncio: none; trio.CancelScope, anyio.CancelScope
 */
THRUM_API thrum_awaitable thrum_cancel_scope_open(thrum_cancel_scope *scope, thrum_time when, thrum_time shield_for,
                                                  unsigned flags) THRUM_MUST_USE_;

/**
 * A scope with a time limit, after which the program goes on behind the block.
 * [awaits, never suspends · no allocation · this loop's thread only]
 *
 * @param scope  in the LOCALS of the function; one that is open gives THRUM_ESTATE
 * @param delay  ticks from thrum_now(), as of this call; THRUM_NEVER: none until thrum_cancel_scope_reschedule()
 * @return gives 0
 *
 * asyncio: none; trio.move_on_after, anyio.move_on_after
 */
THRUM_API thrum_awaitable thrum_move_on_after(thrum_cancel_scope *scope, thrum_time delay) THRUM_MUST_USE_;

/**
 * The same with a point in time.
 * [awaits, never suspends · no allocation · this loop's thread only]
 *
 * @param scope  in the LOCALS of the function; one that is open gives THRUM_ESTATE
 * @param when   the loop's time; THRUM_NEVER: none
 * @return gives 0
 *
 * asyncio: none; trio.move_on_at
 */
THRUM_API thrum_awaitable thrum_move_on_at(thrum_cancel_scope *scope, thrum_time when) THRUM_MUST_USE_;

/**
 * A scope that shields its body, for clean-up that awaits.
 * [awaits, never suspends · no allocation · this loop's thread only]
 *
 * @param scope       in the LOCALS of the function; one that is open gives THRUM_ESTATE
 * @param shield_for  ticks from now; THRUM_NEVER: as long as the block lasts
 * @return gives 0
 *
 * asyncio: none; trio.CancelScope(shield=True)
 */
THRUM_API thrum_awaitable thrum_shield_for(thrum_cancel_scope *scope, thrum_time shield_for) THRUM_MUST_USE_;

/**
 * Cancel what runs in a scope. Before the block is entered it is remembered; a second time, and after the end, it does
 * nothing.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param scope  any: of another task, or of the calling one, which then learns of it at its next await
 *
 * asyncio: none; trio.CancelScope.cancel
 */
THRUM_API void thrum_cancel_scope_cancel(thrum_cancel_scope *scope);

/**
 * Move the time limit of an open scope.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param scope  open; also from another task or a callback
 * @param when   the loop's time; THRUM_NEVER: none
 * @return gives 0; THRUM_ESTATE when the block was not entered, is over, or was cancelled already
 *
 * asyncio: none; setting trio.CancelScope.deadline
 */
THRUM_API int thrum_cancel_scope_reschedule(thrum_cancel_scope *scope, thrum_time when);

/**
 * End the shield of an open scope before its time: what it holds back is delivered.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param scope  any; does nothing where there is no shield, or no more
 *
 * asyncio: none; trio.CancelScope.shield = False
 */
THRUM_API void thrum_cancel_scope_unshield(thrum_cancel_scope *scope);

/**
 * The time limit of a scope.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param scope  entered before
 * @return gives the loop's time, or THRUM_NEVER
 *
 * asyncio: none; trio.CancelScope.deadline
 */
THRUM_API thrum_time thrum_cancel_scope_when(const thrum_cancel_scope *scope);

/**
 * Whether a scope was cancelled, by somebody or by its time limit.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param scope  any; zeroed memory gives false
 * @return gives true or false
 *
 * asyncio: none; trio.CancelScope.cancel_called
 */
THRUM_API bool thrum_cancel_scope_cancelled(const thrum_cancel_scope *scope);

/**
 * Whether the block of a scope was left by its own cancellation, which ended there.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param scope  any; false while it is open
 * @return gives true or false
 *
 * asyncio: none; trio.CancelScope.cancelled_caught
 */
THRUM_API bool thrum_cancel_scope_caught(const thrum_cancel_scope *scope);

/**
 * How many cancellations from outside the shield of a scope holds back now.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param scope  any
 * @return gives a count
 *
 * asyncio: none
 */
THRUM_API unsigned thrum_cancel_scope_held(const thrum_cancel_scope *scope);

/**
 * The innermost cancel scope that the current task has open.
 * [never waits · no allocation · O(open blocks) · this loop's thread only]
 *
 * @return gives the scope; NULL when there is none, or outside of tasks
 *
 * asyncio: none
 */
THRUM_API thrum_cancel_scope *thrum_cancel_scope_current(void);

/**
 * Until when the current task may go on: the nearest limit of the cancel scopes, deadlines and timeouts that are open,
 * shields taken into account. What has passed, or was cancelled, gives now.
 * [never waits · no allocation · O(open blocks and calls) · this loop's thread only]
 *
 * @return gives the loop's time; THRUM_NEVER when there is no limit, or outside of tasks
 *
 * asyncio: none; trio.current_effective_deadline
 */
THRUM_API thrum_time thrum_current_deadline(void);

THRUM_END_DECLS

#endif
