/* A look-up by c-ares: a channel of its own, whose sockets and timer stand on the loop. */
#ifndef THRUM_NET_NAMES_CHANNEL_H
#define THRUM_NET_NAMES_CHANNEL_H

#include "net/names.h"

#ifdef THRUM_CARES

#include <ares.h>

/* A socket of c-ares. */
typedef struct ask_socket {
    struct ask_socket *next;
    struct name_channel *owner;
    ares_socket_t descriptor;
    bool read, write;
    bool readable, writable; /* the poll has found it so */
    thrum_io in, out;
    thrum_handle ready;
} ask_socket;

typedef struct name_channel {
    ares_channel channel;
    thrum_task *task;
    thrum_time began;
    bool parked, over;
    int error;
    thrum_handle timer;
    ask_socket *sockets;
    name_query query;
    name_inverse inverse;
    size_t size; /* of this block */
    char text[];
} name_channel;

/* Of a zeroed one. */
void channel_init(name_channel *self);

/* Open the channel, for a look-up that begins now. 0 or an error. */
int channel_open(name_channel *self);

/* Stop it, whatever it does, and give its memory back. */
void channel_free(name_channel *self);

/* After the question was put: have the loop call c-ares when it wants to be. */
void channel_watch(name_channel *self);

#endif

#endif
