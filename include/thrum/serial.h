/**
 * @file serial.h
 * The streams of firmware: bytes that interrupts bring and take, through two rings in static memory. What a program
 * does with them is in streams.h, the same calls as on hosts; here is what a driver of a UART, or of anything else that
 * gives and takes bytes, needs.
 *
 *     THRUM_SERIAL(console, &uart_driver, UART0, 64, 128);     // a thrum_stream, its input and its output
 *
 *     void uart_interrupt(void)
 *     {
 *         acknowledge first, then:
 *         while (a byte is there)
 *             thrum_serial_received_from_isr(&console, the byte);
 *         while (the device has room && (byte = thrum_serial_next_from_isr(&console)) >= 0)
 *             send it;
 *     }
 *
 * What differs from a stream of a host. Everything that was received and not read lies in the input's ring, reads take
 * it from there in the step in which they return, and its size is the stream's limit: for lines, for
 * thrum_stream_unread(), and for what a cancelled thrum_stream_read_exactly() puts back. Bytes that find it full are
 * lost and counted. A write has ended when its last byte is in the output's ring. The second task that waits to write,
 * and each one more, takes a small block of the pool; nothing else takes memory. There is no deadline of a close: put a
 * thrum_timeout() around it. A device has no end of file but what its driver tells; and thrum_stream_write_eof() only
 * refuses further writes.
 */
#ifndef THRUM_SERIAL_H
#define THRUM_SERIAL_H

#include <thrum/bare.h>
#include <thrum/streams.h>

#if !THRUM_HOSTED

THRUM_BEGIN_DECLS

/** Counts bytes of a ring; read and written by one instruction, so that it needs no mask. */
#ifdef __AVR__
typedef uint8_t thrum_serial_index;
#else
typedef uint16_t thrum_serial_index;
#endif

/** Bytes that a ring can hold at most: 254 on AVR, elsewhere 65534. */
#define THRUM_SERIAL_MOST ((thrum_serial_index)-2)

/** What a stream asks of its device. Constant. Each is called with interrupts masked, and does little. */
typedef struct thrum_serial_driver {
    void (*send)(thrum_stream *stream); /**< there are bytes to be sent: begin, unless the device is at it already */
    void (*room)(thrum_stream *stream); /**< the input was read: let the peer go on, where it was held; NULL: nothing */
    void (*stop)(thrum_stream *stream); /**< the stream is closed: switch its interrupts off; NULL: nothing */
} thrum_serial_driver;

/** Private: a ring of bytes with one producer and one consumer, one of them an interrupt. */
typedef struct thrum_serial_ring {
    volatile uint8_t *memory;
    thrum_serial_index size; /* of the memory: one more than it holds */
    volatile thrum_serial_index head, tail;
} thrum_serial_ring;

/** Private: a task that waits to write. */
typedef struct thrum_serial_writer {
    struct thrum_serial_writer *next;
    thrum_stream *stream;
    thrum_task *task; /* NULL: not in use */
    const thrum_slice *slices;
    size_t count, offset, done;
    thrum_slice one;
} thrum_serial_writer;

/** A stream of firmware: usually made by THRUM_SERIAL(). Private, but for `driver` and `device`. */
struct thrum_stream {
    const thrum_serial_driver *driver;
    void *device; /**< the driver's */
    thrum_signal moved;
    thrum_serial_ring input, output;
    volatile thrum_serial_index least; /* the task that reads wants so many bytes; 0: none does */
    volatile uint8_t wants;            /* output: somebody waits until there is room */
    volatile uint8_t ended;            /* the input has, by the device */
    uint8_t flags;
    int error;                  /* what ended the input */
    volatile unsigned overruns; /* bytes that were lost */
    size_t done;                /* of the last operation that failed */
    thrum_task *reader;
    char *to;
    size_t size, scanned;
    const thrum_slice *separators;
    size_t count;
    thrum_serial_writer *writers; /* first come, first served */
    thrum_serial_writer first;    /* one of them */
    thrum_waiters closers;
};

/* Private: what the loop calls when interrupts have moved bytes. */
void thrum_serial_moved_(thrum_signal *signal, unsigned count);

/**
 * Define a stream, with static memory for so many bytes of input and output (each at most THRUM_SERIAL_MOST).
 * Its interrupts may begin at once; they are switched on by the driver.
 */
