/* Two streams connected through memory. Each direction is a list of pieces, each with the time at which it arrives. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <thrum/handles.h>
#include <thrum/testing.h>
#include <thrum/timeouts.h>

#include "random.h"

enum { WINDOW = 65536 };

/* Bytes that were sent together. */
typedef struct piece {
    struct piece *next;
    thrum_time due;
    size_t size, taken;
    char bytes[];
} piece;

/* One direction. */
typedef struct test_way {
    thrum_test_link link;
    uint64_t seed;
    piece *first, *last;
    size_t held;           /* bytes in the pieces */
    size_t sent, received; /* bytes in all */
    thrum_time last_due;   /* when what was sent last arrives */
    thrum_time cut_at;     /* or THRUM_NEVER */
    thrum_time stalled;    /* until then nothing arrives; 0: not stalled yet */
    bool ended;            /* nothing comes behind the pieces */
    int end_error;         /* but this; 0: end of file */
    thrum_time end_due;    /* when that arrives */
    bool deaf;             /* nobody receives any more */
    bool paused;           /* a fragment was taken; the next one comes in the next pass */
} test_way;

/* One end. */
typedef struct test_end {
    thrum_stream *stream; /* NULL: closed */
    struct test_pair *pair;
    test_way *in, *out;
    unsigned events;    /* that the stream wants to be told of */
    thrum_handle poll;  /* tells it, in each pass in which they are possible */
    thrum_handle alarm; /* begins to, when the time has come */
} test_end;

typedef struct test_pair {
    test_end ends[2];
    test_way ways[2];
    unsigned open;
    bool late; /* the loop closes */
} test_pair;

/* ---- time ---- */

static thrum_time later(thrum_time when, thrum_time delay)
{
    return delay > THRUM_NEVER - when ? THRUM_NEVER : when + delay;
}

static bool cut(const test_way *way)
{
    return thrum_now() >= way->cut_at || (way->link.cut_after && way->received >= way->link.cut_after);
}

/* When there is something to receive: bytes, the end or an error. */
static thrum_time readable_at(const test_way *way)
{
    thrum_time when = way->first ? way->first->due : way->ended ? way->end_due : THRUM_NEVER;
    if (way->stalled > when)
        when = way->stalled;
    if (way->link.cut_after && way->received >= way->link.cut_after)
        return 0;
    return when < way->cut_at ? when : way->cut_at;
}

static bool writable(const test_way *way)
{
    return way->held < way->link.window || way->deaf || cut(way);
}

/* ---- telling the stream ---- */

/* When something is possible that the stream waits for. */
static thrum_time wanted_at(const test_end *end)
{
    thrum_time when = end->events & THRUM_CARRIER_READ ? readable_at(end->in) : THRUM_NEVER;
    if (!(end->events & THRUM_CARRIER_WRITE))
        return when;
    if (writable(end->out))
        return 0;
    return end->out->cut_at < when ? end->out->cut_at : when;
}

/* See to it that the stream is told when there is something to tell. */
static void look(test_end *end)
{
    if (!end->stream || end->pair->late || thrum_handle_pending(&end->poll))
        return;
    thrum_time when = wanted_at(end);
    (void)thrum_handle_cancel(&end->alarm);
    if (when <= thrum_now())
        (void)thrum_call_soon(&end->poll);
    else if (when != THRUM_NEVER)
        (void)thrum_call_at(when, &end->alarm);
}

static void poll_call(thrum_handle *handle)
{
    test_end *end = (test_end *)handle->context;
    unsigned events = 0;
    end->in->paused = false;
    if (end->events & THRUM_CARRIER_READ && readable_at(end->in) <= thrum_now())
        events |= THRUM_CARRIER_READ;
    if (end->events & THRUM_CARRIER_WRITE && writable(end->out))
        events |= THRUM_CARRIER_WRITE;
    thrum_stream_carrier_ready(end->stream, events);
    look(end); /* once more, as long as it is possible and wanted */
}

static test_end *other(const test_end *end)
{
    return &end->pair->ends[end == &end->pair->ends[0]];
}

/* ---- receiving ---- */

static size_t portion(test_way *way, size_t most)
{
    return way->link.random ? 1 + (size_t)random_below(&way->seed, most) : most;
}

static intptr_t pair_receive(void *link, void *to, size_t size)
{
    test_end *end = (test_end *)link;
    test_way *in = end->in;
    piece *first = in->first;
    if (cut(in)) {
        in->deaf = true;
        look(other(end));
        return in->link.cut_error;
    }
    if (readable_at(in) > thrum_now() || (first && in->paused))
        return THRUM_CARRIER_LATER;
    if (!first)
        return in->end_error;
    size_t part = first->size - first->taken;
    if (in->link.fragment) {
        size_t most = portion(in, in->link.fragment);
        in->paused = true; /* fragments come pass by pass */
        part = part < most ? part : most;
    }
    if (in->link.cut_after && part > in->link.cut_after - in->received)
        part = in->link.cut_after - in->received;
    if (in->link.stall_after && !in->stalled && part > in->link.stall_after - in->received)
        part = in->link.stall_after - in->received;
    part = part < size ? part : size;
    memcpy(to, first->bytes + first->taken, part);
    first->taken += part;
    in->held -= part;
    in->received += part;
    if (first->taken == first->size) {
        in->first = first->next;
        if (!in->first)
            in->last = NULL;
        free(first);
    }
    if (in->link.stall_after && !in->stalled && in->received == in->link.stall_after)
        in->stalled = in->link.stall ? later(thrum_now(), in->link.stall) : THRUM_NEVER;
    look(end);
    look(other(end));
    return (intptr_t)part;
}

