/**
 * @file carriers.h
 * Streams over anything that moves bytes: a serial line, another library's tunnel, memory. A carrier is five calls;
 * everything of streams.h works on top of them, with the same buffers, limits, deadlines and rules of cancellation.
 */
#ifndef THRUM_CARRIERS_H
#define THRUM_CARRIERS_H

#include <thrum/streams.h>

THRUM_BEGIN_DECLS

/** What a stream wants to be told of, and what thrum_stream_carrier_ready() tells. */
enum { THRUM_CARRIER_READ = 1, THRUM_CARRIER_WRITE = 2 };

/** What `receive` and `send` give when nothing can be moved now. */
enum { THRUM_CARRIER_LATER = -1000000 };

/** What carries a stream's bytes. Constant; usually static. No call of it may wait, nor use the stream. */
typedef struct thrum_carrier {
    size_t size;      /**< sizeof(thrum_carrier) */
    const char *name; /**< "tunnel": what thrum_stream_peername() gives when `address` is NULL */
    /** Take bytes that have come: how many, at least 1; 0 at end of file; THRUM_CARRIER_LATER; or an error. After end
     * of file and errors it is not called again. */
    intptr_t (*receive)(void *link, void *to, size_t size);
    /** Take bytes to be sent, as many as there is room for: how many, at least 1; THRUM_CARRIER_LATER; or an error. */
    intptr_t (*send)(void *link, const thrum_slice *pieces, size_t count);
    /** Nothing more will be sent: the peer is to see end of file behind what was. */
    void (*end)(void *link);
    /** Both directions are over; what was sent may still leave. Nothing of the carrier is called afterwards, and the
     * link may go. `late`: the loop closes, and no call can be queued any more. */
    void (*close)(void *link, bool late);
    /** From now on the stream wants to be told when these are possible, THRUM_CARRIER_READ and THRUM_CARRIER_WRITE, and
     * of nothing else. Of what is possible already it is to be told as well, but not from within this call; and again
     * in every pass of the loop in which it is possible and wanted. */
    void (*watch)(void *link, unsigned events);
    /** The address of the other end, or of this one, as text with a NUL; NULL: there is none. */
    void (*address)(const void *link, bool peer, char *text, size_t room);
    /** A fact by its name, as thrum_stream_get_extra_info() gives it: 0, THRUM_EUNSUPPORTED when there is no such fact,
     * THRUM_EINVAL when there is not enough room; NULL: there are none. */
    int (*extra_info)(const void *link, const char *name, void *to, size_t room);
    /** What `close` does next, the peer is to see as an error, not as the end; NULL: that cannot be told apart. */
    void (*reset)(void *link);
} thrum_carrier;

/**
 * Make a stream of a carrier and one of its links.
 * [never waits · allocates · this loop's thread only]
 *
 * @param stream   where the stream goes; owned
 * @param carrier  its calls; stays as long as the stream
 * @param link     handed to each of them; the stream's until `close`, unless this fails
 * @param options  copied; NULL is the default
 * @return gives 0; THRUM_EINVAL for limits that contradict each other or a call that is missing; THRUM_ESTATE without a
 *         loop; THRUM_ENOMEM
 *
 * asyncio: a Transport of one's own, with StreamReaderProtocol
 */
THRUM_API int thrum_stream_carry(thrum_stream **stream, const thrum_carrier *carrier, void *link,
                                 const thrum_stream_options *options);

/**
 * Tell a stream that its carrier can be asked again. For carriers, from a call that the loop makes.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param stream  of thrum_stream_carry(), its carrier not closed
 * @param events  THRUM_CARRIER_READ, THRUM_CARRIER_WRITE or both; what is not watched for is ignored
 *
 * asyncio: Protocol.data_received and Protocol.resume_writing
 */
THRUM_API void thrum_stream_carrier_ready(thrum_stream *stream, unsigned events);

THRUM_END_DECLS

#endif