#define THRUM_SERIAL(name, driver, device, input_size, output_size)                                                    \
    THRUM_STATIC_ASSERT_((input_size) > 0 && (input_size) <= THRUM_SERIAL_MOST && (output_size) > 0 &&                 \
                             (output_size) <= THRUM_SERIAL_MOST,                                                       \
                         "the size of a stream's ring");                                                               \
    static volatile uint8_t name##_input_[(input_size) + 1], name##_output_[(output_size) + 1];                        \
    thrum_stream name = {(driver),                                                                                     \
                         (device),                                                                                     \
                         THRUM_SIGNAL_CALLING(thrum_serial_moved_, &name),                                             \
                         {name##_input_, (input_size) + 1, 0, 0},                                                      \
                         {name##_output_, (output_size) + 1, 0, 0},                                                    \
                         0,                                                                                            \
                         0,                                                                                            \
                         0,                                                                                            \
                         0,                                                                                            \
                         0,                                                                                            \
                         0,                                                                                            \
                         0,                                                                                            \
                         0,                                                                                            \
                         0,                                                                                            \
                         0,                                                                                            \
                         0,                                                                                            \
                         0,                                                                                            \
                         0,                                                                                            \
                         0,                                                                                            \
                         {0, 0, 0, 0, 0, 0, 0, {0, 0}},                                                                \
                         {0}}

/**
 * Make a stream in memory of one's own, or one that was closed anew. Its device's interrupts are off.
 * [never waits · no allocation · the loop only]
 *
 * @param stream       the caller's; stays in place as long as its interrupts may come
 * @param driver       its calls; stays as long as the stream
 * @param device       the driver's
 * @param input        memory for what is received, one byte more than is to be held
 * @param input_size   of it, in bytes: 2 to THRUM_SERIAL_MOST + 1
 * @param output       memory for what is to be sent, one byte more than is to be held
 * @param output_size  of it, in bytes: 2 to THRUM_SERIAL_MOST + 1
 *
 * asyncio: StreamReader and StreamWriter of a transport
 */
void thrum_serial_init(thrum_stream *stream, const thrum_serial_driver *driver, void *device, uint8_t *input,
                       size_t input_size, uint8_t *output, size_t output_size);

/* ---- for drivers ---- */

/**
 * A byte has come.
 * [never waits · no allocation · its interrupt only]
 *
 * @param stream  of the device
 * @param byte    what came
 * @return gives whether there was room; if not it is lost, and counted
 *
 * asyncio: Protocol.data_received
 */
bool thrum_serial_received_from_isr(thrum_stream *stream, uint8_t byte);

/**
 * The device has room: take a byte that is to be sent.
 * [never waits · no allocation · its interrupt, or the driver's `send`]
 *
 * @param stream  of the device
 * @return gives the byte; -1 when there is none: `send` is called when there are some again
 *
 * asyncio: WriteTransport's writer
 */
int thrum_serial_next_from_isr(thrum_stream *stream);

/**
 * So many more bytes can be received: for drivers that hold the peer, or take blocks.
 * [never waits · no allocation · its interrupt, or the driver's calls]
 *
 * @param stream  of the device
 * @return gives a count of bytes
 *
 * asyncio: ReadTransport.pause_reading
 */
size_t thrum_serial_room_from_isr(const thrum_stream *stream);

/**
 * The device has lost bytes, before the interrupt could take them.
 * [never waits · no allocation · its interrupt only]
 *
 * @param stream  of the device
 * @param count   how many; 1 if it does not say
 *
 * asyncio: none
 */
void thrum_serial_lost_from_isr(thrum_stream *stream, unsigned count);

/**
 * Nothing more will come: the other end is gone.
 * [never waits · no allocation · its interrupt, or the driver's calls]
 *
 * @param stream  of the device
 * @param error   what reads give when everything that came is read; 0: end of file
 *
 * asyncio: Protocol.eof_received, Protocol.connection_lost
 */
void thrum_serial_ended_from_isr(thrum_stream *stream, int error);

/* ---- for programs ---- */

/**
 * Bytes that were lost since the stream was made: as its input was full, or in the device.
 * [never waits · no allocation · the loop only]
 *
 * @param stream  any
 * @return gives a count, which goes round
 *
 * asyncio: none
 */
unsigned thrum_serial_overruns(const thrum_stream *stream);

/**
 * How many bytes the last operation that failed, or was cancelled, had done: what `number` of its error's detail says,
 * for builds without details.
 * [never waits · no allocation · the loop only]
 *
 * @param stream  any
 * @return gives a count of bytes
 *
 * asyncio: IncompleteReadError.partial, its length
 */
size_t thrum_serial_done(const thrum_stream *stream);

THRUM_END_DECLS

#endif
#endif
