/**
 * @file gather.h
 * Wait for several things at once, and get all of their results.
 *
 *     AWAIT(thrum_gather(self->pages, http_get(a), http_get(b), self->task));
 *
 * Tasks and futures that the caller holds by handle stay his: they run on when a gather fails. Everything else is
 * adopted: it runs as a child of the gather, and is cancelled and has ended before the gather ends.
 */
#ifndef THRUM_GATHER_H
#define THRUM_GATHER_H

#include <thrum/async.h>

THRUM_BEGIN_DECLS

/** How one of several things ended. */
typedef struct thrum_outcome {
    thrum_value value;         /**< its result; 0 after an error */
    const thrum_error *detail; /**< of its error, good until the waiting task's next error or end; or NULL */
    int error;                 /**< 0, its error, or THRUM_ECANCELED */
} thrum_outcome;

/**
 * Wait until all have ended; the first that fails, or is cancelled by somebody, ends the gather with its error (the
 * others that were adopted are cancelled and joined first; errors of those that are held by handle count as seen).
 * Cancelling the gather cancels all of them, and THRUM_ECANCELED comes out when the first has ended as cancelled, or
 * all have; where all have ended already the cancellation comes out in the gather's place.
 * `thrum_gather(results, a, b, ...)` is the same for up to 24 awaitables, tasks and futures, mixed.
 * [awaits · does not suspend when all are done · one block of the pool and a task for each that is adopted · this
 * loop's thread only]
 *
 * @param count    how many; none is done at once
 * @param what     spent by this call whatever it gives; the array itself may go. The same task or future may be there
 *                 twice.
 * @param results  room for `count` results, in the order of `what`; written only when the gather succeeds; NULL: none
 *                 is wanted. Must outlive the await.
 * @return gives 0; the first error; THRUM_ECANCELED; THRUM_ENOMEM; THRUM_ESTATE for the waiting task itself
 *
 * asyncio: gather
 */
THRUM_API thrum_awaitable thrum_gather_array(size_t count, const thrum_awaitable *what,
                                             thrum_value *results) THRUM_MUST_USE_;

/**
 * Wait until all have ended, however that is: errors and cancellations of single ones are outcomes.
 * Cancelling the gather cancels all of them; THRUM_ECANCELED comes out when all have ended.
 * `thrum_gather_all(outcomes, a, b, ...)` is the same for up to 24 awaitables, tasks and futures, mixed.
 * [awaits · does not suspend when all are done · one block of the pool and a task for each that is adopted · this
 * loop's thread only]
 *
 * @param count     how many; none is done at once
 * @param what      spent by this call whatever it gives; the array itself may go
 * @param outcomes  room for `count` outcomes, in the order of `what`; written only when the gather gives no error;
 *                  NULL: none is wanted. Must outlive the await.
 * @return gives how many failed; THRUM_ECANCELED; THRUM_ENOMEM. What could not be started for want of memory has
 *         that as its outcome. thrum_error_last()->errors lists the errors in their order.
 *
 * asyncio: gather(return_exceptions=True)
 */
THRUM_API thrum_awaitable thrum_gather_all_array(size_t count, const thrum_awaitable *what,
                                                 thrum_outcome *outcomes) THRUM_MUST_USE_;

THRUM_END_DECLS

/* An array of awaitables out of arguments: its length, itself. */
#ifdef __cplusplus
template <class... T> static inline thrum_awaitable thrum_gather(thrum_value *results, T... what)
{
    const thrum_awaitable list[] = {thrum_of_(what)...};
    return thrum_gather_array(sizeof...(what), list, results);
}
template <class... T> static inline thrum_awaitable thrum_gather_all(thrum_outcome *outcomes, T... what)
{
    const thrum_awaitable list[] = {thrum_of_(what)...};
    return thrum_gather_all_array(sizeof...(what), list, outcomes);
}
#else
#define THRUM_LIST_OF_(...)                                                                                            \
    THRUM_COUNT_(__VA_ARGS__), (const thrum_awaitable[])                                                               \
    {                                                                                                                  \
        THRUM_PASTE_(THRUM_MAP_, THRUM_COUNT_(__VA_ARGS__))(THRUM_OF_, __VA_ARGS__)                                    \
    }
#define thrum_gather(results, ...) thrum_gather_array_(results, THRUM_LIST_OF_(__VA_ARGS__))
#define thrum_gather_array_(results, ...) thrum_gather_array(__VA_ARGS__, results)
#define thrum_gather_all(outcomes, ...) thrum_gather_all_array_(outcomes, THRUM_LIST_OF_(__VA_ARGS__))
#define thrum_gather_all_array_(outcomes, ...) thrum_gather_all_array(__VA_ARGS__, outcomes)
#endif

#endif
