/**
 * @file generators.h
 * Asynchronous generators, and the loop over them and over anything else that gives item after item.
 *
 *     static ASYNC_GEN(ticks, ARGS((thrum_time, period), (int, count)), LOCALS(int i;))
 *     {
 *         ASYNC_BEGIN;
 *         for (self->i = 0; self->i < self->count; self->i++) {
 *             AWAIT(thrum_sleep(self->period));
 *             YIELD(self->i);
 *         }
 *     FINALLY:
 *         put_away();
 *         ASYNC_END;
 *     }
 *
 * defines `thrum_iterable ticks(thrum_time period, int count)`, and with `thrum_iteration each; int n;` in LOCALS
 *
 *         ASYNC_FOR (self->n, self->each, ticks(SECONDS(1), 10)) {
 *             if (self->n == 5)
 *                 break;
 *         }
 *
 * runs it in the task of the loop: an item costs no pass and no memory. `break`, `continue`, ASYNC_RETURN, errors and
 * cancellations do what they do in any loop. However the loop is left, the generator is closed first: THRUM_ELEFT comes
 * out of the YIELD at which it stands, passes every CATCH, and its FINALLY runs and may await. An error that comes out
 * of that replaces the one in flight, as in Python.
 *
 * A generator has no result: ASYNC_RETURN(0) ends it. What is too wide for thrum_value goes out through an argument.
 * The blocks that stand open around a YIELD stay open while the caller has its turn. A deadline or a group there goes
 * on meanwhile, and may cancel the caller: then the loop is left, and ends with the THRUM_ETIMEDOUT or THRUM_EGROUP of
 * the generator; after a cancel scope, which swallows what it did, it is just over. Where the generator is driven by
 * hand, by whichever task, such a YIELD fails with THRUM_ESTATE.
 *
 * asyncio: asynchronous generators and `async for` (PEP 492, PEP 525)
 */
#ifndef THRUM_GENERATORS_H
#define THRUM_GENERATORS_H

#include <thrum/async.h>

THRUM_BEGIN_DECLS

/** A loop over an iterable: in LOCALS for ASYNC_FOR, or driven by hand. Zeroed memory is one that was not opened.
 * Fields are private. */
typedef struct thrum_iteration {
    thrum_scope scope;
    thrum_record record; /* started for every item; of a generator `object` is its frame */
    uint32_t epoch;
    uint8_t state;
    bool item;    /* the body of ASYNC_FOR comes next, not the next item */
    bool closing; /* the generator is being left */
} thrum_iteration;

/** What follows the head of a generator's frame. Private. */
typedef struct thrum_yields {
    struct thrum_yields *next, **link; /* among the generators that were opened and have not ended */
    thrum_iteration *iteration;        /* that drives it now; NULL: it stands at a YIELD, or has not begun */
    thrum_scope *scopes;               /* its open blocks, while it stands at a YIELD */
} thrum_yields;

/**
 * Make an iterable out of an operation, which is started anew for every item (awaitables.h).
 * [never waits · the first one alive is free, others take a small block of the pool · this loop's thread only]
 *
 * @param operations  its verbs; static storage. Each start ends with an item, with THRUM_ESTOP after the last one, or
 *                    with another error. Its record may be read, but stays. `drop` is called once, when the iteration
 *                    is closed or the iterable given back.
 * @param object      what the items come from; `task->object` while one is waited for
 * @param a, b        further arguments, handed to each `start` in its record
 * @return gives the iterable; when the pool is used up, one whose first item fails with THRUM_ENOMEM (`drop` has run)
 *
 * asyncio: an object with `__aiter__` and `__anext__`
 */
THRUM_API thrum_iterable thrum_iterable_make(const thrum_operations *operations, void *object, thrum_value a,
                                             thrum_value b) THRUM_MUST_USE_;

/**
 * Give an iterable back that will not be opened: a generator runs its ON_DROP.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param what  an iterable that was not opened
 *
 * asyncio: the last reference to a generator that has not begun going away
 */
THRUM_API void thrum_iterable_drop(thrum_iterable what);

/**
 * Open an iterable to take its items one by one, by hand. Who opens it closes it: thrum_iteration_close(). What is left
 * when the program ends thrum_runner_close() closes.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param iteration  zeroed or closed; stays in place while it is open
 * @param what       spent by this call whatever it gives
 * @return gives 0; THRUM_ESTATE when the iteration is open, or the iterable was opened before; THRUM_ENOMEM where that
 *         is why there is no iterable
 *
 * asyncio: aiter
 */
THRUM_API int thrum_iteration_open(thrum_iteration *iteration, thrum_iterable what);

