/**
 * @file channels.h
 * Channels between tasks of one loop: what is sent at one end is received at the other, in order, and the two ends
 * close independently. Each end can be cloned, for several senders or receivers; when the last sender is closed the
 * receivers drain the channel and are told of its end, when the last receiver is closed so are the senders. A channel
 * without room is a rendezvous: a send is done when its item was received.
 *
 *     ASYNC_FOR (self->job, self->each, thrum_channel_items(&self->receiver, &self->item)) {
 *         ...
 *     }
 *
 * Who waits is served strictly in order, and by the other side: an item goes straight from the memory of the sender to
 * that of the receiver that waits. A task that was served so and is cancelled before it runs has sent, or received: the
 * cancellation comes at its next await. (With a queue the cancellation wins, and the item stays.) Nothing is lost or
 * doubled either way.
 */
#ifndef THRUM_CHANNELS_H
#define THRUM_CHANNELS_H

#include <thrum/blocks.h>
#include <thrum/queues.h>

THRUM_BEGIN_DECLS

/** What stands between the ends. Fields are private. */
typedef struct thrum_channel {
    thrum_queue buffer;
    thrum_waiters sending, receiving; /* one of them is empty */
    size_t senders, receivers;        /* open ends */
} thrum_channel;

/** An end to send into. It is the caller's; it stays in place while somebody sends through it. Fields are private. */
typedef struct thrum_sender {
    thrum_channel *channel; /* NULL: closed */
} thrum_sender;

/** An end to receive from. It is the caller's; it stays in place while somebody receives through it. Fields are
 * private. */
typedef struct thrum_receiver {
    thrum_channel *channel; /* NULL: closed */
} thrum_receiver;

/** The scope of an end that is closed at the end of a block: in LOCALS. Fields are private. */
typedef struct thrum_end_hold {
    thrum_scope scope;
    void *end;
} thrum_end_hold;

/**
 * Prepare a channel with one open end on either side.
 * [never waits · no allocation · any thread]
 *
 * @param channel   not in use; stays in place while an end is open
 * @param sender    becomes an open end
 * @param receiver  becomes an open end
 * @param storage   `capacity * size` bytes, good until all ends are closed; NULL when `capacity` is 0
 * @param capacity  how many items may be under way without a receiver; 0 is a rendezvous
 * @param size      of an item in bytes, at least 1
 * @return gives 0; THRUM_EINVAL (both ends are closed)
 *
 * asyncio: nothing; trio's open_memory_channel
 */
THRUM_API int thrum_channel_init(thrum_channel *channel, thrum_sender *sender, thrum_receiver *receiver, void *storage,
                                 size_t capacity, size_t size);

/**
 * The same with storage from the pool, which doubles when it is used up. It goes back when the last receiver is closed.
 * [never waits · no allocation before the first item · this thread's pool]
 *
 * @param channel, sender, receiver, size  as of thrum_channel_init()
 * @param maximum  how many items may be under way without a receiver; 0 is any number
 * @return gives 0; THRUM_EINVAL (both ends are closed)
 *
 * asyncio: nothing; trio's open_memory_channel(math.inf)
 */
THRUM_API int thrum_channel_init_growing(thrum_channel *channel, thrum_sender *sender, thrum_receiver *receiver,
                                         size_t maximum, size_t size);

/**
 * Send an item, waiting while there is no room and nobody who receives it.
 * [awaits · does not suspend when there is room or a receiver · cancel-safe: not sent · a growing channel takes blocks
 * of the pool · this loop's thread only]
 *
 * @param sender  an end
 * @param item    where it is: `size` bytes, in memory that outlives the await
 * @return gives 0; THRUM_ECLOSED when no receiver is open any more; THRUM_ESTATE when this end is closed, before or
 *         meanwhile; THRUM_ENOMEM; THRUM_ECANCELED
 *
 * asyncio: nothing; trio's SendChannel.send
 */
THRUM_API thrum_awaitable thrum_channel_send(thrum_sender *sender, const void *item) THRUM_MUST_USE_;

/**
 * Send an item at once.
 * [never waits · a growing channel takes blocks of the pool · this loop's thread only]
 *
 * @param sender  an end
 * @param item    where it is: `size` bytes
 * @return gives 0; THRUM_EFULL when there is neither room nor a receiver that waits; THRUM_ECLOSED; THRUM_ESTATE;
 *         THRUM_ENOMEM
 *
 * asyncio: nothing; trio's MemorySendChannel.send_nowait
 */
THRUM_API int thrum_channel_send_nowait(thrum_sender *sender, const void *item);

