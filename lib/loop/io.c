/* Descriptors, scratch memory and what closes with the loop: what the layers above use of it. */
#include "loop/io.h"

#include <stdlib.h>

#include "loop/loop.h"

int thrum_io_init(thrum_io *io, int descriptor, uint8_t events, thrum_io_ready *ready)
{
    thrum_loop *loop = loop_here();
    if (!loop)
        return THRUM_ESTATE;
    if (!loop->verbs.io_open)
        return THRUM_EUNSUPPORTED;
    int error = loop_descriptor_used(loop, descriptor);
    if (error)
        return error;
    *io = (thrum_io){.ready = ready, .descriptor = descriptor, .events = events, .open = true};
    error = loop->verbs.io_open(loop_own(loop), io);
    if (error) {
        loop_descriptor_unused(loop, descriptor);
        io->open = false;
    }
    return error;
}

void thrum_io_init_source(thrum_io *io, loop_source *source, uint8_t events, thrum_io_ready *ready)
{
    *io = (thrum_io){.ready = ready, .descriptor = -1, .events = events, .open = true};
    io->storage[0] = source;
}

static void changed(const thrum_io *io)
{
    loop_source *source = (loop_source *)io->storage[0];
    source->changed(source);
}

void thrum_io_start(thrum_io *io)
{
    if (io->started)
        return;
    io->started = true;
    if (THRUM_UNLIKELY_(io->descriptor < 0)) {
        changed(io);
        return;
    }
    thrum_loop *loop = loop_here();
    loop->unsettled = true;
    loop->verbs.io_start(loop_own(loop), io);
}

void thrum_io_stop(thrum_io *io)
{
    if (!io->started)
        return;
    io->started = false;
    if (THRUM_UNLIKELY_(io->descriptor < 0)) {
        changed(io);
        return;
    }
    thrum_loop *loop = loop_here();
    loop->unsettled = true;
    loop->verbs.io_stop(loop_own(loop), io);
}

void thrum_io_close(thrum_io *io)
{
    thrum_loop *loop = loop_here();
    if (!io->open)
        return;
    thrum_io_stop(io);
    if (io->descriptor >= 0 && loop->verbs.io_close)
        loop->verbs.io_close(loop_own(loop), io);
    loop_descriptor_unused(loop, io->descriptor);
    io->open = false;
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

void loop_count_open(unsigned kind, bool more)
{
    thrum_loop *loop = loop_here();
    if (loop)
        loop->open[kind] += more ? 1 : -1u;
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
    if (loop->verbs.hold)
        loop->verbs.hold(loop_own(loop), true);
}

void loop_unhold(thrum_loop *loop)
{
    if (loop->verbs.hold)
        loop->verbs.hold(loop_own(loop), false);
}
