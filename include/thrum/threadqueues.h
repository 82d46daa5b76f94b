/**
 * @file threadqueues.h
 * A queue between one loop and any number of other threads: tasks of the loop await, threads block. First in, first
 * out; items have one fixed size and are copied. Its memory comes from malloc(), since threads share it.
 *
 * A queue belongs to the loop of the thread that made it. When that loop closes the queue is shut down: threads take
 * out what is in it and are then told, so closing the loop under them is safe. The queue itself stays until it is
 * freed.
 */
#ifndef THRUM_THREADQUEUES_H
#define THRUM_THREADQUEUES_H

#include <thrum/generators.h>
#include <thrum/timeouts.h>

THRUM_BEGIN_DECLS

/** A queue between a loop and threads. */
typedef struct thrum_thread_queue thrum_thread_queue;

/**
 * Make a queue of this thread's loop.
 * [never waits · takes memory from malloc() · this loop's thread only]
 *
 * @param queue    where it goes; NULL on an error
 * @param maximum  how many items may be in it; 0 is any number: its storage then doubles when it is used up
 * @param size     of an item in bytes, at least 1
 * @return gives 0; THRUM_EINVAL; THRUM_ENOMEM; THRUM_ESTATE when the thread has no loop
 *
 * asyncio: nothing; janus.Queue(maxsize)
 */
THRUM_API int thrum_thread_queue_new(thrum_thread_queue **queue, size_t maximum, size_t size);

/**
 * The end of a queue, when no other thread uses it any more. Tasks that wait get THRUM_ESHUTDOWN.
 * [never waits · this loop's thread only, or any when the loop is closed]
 *
 * @param queue  not to be used afterwards; NULL does nothing
 *
 * asyncio: nothing; janus.Queue.aclose
 */
THRUM_API void thrum_thread_queue_free(thrum_thread_queue *queue);

/* ---- in tasks of the loop ---- */

/**
 * Put an item in, waiting while there is no room.
 * [awaits · does not suspend when there is room · cancel-safe: not put · this loop's thread only]
 *
 * @param queue  of this loop
 * @param item   where it is: `size` bytes, in memory that outlives the await
 * @return gives 0; THRUM_ESHUTDOWN; THRUM_ENOMEM when it cannot grow (nothing is lost); THRUM_ESTATE in another thread;
 *         THRUM_ECANCELED
 *
 * asyncio: nothing; janus.Queue.async_q.put
 */
THRUM_API thrum_awaitable thrum_thread_queue_put(thrum_thread_queue *queue, const void *item) THRUM_MUST_USE_;

/**
 * Take an item out, waiting while there is none.
 * [awaits · does not suspend when there is one · cancel-safe: the item stays · no allocation · this loop's thread only]
 *
 * @param queue  of this loop
 * @param item   where it goes: `size` bytes, in memory that outlives the await
 * @return gives 0; THRUM_ESHUTDOWN when it is shut down and empty; THRUM_ESTATE in another thread; THRUM_ECANCELED
 *
 * asyncio: nothing; janus.Queue.async_q.get
 */
THRUM_API thrum_awaitable thrum_thread_queue_get(thrum_thread_queue *queue, void *item) THRUM_MUST_USE_;

/**
 * Every item that comes out of a queue, for ASYNC_FOR, until it is shut down and empty.
 * [never waits · the first one alive is free, others take a small block of the pool · this loop's thread only]
 *
 * @param queue  of this loop
 * @param item   where each item goes: `size` bytes, in memory that outlives the loop
 * @return gives the iterable; what it gives each time is `item`, the pointer
 *
 * asyncio: nothing; a loop over janus.Queue.async_q.get
 */
THRUM_API thrum_iterable thrum_thread_queue_items(thrum_thread_queue *queue, void *item) THRUM_MUST_USE_;

/**
 * Wait until the work on everything that was put is done, as thrum_queue_join().
 * [awaits · does not suspend when all is done · no allocation · this loop's thread only]
 *
 * @param queue  of this loop
 * @return gives 0; THRUM_ESTATE in another thread; THRUM_ECANCELED
 *
 * asyncio: nothing; janus.Queue.async_q.join
 */
