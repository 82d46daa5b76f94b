/* A protocol that notes what it is told. */
#include "protocols.h"

void note_call(noted *to, char call)
{
    CHECK(to->call_count < sizeof to->calls - 1);
    CHECK(!strchr(to->calls, 'L')); /* nothing comes behind connection_lost */
    to->calls[to->call_count++] = call;
}

static int noted_made(void *context, thrum_transport *transport)
{
    noted *to = (noted *)context;
    note_call(to, 'M');
    to->transport = transport;
    if (to->made)
        to->made(to);
    return to->fail_made;
}

static void note_bytes(noted *to, const void *data, size_t size)
{
    CHECK_GT(size, 0);
    if (to->size + size < sizeof to->data)
        memcpy(to->data + to->size, data, size);
    to->size += size;
}

static int noted_data(void *context, const void *data, size_t size)
{
    noted *to = (noted *)context;
    note_call(to, 'd');
    note_bytes(to, data, size);
    if (to->told)
        to->told(to);
    return to->fail;
}

static int noted_end(void *context)
{
    noted *to = (noted *)context;
    note_call(to, 'e');
    return to->keep;
}

static void noted_lost(void *context, int error)
{
    noted *to = (noted *)context;
    note_call(to, 'L');
    to->error = error;
    if (to->lost)
        to->lost(to);
    to->transport = NULL;
}

static void noted_pause(void *context)
{
    note_call((noted *)context, 'p');
}

static void noted_resume(void *context)
{
    note_call((noted *)context, 'r');
}

static intptr_t noted_room(void *context, size_t hint, void **memory)
{
    noted *to = (noted *)context;
    (void)hint;
    *memory = to->memory;
    return to->room ? (intptr_t)to->room : (intptr_t)sizeof to->memory;
}

static int noted_update(void *context, size_t size)
{
    noted *to = (noted *)context;
    note_call(to, 'u');
    note_bytes(to, to->memory, size);
    if (to->told)
        to->told(to);
    return to->fail;
}

const thrum_protocol noting = {
    .size = sizeof noting,
    .connection_made = noted_made,
    .data_received = noted_data,
    .eof_received = noted_end,
    .connection_lost = noted_lost,
    .pause_writing = noted_pause,
    .resume_writing = noted_resume,
};

const thrum_protocol noting_buffered = {
    .size = sizeof noting_buffered,
    .connection_made = noted_made,
    .eof_received = noted_end,
    .connection_lost = noted_lost,
    .pause_writing = noted_pause,
    .resume_writing = noted_resume,
    .get_buffer = noted_room,
    .buffer_updated = noted_update,
};

int factory_noting(void *context, const thrum_protocol **protocol, void **own)
{
    *protocol = &noting;
    *own = context;
    return 0;
}

int factory_buffered(void *context, const thrum_protocol **protocol, void **own)
{
    *protocol = &noting_buffered;
    *own = context;
    return 0;
}

ASYNC(passes, ARGS((int, count)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    for (; self->count > 0; self->count--)
        AWAIT(thrum_yield());
    ASYNC_END;
}

ASYNC(until_told, ARGS((const noted *, what), (size_t, count)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    while (self->what->call_count < self->count)
        AWAIT(thrum_sleep(MICROSECONDS(100)));
    ASYNC_END;
}

ASYNC(until_lost, ARGS((const noted *, what)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    while (!strchr(self->what->calls, 'L'))
        AWAIT(thrum_sleep(MICROSECONDS(100)));
    ASYNC_END;
}

ASYNC(until_bytes, ARGS((const noted *, what), (size_t, size)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    while (self->what->size < self->size)
        AWAIT(thrum_sleep(MICROSECONDS(100)));
    ASYNC_END;
}

ASYNC(wire_close, ARGS((wire *, which), (const noted *, what)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    thrum_transport_abort(self->which->transport);
    AWAIT(until_lost(self->what));
    thrum_transport_release(self->which->transport);
    if (self->which->peer >= 0)
        close(self->which->peer);
    ASYNC_END;
}
