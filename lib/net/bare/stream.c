/* Streams of firmware: what interrupts do, and what the loop does when they have done it. Each ring has one side that
 * writes it and one that reads it, and each index one side that moves it, so the bytes need no mask. */
#include "net/bare/stream.h"

#include "core/memory.h"

/* ---- interrupts ---- */

bool thrum_serial_received_from_isr(thrum_stream *stream, uint8_t byte)
{
    thrum_serial_ring *ring = &stream->input;
    thrum_serial_index tail = ring->tail, next = ring_after(ring, tail);
    bool room = next != ring->head;
    if (room) {
        ring->memory[tail] = byte;
        ring->tail = next;
    } else {
        stream->overruns++;
    }
    thrum_serial_index least = stream->least;
    if (least && ring_held(ring) >= least)
        thrum_signal_post_from_isr(&stream->moved);
    return room;
}

int thrum_serial_next_from_isr(thrum_stream *stream)
{
    thrum_serial_ring *ring = &stream->output;
    thrum_serial_index head = ring->head;
    int byte = -1;
    if (head != ring->tail) {
        byte = ring->memory[head];
        ring->head = ring_after(ring, head);
    }
    /* Not for each byte: a task is woken when it can write a good part of the ring. */
    if (stream->wants && ring_held(ring) <= ring_capacity(ring) / 4)
        thrum_signal_post_from_isr(&stream->moved);
    return byte;
}

size_t thrum_serial_room_from_isr(const thrum_stream *stream)
{
    return ring_capacity(&stream->input) - ring_held(&stream->input);
}

void thrum_serial_lost_from_isr(thrum_stream *stream, unsigned count)
{
    stream->overruns += count;
}

void thrum_serial_ended_from_isr(thrum_stream *stream, int error)
{
    stream->error = error;
    stream->ended = 1;
    thrum_signal_post_from_isr(&stream->moved);
}

/* ---- the loop ---- */

void stream_wake_reader(thrum_stream *stream)
{
    if (stream->reader)
        thrum_wake(&stream->reader->waiter, 0, 0);
}

void thrum_serial_moved_(thrum_signal *signal, unsigned count)
{
    thrum_stream *stream = (thrum_stream *)signal->context;
    (void)count;
    if (stream->flags & STREAM_CLOSED)
        return;
    if (stream->reader && (stream->ended || ring_held(&stream->input) >= stream->least))
        stream_wake_reader(stream);
    if (stream->wants)
        stream_pump(stream);
}

void thrum_serial_init(thrum_stream *stream, const thrum_serial_driver *driver, void *device, uint8_t *input,
                       size_t input_size, uint8_t *output, size_t output_size)
{
    not_for_interrupts();
    memset(stream, 0, sizeof *stream);
    stream->driver = driver;
    stream->device = device;
    thrum_signal_init(&stream->moved, thrum_serial_moved_, stream);
    stream->input.memory = input;
    stream->input.size = (thrum_serial_index)input_size;
    stream->output.memory = output;
    stream->output.size = (thrum_serial_index)output_size;
}

/* ---- what is known ---- */

unsigned thrum_serial_overruns(const thrum_stream *stream)
{
    uintptr_t was = mask();
    unsigned count = stream->overruns;
    unmask(was);
    return count;
}

size_t thrum_serial_done(const thrum_stream *stream)
{
    return stream->done;
}

bool thrum_stream_at_eof(const thrum_stream *stream)
{
    return (stream->flags & STREAM_CLOSING || (stream->ended && !stream->error)) && !ring_held(&stream->input);
}

size_t thrum_stream_buffered(const thrum_stream *stream)
{
    return ring_held(&stream->input);
}

bool thrum_stream_is_closing(const thrum_stream *stream)
{
    return (stream->flags & STREAM_CLOSING) != 0;
}
