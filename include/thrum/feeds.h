/**
 * @file feeds.h
 * Streams that are fed by hand: what asyncio's StreamReader is without a transport. Whoever has bytes, a callback, a
 * task, a parser's own test, puts them in; a task reads them with the calls of streams.h.
 *
 * Such a stream has no output: a write gives THRUM_ESTATE. Its bytes lie in memory of the pool until they are read, a
 * waiting thrum_stream_read_exactly() included, which takes all of its bytes or none. Nothing holds the feeder back:
 * thrum_stream_buffered() says how much lies there.
 */
#ifndef THRUM_FEEDS_H
#define THRUM_FEEDS_H

#include <thrum/streams.h>

THRUM_BEGIN_DECLS

/**
 * Make a stream that is fed by hand.
 * [never waits · allocates · this loop's thread only]
 *
 * @param stream   where the stream goes; owned
 * @param options  copied; NULL is the default; `limit` counts
 * @return gives 0; THRUM_EINVAL for limits that contradict each other; THRUM_ESTATE without a loop; THRUM_ENOMEM
 *
 * asyncio: StreamReader
 */
THRUM_API int thrum_stream_fed(thrum_stream **stream, const thrum_stream_options *options);

/**
 * Put bytes behind those that wait to be read, and wake the task that reads.
 * [never waits · takes buffers of the pool · this loop's thread only]
 *
 * @param stream  of thrum_stream_fed()
 * @param data    copied
 * @param size    how many bytes; 0 wakes nobody
 * @return gives 0, also after thrum_stream_set_error(), when nobody can read them any more; THRUM_ESTATE after
 *         thrum_stream_feed_eof(); THRUM_ECLOSED; THRUM_ENOMEM (nothing was taken); THRUM_EINVAL for another stream
 *
 * asyncio: StreamReader.feed_data
 */
THRUM_API int thrum_stream_feed_data(thrum_stream *stream, const void *data, size_t size);

/**
 * End the input behind what was fed, and wake the task that reads. Doing it again does nothing.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param stream  of thrum_stream_fed()
 * @return gives 0; THRUM_ECLOSED; THRUM_EINVAL for another stream
 *
 * asyncio: StreamReader.feed_eof
 */
THRUM_API int thrum_stream_feed_eof(thrum_stream *stream);

/**
 * Let the task that reads, and whoever reads from now on, have an error. What was fed and not read is dropped: unlike
 * an error of a connection, which comes behind its bytes, this one outranks them.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param stream  of thrum_stream_fed()
 * @param error   negative, no cancellation; a later one takes the place of an earlier one
 * @return gives 0; THRUM_ECLOSED; THRUM_EINVAL when `error` is none or THRUM_ECANCELED, or for another stream
 *
 * asyncio: StreamReader.set_exception
 */
THRUM_API int thrum_stream_set_error(thrum_stream *stream, int error);

/**
 * What ended the input of a stream, fed by hand or not.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param stream  any
 * @return gives the error that reads give behind what was received; 0 when there is none
 *
 * asyncio: StreamReader.exception
 */
THRUM_API int thrum_stream_error(const thrum_stream *stream);

THRUM_END_DECLS

#endif