/**
 * Take the next item.
 * [awaits · cancel-safe: a generator that waits itself is cancelled, and ends · no allocation · this loop's thread
 * only]
 *
 * @param iteration  open, in memory that outlives the await
 * @return gives the item; THRUM_ESTOP when there are no more, which it then always gives; the error that the generator
 *         ended with; THRUM_EBUSY while another task waits for an item here; THRUM_ESTATE when it was never opened
 *
 * asyncio: anext, agen.__anext__
 */
THRUM_API thrum_awaitable thrum_iteration_next(thrum_iteration *iteration) THRUM_MUST_USE_;

/**
 * Take the next item, and make the YIELD_INTO at which the generator stands give a value.
 * [awaits · cancel-safe: a generator that waits itself is cancelled, and ends · no allocation · this loop's thread
 * only]
 *
 * @param iteration  open, in memory that outlives the await
 * @param value      for the generator; 0 unless it has begun (else THRUM_EINVAL)
 * @return gives as thrum_iteration_next(); THRUM_EUNSUPPORTED where it is no generator
 *
 * asyncio: agen.asend
 */
THRUM_API thrum_awaitable thrum_iteration_send(thrum_iteration *iteration, thrum_value value) THRUM_MUST_USE_;

/**
 * Make the YIELD at which the generator stands fail, and take the next item. One that has not begun is closed, and one
 * that has ended has no say: the error comes back.
 * [awaits · cancel-safe: a generator that waits itself is cancelled, and ends · no allocation · this loop's thread
 * only]
 *
 * @param iteration  open, in memory that outlives the await
 * @param error      the error, not 0 (THRUM_EINVAL)
 * @return gives as thrum_iteration_next(); `error` when the generator does not catch it; THRUM_EUNSUPPORTED where it is
 *         no generator
 *
 * asyncio: agen.athrow (which gives None for a generator that has ended)
 */
THRUM_API thrum_awaitable thrum_iteration_throw(thrum_iteration *iteration, int error) THRUM_MUST_USE_;

/**
 * Close an iteration: THRUM_ELEFT comes out of the YIELD at which the generator stands, and its end is waited for. One
 * that has not begun never does: its ON_DROP runs. Closing what has ended or is closed does nothing.
 * [awaits · cancel-safe: a generator that waits itself is cancelled, and ends · no allocation · this loop's thread
 * only]
 *
 * @param iteration  any, in memory that outlives the await
 * @return gives 0; the error that the generator ended with, other than THRUM_ELEFT; THRUM_EBUSY while a task waits for
 *         an item here; THRUM_ESTATE when the generator came to a YIELD again: it never goes on from there, and its
 *         frame is freed, with a report, when the loop closes
 *
 * asyncio: agen.aclose
 */
THRUM_API thrum_awaitable thrum_iteration_close(thrum_iteration *iteration) THRUM_MUST_USE_;

/**
 * What is left of an iteration, as an iterable: an ASYNC_FOR over it goes on where thrum_iteration_next() stopped, and
 * leaves the iteration open however it ends.
 * [never waits · the first one alive is free, others take a small block of the pool · this loop's thread only]
 *
 * @param iteration  open; outlives the loop
 * @return gives the iterable
 *
 * asyncio: `async for` over a generator that has begun
 */
THRUM_API thrum_iterable thrum_iteration_rest(thrum_iteration *iteration) THRUM_MUST_USE_;

/**
 * Close every generator of this thread that stands at a YIELD, or was opened and has not begun: each in a task of its
 * own, so that one does not wait for another. What fails is reported to the loop's exception handler. The iterations
 * that were open over them have no more items then; their memory is not touched. thrum_runner_close() does this once
 * all tasks have ended.
 * [awaits · a task of the pool for each; what there is no memory for is closed here · this loop's thread only]
 *
 * @return gives 0
 *
 * asyncio: loop.shutdown_asyncgens
 */
THRUM_API thrum_awaitable thrum_shutdown_generators(void) THRUM_MUST_USE_;

/* ------------------------------------------------------------------------------------- what stands behind the
 * macros */

THRUM_API thrum_step thrum_yield_value_(thrum_task *task, thrum_yields *yields, thrum_value value, uint32_t resume);
THRUM_API void thrum_generator_ended_(thrum_task *task);
THRUM_API void thrum_iteration_begin_(thrum_task *task, thrum_iteration *iteration, thrum_iterable what,
                                      uint32_t label);
THRUM_API thrum_step thrum_iteration_fetch_(thrum_task *task, thrum_iteration *iteration, uint32_t resume);
THRUM_API bool thrum_iteration_over_(thrum_task *task);