/**
 * Receive an item, waiting while there is none.
 * [awaits · does not suspend when there is one · cancel-safe: the item stays · no allocation · this loop's thread only]
 *
 * @param receiver  an end
 * @param item      where it goes: `size` bytes, in memory that outlives the await
 * @return gives 0; THRUM_ESHUTDOWN when every sender is closed and the channel is empty; THRUM_ESTATE when this end is
 *         closed, before or meanwhile; THRUM_ECANCELED
 *
 * asyncio: nothing; trio's ReceiveChannel.receive
 */
THRUM_API thrum_awaitable thrum_channel_receive(thrum_receiver *receiver, void *item) THRUM_MUST_USE_;

/**
 * Receive an item at once.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param receiver  an end
 * @param item      where it goes: `size` bytes
 * @return gives 0; THRUM_EEMPTY; THRUM_ESHUTDOWN; THRUM_ESTATE
 *
 * asyncio: nothing; trio's MemoryReceiveChannel.receive_nowait
 */
THRUM_API int thrum_channel_receive_nowait(thrum_receiver *receiver, void *item);

/**
 * Every item that comes out of a channel, for ASYNC_FOR, until every sender is closed and the channel is empty. Leaving
 * the loop closes nothing.
 * [never waits · the first one alive is free, others take a small block of the pool · this loop's thread only]
 *
 * @param receiver  an end
 * @param item      where each item goes: `size` bytes, in memory that outlives the loop
 * @return gives the iterable; what it gives each time is `item`, the pointer
 *
 * asyncio: nothing; `async for` over trio's ReceiveChannel
 */
THRUM_API thrum_iterable thrum_channel_items(thrum_receiver *receiver, void *item) THRUM_MUST_USE_;

/**
 * Make one more end to send into.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param sender  an open end
 * @param clone   becomes another one, closed by itself
 * @return gives 0; THRUM_ESTATE when `sender` is closed (`clone` is closed then)
 *
 * asyncio: nothing; trio's MemorySendChannel.clone
 */
THRUM_API int thrum_sender_clone(const thrum_sender *sender, thrum_sender *clone);

/**
 * Close an end. Tasks that send through it get THRUM_ESTATE, and their items are not sent. After the last one the
 * receivers get what is in the channel, and then THRUM_ESHUTDOWN.
 * [never waits · no allocation · O(tasks that send) · this loop's thread only]
 *
 * @param sender  an end; one that is closed already stays so
 *
 * asyncio: nothing; trio's SendChannel.close
 */
THRUM_API void thrum_sender_close(thrum_sender *sender);

/**
 * Make one more end to receive from; each item goes to one of the receivers.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param receiver  an open end
 * @param clone     becomes another one, closed by itself
 * @return gives 0; THRUM_ESTATE when `receiver` is closed (`clone` is closed then)
 *
 * asyncio: nothing; trio's MemoryReceiveChannel.clone
 */
THRUM_API int thrum_receiver_clone(const thrum_receiver *receiver, thrum_receiver *clone);

/**
 * Close an end. Tasks that receive through it get THRUM_ESTATE. After the last one senders get THRUM_ECLOSED, and what
 * is in the channel is dropped. Items that own something: take them out by thrum_channel_receive_nowait() before.
 * [never waits · no allocation · O(tasks that receive) · this loop's thread only]
 *
 * @param receiver  an end; one that is closed already stays so
 *
 * asyncio: nothing; trio's ReceiveChannel.close
 */
THRUM_API void thrum_receiver_close(thrum_receiver *receiver);

/**
 * Close an end to send into at the end of a block, however it is left:
 * `WITH (self->hold, thrum_sender_hold(&self->hold, self->sender)) { ... }`.
 * [awaits, never suspends · no allocation · this loop's thread only]
 *
 * @param hold    in the LOCALS of the function
 * @param sender  an end; it stays in place until the block is over
 * @return gives 0; THRUM_ESTATE when the end is closed already
 *
 * asyncio: nothing; `with` over trio's MemorySendChannel
 */
THRUM_API thrum_awaitable thrum_sender_hold(thrum_end_hold *hold, thrum_sender *sender) THRUM_MUST_USE_;

/**
 * The same for an end to receive from.
 * [awaits, never suspends · no allocation · this loop's thread only]
 *
 * @param hold      in the LOCALS of the function
 * @param receiver  an end; it stays in place until the block is over
 * @return gives 0; THRUM_ESTATE when the end is closed already
 *
 * asyncio: nothing; `with` over trio's MemoryReceiveChannel
 */
THRUM_API thrum_awaitable thrum_receiver_hold(thrum_end_hold *hold, thrum_receiver *receiver) THRUM_MUST_USE_;

/**
 * How many items are under way: in the channel, not counting those of tasks that wait to send.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param channel  prepared
 * @return gives a count
 *
 * asyncio: nothing; trio's MemoryChannelStatistics.current_buffer_used
 */
static inline size_t thrum_channel_size(const thrum_channel *channel)
{
    return channel->buffer.count;
}

THRUM_END_DECLS

#endif
