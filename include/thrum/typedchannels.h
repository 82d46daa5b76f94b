/**
 * @file typedchannels.h
 * Channels that know the type of their items: the compiler refuses an item of another type.
 *
 *     typedef CHANNEL_OF(struct job, 16) job_channel;      its storage is in it
 *     typedef SENDER_OF(struct job) job_sender;
 *     typedef RECEIVER_OF(struct job) job_receiver;
 *
 *     CHANNEL_INIT(&self->jobs, &self->out, &self->in);
 *     AWAIT(CHANNEL_SEND(&self->out, &self->job));
 *     AWAIT(CHANNEL_RECEIVE(&self->in, &self->job));
 *
 * A typed channel is a struct with a thrum_channel `channel`, a typed end one with a thrum_sender or thrum_receiver
 * `end`, which all functions of channels.h take: thrum_sender_close(), thrum_receiver_hold() and the rest.
 */
#ifndef THRUM_TYPEDCHANNELS_H
#define THRUM_TYPEDCHANNELS_H

#include <thrum/channels.h>
#include <thrum/typedqueues.h>

#ifndef THRUM_NO_SHORT_NAMES
#define CHANNEL_OF(type, capacity) THRUM_CHANNEL_OF(type, capacity)
#define RENDEZVOUS_OF(type) THRUM_RENDEZVOUS_OF(type)
#define GROWING_CHANNEL_OF(type) THRUM_GROWING_CHANNEL_OF(type)
#define SENDER_OF(type) THRUM_SENDER_OF(type)
#define RECEIVER_OF(type) THRUM_RECEIVER_OF(type)
/** Prepare one and its two ends, all of one type, as thrum_channel_init(); gives 0. */
#define CHANNEL_INIT(c, sender, receiver) THRUM_CHANNEL_INIT(c, sender, receiver)
/** The same for RENDEZVOUS_OF. */
#define RENDEZVOUS_INIT(c, sender, receiver) THRUM_RENDEZVOUS_INIT(c, sender, receiver)
/** The same for GROWING_CHANNEL_OF; gives as thrum_channel_init_growing(). */
#define GROWING_CHANNEL_INIT(c, sender, receiver, maximum) THRUM_GROWING_CHANNEL_INIT(c, sender, receiver, maximum)
/** To be awaited, spawned, given a time limit: thrum_channel_send() and the others. `item` points to an item. */
#define CHANNEL_SEND(sender, item) THRUM_CHANNEL_SEND(sender, item)
#define CHANNEL_RECEIVE(receiver, item) THRUM_CHANNEL_RECEIVE(receiver, item)
#define CHANNEL_SEND_NOWAIT(sender, item) THRUM_CHANNEL_SEND_NOWAIT(sender, item)
#define CHANNEL_RECEIVE_NOWAIT(receiver, item) THRUM_CHANNEL_RECEIVE_NOWAIT(receiver, item)
/** For ASYNC_FOR: thrum_channel_items(). */
#define CHANNEL_ITEMS(receiver, item) THRUM_CHANNEL_ITEMS(receiver, item)
/** One more end of the same type: thrum_sender_clone(), thrum_receiver_clone(). */
#define SENDER_CLONE(sender, clone) THRUM_SENDER_CLONE(sender, clone)
#define RECEIVER_CLONE(receiver, clone) THRUM_RECEIVER_CLONE(receiver, clone)
#endif

/** The type of a channel with room for so many items, which stand in it. */
#define THRUM_CHANNEL_OF(type, capacity)                                                                               \
    struct {                                                                                                           \
        thrum_channel channel;                                                                                         \
        type items_[capacity];                                                                                         \
    }

/** The type of a channel without room: a send is done when its item was received. */
#define THRUM_RENDEZVOUS_OF(type)                                                                                      \
    struct {                                                                                                           \
        thrum_channel channel;                                                                                         \
        type *items_; /* only for its type */                                                                          \
    }

/** The type of a channel whose items stand in memory of the pool. */
#define THRUM_GROWING_CHANNEL_OF(type) THRUM_RENDEZVOUS_OF(type)

/** The type of an end to send into. */
#define THRUM_SENDER_OF(type)                                                                                          \
    struct {                                                                                                           \
        thrum_sender end;                                                                                              \
        type *items_; /* only for its type */                                                                          \
    }

/** The type of an end to receive from. */
#define THRUM_RECEIVER_OF(type)                                                                                        \
    struct {                                                                                                           \
        thrum_receiver end;                                                                                            \
        type *items_; /* only for its type */                                                                          \
    }

#define THRUM_CHANNEL_INIT(c, sender, receiver)                                                                        \
    thrum_channel_init(&(c)->channel, THRUM_END_(c, sender), THRUM_END_(c, receiver), (c)->items_, THRUM_ROOM_OF_(c),  \
                       THRUM_ITEM_SIZE_(c))
#define THRUM_RENDEZVOUS_INIT(c, sender, receiver)                                                                     \
    thrum_channel_init(&(c)->channel, THRUM_END_(c, sender), THRUM_END_(c, receiver), NULL, 0, THRUM_ITEM_SIZE_(c))
#define THRUM_GROWING_CHANNEL_INIT(c, sender, receiver, maximum)                                                       \
    thrum_channel_init_growing(&(c)->channel, THRUM_END_(c, sender), THRUM_END_(c, receiver), maximum,                 \
                               THRUM_ITEM_SIZE_(c))

#define THRUM_CHANNEL_SEND(sender, item) thrum_channel_send(&(sender)->end, THRUM_ITEM_(sender, item))
#define THRUM_CHANNEL_RECEIVE(receiver, item) thrum_channel_receive(&(receiver)->end, THRUM_ITEM_(receiver, item))
#define THRUM_CHANNEL_SEND_NOWAIT(sender, item) thrum_channel_send_nowait(&(sender)->end, THRUM_ITEM_(sender, item))
#define THRUM_CHANNEL_RECEIVE_NOWAIT(receiver, item)                                                                   \
    thrum_channel_receive_nowait(&(receiver)->end, THRUM_ITEM_(receiver, item))
#define THRUM_CHANNEL_ITEMS(receiver, item) thrum_channel_items(&(receiver)->end, THRUM_ITEM_(receiver, item))
#define THRUM_SENDER_CLONE(sender, clone) thrum_sender_clone(&(sender)->end, THRUM_END_(sender, clone))
#define THRUM_RECEIVER_CLONE(receiver, clone) thrum_receiver_clone(&(receiver)->end, THRUM_END_(receiver, clone))

/* The end within a typed one, of which the compiler has seen that its items are of the same type as those of `c`. */
#ifdef __cplusplus
template <class type, class E> static inline auto thrum_end_(E *end) -> decltype(&end->end)
{
    static_assert(std::is_same<std::remove_reference_t<decltype(*end->items_)>, type>::value,
                  "the channel has items of another type");
    return &end->end;
}
#define THRUM_END_(c, end_) thrum_end_<std::remove_reference_t<decltype(*(c)->items_)>>(end_)
#elif defined(__GNUC__)
#define THRUM_END_(c, end_)                                                                                            \
    ((void)sizeof(struct {                                                                                             \
         _Static_assert(__builtin_types_compatible_p(__typeof__(*(c)->items_), __typeof__(*(end_)->items_)),           \
                        "the channel has items of another type");                                                      \
         int unused_;                                                                                                  \
     }),                                                                                                               \
     &(end_)->end)
#else
#define THRUM_END_(c, end_) ((void)sizeof(1 ? (end_)->items_ : &*(c)->items_), &(end_)->end)
#endif

#endif