/* A generator's frame ends only here, as the task's leaf. */
static inline thrum_step thrum_generator_stepped_(thrum_task *task, thrum_step step)
{
    if (step.what == THRUM_DONE_)
        thrum_generator_ended_(task);
    return step;
}

THRUM_END_DECLS

/* clang-format off */

#ifndef THRUM_NO_SHORT_NAMES
/** Define a generator, as ASYNC does an async function; calling it gives a thrum_iterable. */
#define ASYNC_GEN(...) THRUM_ASYNC_GEN(__VA_ARGS__)
/** Give an item, and go on when the next one is wanted; THRUM_ELEFT comes out when none is. */
#define YIELD(value) THRUM_YIELD(value)
/** The same; what thrum_iteration_send() sends is stored, 0 where nothing was. */
#define YIELD_INTO(lvalue, value) THRUM_YIELD_INTO(lvalue, value)
/** A loop over an iterable: `ASYNC_FOR (self->n, self->each, ticks(10)) { ... }`, `self->each` being a thrum_iteration.
 * However it is left, the generator is closed first. */
#define ASYNC_FOR(lvalue, iteration, iterable) THRUM_ASYNC_FOR(lvalue, iteration, iterable)
#endif

/* The member's name is what a compiler says of a YIELD in a function that is no generator. */
#define THRUM_GIVES_GEN_ thrum_iterable
#define THRUM_HEAD_GEN_ thrum_yields ASYNC_GEN_is_missing_;

#ifndef THRUM_CHECKING

#define THRUM_STEP_GEN_(task, step) thrum_generator_stepped_(task, step)
#define THRUM_ASYNC_GEN(...) THRUM_ASYNC_PAD_(GEN_, __VA_ARGS__, NONE_, NONE_, NONE_, )

#define THRUM_YIELD(value) THRUM_YIELD_(value, THRUM_COUNTER_)
#define THRUM_YIELD_(value, k) \
    do { \
        return thrum_yield_value_(task_, &self->ASYNC_GEN_is_missing_, THRUM_TO_VALUE_(value), \
                                  THRUM_LABEL_(k) | THRUM_LINE_); \
        THRUM_CASE_(k): \
        if (THRUM_UNLIKELY_(task_->waiter.node.error)) \
            goto leave_; \
    } while (0)

#define THRUM_YIELD_INTO(lvalue, value) THRUM_YIELD_INTO_(lvalue, value, THRUM_COUNTER_)
#define THRUM_YIELD_INTO_(lvalue, value, k) \
    do { \
        THRUM_STATIC_ASSERT_(sizeof(lvalue) <= sizeof(thrum_value), "too wide for what is sent to a generator"); \
        THRUM_YIELD_(value, k); \
        THRUM_STORE_VALUE_(lvalue); \
    } while (0)

/* The inner loop is the user's: it takes an item and runs the body in turn, so that `continue` comes to the next item.
 * What leaves it comes to the outer one, which runs the exit as that of WITH does. */
#define THRUM_ASYNC_FOR(lvalue, iteration, iterable) \
    THRUM_ASYNC_FOR_(lvalue, iteration, iterable, THRUM_COUNTER_, THRUM_COUNTER2_, THRUM_COUNTER3_)
#define THRUM_ASYNC_FOR_(lvalue, s, iterable, k1, k2, k3) \
    for (thrum_iteration_begin_(task_, &(s), iterable, THRUM_LABEL_(k2)); (s).scope.phase; \
         (s).scope.phase = THRUM_EXITING_) \
        if ((s).scope.phase == THRUM_EXITING_) { \
            if (task_->scopes != &(s).scope) \
                goto leave_; \
            THRUM_CASE_(k2): \
            THRUM_PARK_STEP_(thrum_scope_exit_(task_, &(s).scope, THRUM_LABEL_(k3) | THRUM_LINE_), k3) \
            if (thrum_scope_left_(task_, &(s).scope)) \
                goto leave_; \
            break; \
        } else \
            for ((s).item = false;; (s).item = !(s).item) \
                if (!(s).item) { \
                    THRUM_STATIC_ASSERT_(sizeof(lvalue) <= sizeof(thrum_value), "too wide for an item"); \
                    THRUM_PARK_STEP_(thrum_iteration_fetch_(task_, &(s), THRUM_LABEL_(k1) | THRUM_LINE_), k1) \
                    if (THRUM_UNLIKELY_(task_->waiter.node.error)) { \
                        if (thrum_iteration_over_(task_)) \
                            break; \
                        goto leave_; \
                    } \
                    THRUM_STORE_VALUE_(lvalue); \
                } else

#endif /* THRUM_CHECKING */

/* clang-format on */

#endif
