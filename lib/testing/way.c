#include "way.h"

#include <stdlib.h>
#include <string.h>

#include "random.h"

enum { WINDOW = 65536, IN_ALL = 1000, RESEND_MILLISECONDS = 200, RESENDS = 8 };

struct test_piece {
    test_piece *next;
    thrum_time due;
    size_t size, taken;
    char bytes[];
};

void way_begin(test_way *way, const thrum_test_link *link, uint64_t seed)
{
    way->link = *link;
    way->seed = seed;
    if (!way->link.window)
        way->link.window = WINDOW;
    way->cut_at = link->cut_at ? time_after(thrum_now(), link->cut_at) : THRUM_NEVER;
    way->blocked = way->unanswered = THRUM_NEVER;
}

/* ---- what there is ---- */

bool way_cut(const test_way *way)
{
    return thrum_now() >= way->cut_at || (way->link.cut_after && way->received >= way->link.cut_after);
}

thrum_time way_readable_at(const test_way *way)
{
    thrum_time when = way->first ? way->first->due : way->ended ? way->end_due : THRUM_NEVER;
    if (when >= way->blocked)
        when = THRUM_NEVER;
    if (way->stalled > when)
        when = way->stalled;
    if (way->link.cut_after && way->received >= way->link.cut_after)
        return 0;
    return when < way->cut_at ? when : way->cut_at;
}

bool way_has_bytes(const test_way *way)
{
    return way->first && way_readable_at(way) <= thrum_now() && !way_cut(way);
}

bool way_writable(const test_way *way)
{
    return way->held < way->link.window || way->deaf || way_cut(way);
}

/* ---- receiving ---- */

static size_t portion(test_way *way, size_t most)
{
    return way->link.random ? 1 + (size_t)random_below(&way->seed, most) : most;
}

/* Where something of the script happens, the bytes before come by themselves. */
static size_t up_to(const test_way *way, size_t part, size_t place)
{
    return place && part > place - way->received ? place - way->received : part;
}

static void drop_first(test_way *way)
{
    test_piece *first = way->first;
    way->held -= first->size - first->taken;
    way->first = first->next;
    if (!way->first)
        way->last = NULL;
    free(first);
}

size_t way_take(test_way *way, void *to, size_t size)
{
    test_piece *first = way->first;
    size_t part = first->size - first->taken;
    if (way->link.fragment) {
        size_t most = portion(way, way->link.fragment);
        way->paused = true; /* fragments come pass by pass */
        part = part < most ? part : most;
    }
    part = up_to(way, part, way->link.cut_after);
    if (!way->stalled)
        part = up_to(way, part, way->link.stall_after);
    part = part < size ? part : size;
    memcpy(to, first->bytes + first->taken, part);
    first->taken += part;
    way->held -= part;
    way->received += part;
    if (first->taken == first->size)
        drop_first(way);
    if (way->link.stall_after && !way->stalled && way->received == way->link.stall_after)
        way->stalled = way->link.stall ? time_after(thrum_now(), way->link.stall) : THRUM_NEVER;
    return part;
}

/* ---- sending ---- */

static thrum_time arrival(test_way *way, size_t size)
{
    thrum_time due = time_after(thrum_now(), way->link.latency), again = THRUM_MILLISECONDS(RESEND_MILLISECONDS);
    if (way->link.jitter)
        due = time_after(due, (thrum_time)random_below(&way->seed, (uint64_t)way->link.jitter + 1));
    for (int i = 0; way->lost && i < RESENDS && random_below(&way->seed, IN_ALL) < way->lost; i++, again *= 2)
        due = time_after(due, again);
    if (due < way->last_due)
        due = way->last_due;
    if (way->link.rate)
        due = time_after(due, (thrum_time)((uint64_t)size * (uint64_t)THRUM_SECONDS(1) / way->link.rate));
    if (due >= way->blocked && way->unanswered == THRUM_NEVER)
        way->unanswered = thrum_now();
    return way->last_due = due;
}

intptr_t way_put(test_way *way, const thrum_slice *pieces, size_t count)
{
    size_t size = 0, room = way->link.window - (way->held < way->link.window ? way->held : way->link.window), used = 0;
    for (size_t i = 0; i < count; i++)
        size += pieces[i].size;
    if (!room)
        return THRUM_CARRIER_LATER;
    size = size < room ? size : room;
    if (way->link.short_send) {
        size_t most = portion(way, way->link.short_send);
        size = size < most ? size : most;
    }
    test_piece *made = (test_piece *)malloc(sizeof *made + size);
    if (!made)
        return THRUM_ENOMEM;
    *made = (test_piece){.size = size};
    for (size_t i = 0; used < size; i++) {
        size_t part = pieces[i].size < size - used ? pieces[i].size : size - used;
        memcpy(made->bytes + used, pieces[i].data, part);
        used += part;
    }
    made->due = arrival(way, size);
    if (way->last)
        way->last->next = made;
    else
        way->first = made;
    way->last = made;
    way->held += size;
    way->sent += size;
    return (intptr_t)size;
}

void way_finish(test_way *way, int error)
{
    if (way->ended)
        return;
    way->ended = true;
    way->end_error = error;
    way->end_due = arrival(way, 0);
}

/* ---- not arriving ---- */

void way_forget(test_way *way)
{
    while (way->first)
        drop_first(way);
}

void way_forget_late(test_way *way)
{
    test_piece *last = NULL, **link = &way->first;
    while (*link && (*link)->due <= thrum_now() && (*link)->due < way->blocked) {
        last = *link;
        link = &last->next;
    }
    while (*link) {
        test_piece *late = *link;
        way->held -= late->size - late->taken;
        *link = late->next;
        free(late);
    }
    way->last = last;
    if (way->ended && (way->end_due > thrum_now() || way->end_due >= way->blocked))
        way->ended = false;
}

void way_block(test_way *way)
{
    if (way->blocked != THRUM_NEVER)
        return;
    way->blocked = time_after(thrum_now(), 1); /* what arrives now has arrived */
    if ((way->last && way->last->due >= way->blocked) || (way->ended && way->end_due >= way->blocked))
        way->unanswered = thrum_now();
}

void way_open(test_way *way)
{
    thrum_time blocked = way->blocked, again = time_after(thrum_now(), way->link.latency);
    if (blocked == THRUM_NEVER)
        return;
    way->blocked = way->unanswered = THRUM_NEVER;
    for (test_piece *piece = way->first; piece; piece = piece->next)
        if (piece->due >= blocked && piece->due < again)
            piece->due = again;
    if (way->ended && way->end_due >= blocked) {
        way->ended = !way->end_error;
        way->end_due = way->end_due < again ? again : way->end_due;
    }
    if (way->last_due < again)
        way->last_due = again;
}