THRUM_API thrum_awaitable thrum_thread_queue_join(thrum_thread_queue *queue) THRUM_MUST_USE_;

/* ---- in other threads ---- */

/**
 * Put an item in; the thread waits while there is no room.
 * [blocks · any thread but the loop's]
 *
 * @param queue    any
 * @param item     where it is: `size` bytes
 * @param timeout  the longest wait in ticks; THRUM_NEVER: any
 * @return gives 0; THRUM_ETIMEDOUT; THRUM_ESHUTDOWN; THRUM_ENOMEM; THRUM_ESTATE when the loop's own thread would wait
 *
 * asyncio: nothing; janus.Queue.sync_q.put
 */
THRUM_API int thrum_thread_queue_put_blocking(thrum_thread_queue *queue, const void *item, thrum_time timeout);

/**
 * Take an item out; the thread waits while there is none.
 * [blocks · any thread but the loop's]
 *
 * @param queue    any
 * @param item     where it goes: `size` bytes
 * @param timeout  the longest wait in ticks; THRUM_NEVER: any
 * @return gives 0; THRUM_ETIMEDOUT; THRUM_ESHUTDOWN when it is shut down and empty; THRUM_ESTATE when the loop's own
 *         thread would wait
 *
 * asyncio: nothing; janus.Queue.sync_q.get
 */
THRUM_API int thrum_thread_queue_get_blocking(thrum_thread_queue *queue, void *item, thrum_time timeout);

/**
 * Wait until the work on everything that was put is done; the thread waits.
 * [blocks · any thread but the loop's]
 *
 * @param queue    any
 * @param timeout  the longest wait in ticks; THRUM_NEVER: any
 * @return gives 0; THRUM_ETIMEDOUT; THRUM_ESTATE when the loop's own thread would wait
 *
 * asyncio: nothing; janus.Queue.sync_q.join
 */
THRUM_API int thrum_thread_queue_join_blocking(thrum_thread_queue *queue, thrum_time timeout);

/* ---- anywhere ---- */

/**
 * Put an item in at once.
 * [never waits · any thread]
 *
 * @param queue  any
 * @param item   where it is: `size` bytes
 * @return gives 0; THRUM_EFULL; THRUM_ESHUTDOWN; THRUM_ENOMEM
 *
 * asyncio: nothing; janus.Queue.sync_q.put_nowait
 */
THRUM_API int thrum_thread_queue_put_nowait(thrum_thread_queue *queue, const void *item);

/**
 * Take an item out at once.
 * [never waits · any thread]
 *
 * @param queue  any
 * @param item   where it goes: `size` bytes
 * @return gives 0; THRUM_EEMPTY; THRUM_ESHUTDOWN when it is shut down and empty
 *
 * asyncio: nothing; janus.Queue.sync_q.get_nowait
 */
THRUM_API int thrum_thread_queue_get_nowait(thrum_thread_queue *queue, void *item);

/**
 * Say that the work on an item that was taken out is done.
 * [never waits · any thread]
 *
 * @param queue  any
 * @return gives 0; THRUM_EINVAL when it is said more often than items were put
 *
 * asyncio: nothing; janus.Queue.sync_q.task_done
 */
THRUM_API int thrum_thread_queue_task_done(thrum_thread_queue *queue);

/**
 * End the traffic, as thrum_queue_shutdown(): everybody who waits, task or thread, is woken.
 * [never waits · any thread]
 *
 * @param queue      any
 * @param immediate  also drop what is in it, which counts as done
 *
 * asyncio: nothing; janus.Queue.shutdown
 */
THRUM_API void thrum_thread_queue_shutdown(thrum_thread_queue *queue, bool immediate);

/**
 * How many items are in a queue; with other threads at work it may be another number by now.
 * [never waits · any thread]
 *
 * @param queue  any
 * @return gives a count
 *
 * asyncio: nothing; janus.Queue.sync_q.qsize
 */
THRUM_API size_t thrum_thread_queue_size(thrum_thread_queue *queue);

THRUM_END_DECLS

#endif
