/**
 * @file wait.h
 * Wait for some of several tasks and futures that run on by themselves.
 *
 *     AWAIT_INTO(self->n, thrum_wait_tasks(3, self->tasks, THRUM_FIRST_COMPLETED, SECONDS(5), self->done));
 *
 * Nothing is cancelled here, not when the time is up and not when the wait is cancelled; a time that is up is no error.
 */
#ifndef THRUM_WAIT_H
#define THRUM_WAIT_H

#include <thrum/gather.h>
#include <thrum/timeouts.h>

THRUM_BEGIN_DECLS

/** How long to wait. */
typedef enum thrum_wait_until {
    THRUM_ALL_COMPLETED,   /**< until all are done */
    THRUM_FIRST_COMPLETED, /**< until one is */
    THRUM_FIRST_EXCEPTION  /**< until one has failed, or all are done; one that was cancelled has not failed */
} thrum_wait_until;

/**
 * Wait for tasks. Suspends for two passes at least, also when all are done.
 * [awaits · cancel-safe: nothing is cancelled · one block of the pool · this loop's thread only]
 *
 * @param count    how many
 * @param tasks    borrowed until this is awaited; the array itself may go at once
 * @param until    what to wait for
 * @param timeout  a delay in ticks, or THRUM_NEVER
 * @param done     room for `count` answers to "is it done?", in the order of `tasks`; may be NULL. Outlives the await.
 * @return gives how many are done, which may be none or more than one; THRUM_ECANCELED; THRUM_EINVAL for none to wait
 *         for or another `until`; THRUM_ENOMEM
 *
 * asyncio: wait, ALL_COMPLETED, FIRST_COMPLETED, FIRST_EXCEPTION
 */
THRUM_API thrum_awaitable thrum_wait_tasks(size_t count, thrum_task *const *tasks, thrum_wait_until until,
                                           thrum_time timeout, bool *done) THRUM_MUST_USE_;

/**
 * The same for futures.
 * [awaits · cancel-safe: nothing is cancelled · one block of the pool · this loop's thread only]
 *
 * @param count    how many
 * @param futures  each stays in place until it is done or the await has ended
 * @param until, timeout, done  as above
 * @return gives as above
 *
 * asyncio: wait
 */
THRUM_API thrum_awaitable thrum_wait_futures(size_t count, thrum_future *const *futures, thrum_wait_until until,
                                             thrum_time timeout, bool *done) THRUM_MUST_USE_;

/**
 * The same for tasks and futures, mixed: thrum_task_wait() and thrum_future_wait() make awaitables of them.
 * `thrum_wait(until, timeout, done, a, b, c)` does that for up to 24.
 * [awaits · cancel-safe: nothing is cancelled · one block of the pool · this loop's thread only]
 *
 * @param count  how many
 * @param what   spent by this call whatever it gives; the array itself may go
 * @param until, timeout, done  as above
 * @return gives as above; THRUM_EINVAL when something among them is neither a task nor a future
 *
 * asyncio: wait
 */
THRUM_API thrum_awaitable thrum_wait_array(size_t count, const thrum_awaitable *what, thrum_wait_until until,
                                           thrum_time timeout, bool *done) THRUM_MUST_USE_;

THRUM_END_DECLS

#ifdef __cplusplus
template <class... T>
static inline thrum_awaitable thrum_wait(thrum_wait_until until, thrum_time timeout, bool *done, T... what)
{
    const thrum_awaitable list[] = {thrum_of_(what)...};
    return thrum_wait_array(sizeof...(what), list, until, timeout, done);
}
#else
#define thrum_wait(until, timeout, done, ...) thrum_wait_array_(until, timeout, done, THRUM_LIST_OF_(__VA_ARGS__))
#define thrum_wait_array_(until, timeout, done, ...) thrum_wait_array(__VA_ARGS__, until, timeout, done)
#endif

#endif
