/* Descriptors, scratch memory and what closes with the loop: what the layers above use of it. */
#include "loop/io.h"

#include <stdlib.h>

#include "loop/loop.h"

/* The last word of the storage says whose it is; the rest is the backend's. */
enum { IO_LOOP = 7 };

static thrum_loop *loop_of(const thrum_io *io)
{
    return (thrum_loop *)io->storage[IO_LOOP];
}

int thrum_io_init(thrum_io *io, int descriptor, uint8_t events, thrum_io_ready *ready, void *owner)
{
    thrum_loop *loop = loop_here();
    if (!loop)
        return THRUM_ESTATE;
    if (!loop->backend->io_init)
        return THRUM_EUNSUPPORTED;
    int error = loop_descriptor_used(loop, descriptor);
    if (error)
        return error;
    *io = (thrum_io){.ready = ready, .owner = owner, .descriptor = descriptor, .events = events};
    io->storage[IO_LOOP] = loop;
    loop->backend->io_init(loop, io);
    return 0;
}

void thrum_io_start(thrum_io *io)
{
    if (io->started)
        return;
    thrum_loop *loop = loop_of(io);
    io->started = true;
    loop->unsettled = true;
    loop->backend->io_start(loop, io);
}

void thrum_io_stop(thrum_io *io)
{
    if (!io->started)
        return;
    thrum_loop *loop = loop_of(io);
    io->started = false;
    loop->unsettled = true;
    loop->backend->io_stop(loop, io);
}

void thrum_io_close(thrum_io *io)
{
    thrum_loop *loop = loop_of(io);
    if (!loop)
        return;
    thrum_io_stop(io);
    loop_descriptor_unused(loop, io->descriptor);
    io->storage[IO_LOOP] = NULL;
}

void *thrum_loop_scratch(void)
{
    thrum_loop *loop = loop_here();
    if (loop && !loop->scratch)
        loop->scratch = malloc(LOOP_SCRATCH + LOOP_COLLECTED);
    return loop ? loop->scratch : NULL;
}

void thrum_loop_before_wait(void (*call)(void))
{
    thrum_loop *loop = loop_here();
    if (loop)
        loop->before_wait = call;
}

void thrum_loop_remember(thrum_loop_closer *closer)
{
    thrum_loop *loop = loop_here();
    closer->previous = &loop->closers;
    closer->next = loop->closers.next;
    closer->next->previous = closer;
    loop->closers.next = closer;
}

void thrum_loop_forget(thrum_loop_closer *closer)
{
    closer->previous->next = closer->next;
    closer->next->previous = closer->previous;
}

void loop_hold(thrum_loop *loop)
{
    loop->holds++;
    if (loop->backend->hold)
        loop->backend->hold(loop, true);
}

void loop_unhold(thrum_loop *loop)
{
    loop->holds--;
    if (loop->backend->hold)
        loop->backend->hold(loop, false);
}