/* ---- sending ---- */

static thrum_time arrival(test_way *out, size_t size)
{
    thrum_time due = later(thrum_now(), out->link.latency);
    if (out->link.jitter)
        due = later(due, (thrum_time)random_below(&out->seed, (uint64_t)out->link.jitter + 1));
    if (due < out->last_due)
        due = out->last_due;
    if (out->link.rate)
        due = later(due, (thrum_time)((uint64_t)size * (uint64_t)THRUM_SECONDS(1) / out->link.rate));
    return out->last_due = due;
}

static intptr_t pair_send(void *link, const thrum_slice *pieces, size_t count)
{
    test_end *end = (test_end *)link;
    test_way *out = end->out;
    size_t size = 0, room = out->link.window - (out->held < out->link.window ? out->held : out->link.window), used = 0;
    if (cut(out))
        return out->link.cut_error ? out->link.cut_error : -EPIPE;
    if (out->deaf)
        return -EPIPE;
    for (size_t i = 0; i < count; i++)
        size += pieces[i].size;
    if (!room)
        return THRUM_CARRIER_LATER;
    size = size < room ? size : room;
    if (out->link.short_send) {
        size_t most = portion(out, out->link.short_send);
        size = size < most ? size : most;
    }
    piece *made = (piece *)malloc(sizeof *made + size);
    if (!made)
        return THRUM_ENOMEM;
    *made = (piece){.size = size};
    for (size_t i = 0; used < size; i++) {
        size_t part = pieces[i].size < size - used ? pieces[i].size : size - used;
        memcpy(made->bytes + used, pieces[i].data, part);
        used += part;
    }
    made->due = arrival(out, size);
    if (out->last)
        out->last->next = made;
    else
        out->first = made;
    out->last = made;
    out->held += size;
    out->sent += size;
    look(other(end));
    return (intptr_t)size;
}

static void finish(test_way *way, int error)
{
    if (way->ended)
        return;
    way->ended = true;
    way->end_error = error;
    way->end_due = arrival(way, 0);
}

static void pair_end(void *link)
{
    test_end *end = (test_end *)link;
    finish(end->out, 0);
    look(other(end));
}

/* ---- the end ---- */

static void forget(test_way *way)
{
    while (way->first) {
        piece *first = way->first;
        way->first = first->next;
        free(first);
    }
    way->last = NULL;
    way->held = 0;
}

/* As with sockets: bytes that nobody reads any more reset the connection. */
static void pair_close(void *link, bool late)
{
    test_end *end = (test_end *)link;
    test_pair *pair = end->pair;
    pair->late |= late;
    end->events = 0;
    end->stream = NULL;
    (void)thrum_handle_cancel(&end->poll);
    (void)thrum_handle_cancel(&end->alarm);
    end->out->ended &= !end->in->held;
    finish(end->out, end->in->held ? -ECONNRESET : 0);
    end->in->deaf = true;
    forget(end->in);
    if (--pair->open) {
        look(other(end));
        return;
    }
    forget(end->out);
    free(pair);
}

static void pair_watch(void *link, unsigned events)
{
    test_end *end = (test_end *)link;
    end->events = events;
    look(end);
}

static const thrum_carrier memory_carrier = {.size = sizeof memory_carrier,
                                             .name = "memory",
                                             .receive = pair_receive,
                                             .send = pair_send,
                                             .end = pair_end,
                                             .close = pair_close,
                                             .watch = pair_watch};

/* ---- making one ---- */

static void begin(test_way *way, const thrum_test_link *link, uint64_t seed)
{
    way->link = *link;
    way->seed = seed;
    if (!way->link.window)
        way->link.window = WINDOW;
    way->cut_at = link->cut_at ? later(thrum_now(), link->cut_at) : THRUM_NEVER;
}

int thrum_test_stream_pair(thrum_stream **a, thrum_stream **b, const thrum_test_script *script)
{
    thrum_test_script all = {.size = sizeof all};
    thrum_stream **streams[2] = {a, b};
    if (!a || !b || (script && (script->size == 0 || script->size > sizeof all)))
        return THRUM_EINVAL;
    if (!thrum_loop_current())
        return THRUM_ESTATE;
    if (script)
        memcpy(&all, script, script->size);
    test_pair *made = (test_pair *)calloc(1, sizeof *made);
    if (!made)
        return THRUM_ENOMEM;
    begin(&made->ways[0], &all.there, all.seed);
    begin(&made->ways[1], &all.back, ~all.seed);
    *a = *b = NULL;
    for (int i = 0; i < 2; i++) {
        test_end *end = &made->ends[i];
        end->pair = made;
        end->out = &made->ways[i];
        end->in = &made->ways[!i];
        thrum_handle_init(&end->poll, poll_call, end);
        thrum_handle_init(&end->alarm, poll_call, end);
        int error = thrum_stream_carry(&end->stream, &memory_carrier, end, all.streams);
        if (error) {
            end->stream = NULL;
            if (i == 0)
                free(made);
            else
                thrum_stream_release(*a);
            *a = NULL;
            return error;
        }
        made->open++;
        *streams[i] = end->stream;
    }
    return 0;
}
