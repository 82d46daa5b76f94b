/**
 * @file protocols.h
 * What is told of a connection in callback style: a protocol. transports.h has the other half.
 *
 * The calls of one connection, each made by the loop and never from inside a call of the transport's, but for
 * `pause_writing`:
 *
 *     connection_made, (data_received | get_buffer, buffer_updated?)*, eof_received?, connection_lost
 *
 * `connection_made` and `connection_lost` come once each, the latter last. Between them `pause_writing` and
 * `resume_writing` alternate. A protocol may be exchanged for another one in the middle
 * (thrum_transport_set_protocol()).
 *
 * The calls run in the context variables of who made the connection or had the server begin to serve.
 */
#ifndef THRUM_PROTOCOLS_H
#define THRUM_PROTOCOLS_H

#include <thrum/types.h>

THRUM_BEGIN_DECLS

/** A connection in callback style. */
typedef struct thrum_transport thrum_transport;

/** What is told of a connection. Constant; usually static. Any call may be NULL: then nothing is done. `context` is
 * what the factory gave for this connection. An error that a call gives ends the connection with it: `connection_lost`
 * is told, and the loop's exception handler. */
typedef struct thrum_protocol {
    size_t size; /**< sizeof(thrum_protocol) */
    /** The connection stands. 0, or an error. The transport is good until connection_lost has returned; whoever wants
     * it longer takes a reference (thrum_transport_hold()). */
    int (*connection_made)(void *context, thrum_transport *transport);
    /** Bytes came, at least 1. They lie in memory that all connections of the loop share, and are good until this
     * returns. 0, or an error. */
    int (*data_received)(void *context, const void *data, size_t size);
    /** The peer sends no more. 0 or no such call: the connection is closed, once what was written has left; a positive
     * number: it stays open for writing; or an error. */
    int (*eof_received)(void *context);
    /** It is over: `error` is 0 after thrum_transport_close(), thrum_transport_abort() and the peer's end of file;
     * else why it was lost. Nothing is told afterwards. */
    void (*connection_lost)(void *context, int error);
    /** More bytes are unsent than the high mark; comes from inside the write that made it so. */
    void (*pause_writing)(void *context);
    /** They are down at the low mark. */
    void (*resume_writing)(void *context);
    /** With this the protocol is a buffered one: bytes are received into memory of its own, and data_received is not
     * called. Where the next bytes are to go goes to `memory`; gives how much room is there, at least 1, or an error; 0
     * is one. `hint` is how many bytes are waiting; 0: not known. The memory has to be good until the next call of the
     * protocol; a call of buffer_updated need not follow. */
    intptr_t (*get_buffer)(void *context, size_t hint, void **memory);
    /** So many bytes stand there now, at least 1. Goes with get_buffer. 0, or an error. */
    int (*buffer_updated)(void *context, size_t size);
} thrum_protocol;

/** Makes the protocol of a new connection: it goes to `protocol`, and what its calls are given to `own`. 0, or an
 * error, which closes the connection. Is asked once the connection stands; connection_made and connection_lost follow
 * in any case, also when the loop closes before. */
typedef int thrum_protocol_factory(void *context, const thrum_protocol **protocol, void **own);

THRUM_END_DECLS

#endif
