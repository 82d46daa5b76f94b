/* Two streams connected through memory. */
#include "pair.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what is broken ---- */

/* When an end stops to wait for the other one's answers. */
static thrum_time given_up_at(const test_end *end)
{
    return end->pair->kind ? time_after(end->out->unanswered, end->pair->give_up) : THRUM_NEVER;
}

/* The error that an end gives by now, or 0. */
static int broken(test_end *end)
{
    if (given_up_at(end) <= thrum_now())
        pair_break(end, thrum_now(), -ETIMEDOUT);
    return end->broken_at <= thrum_now() ? end->broken : 0;
}

void pair_break(test_end *end, thrum_time when, int error)
{
    if (end->broken_at <= when)
        return;
    end->broken_at = when;
    end->broken = error;
    if (when <= thrum_now()) {
        way_forget_late(end->in);
        way_forget_late(end->out);
    }
    pair_look(end);
}

/* ---- telling the stream ---- */

/* When something is possible that the stream waits for. */
static thrum_time wanted_at(const test_end *end)
{
    thrum_time when = THRUM_NEVER, dead = given_up_at(end) < end->broken_at ? given_up_at(end) : end->broken_at;
    if (!end->events)
        return when;
    if (end->events & THRUM_CARRIER_READ)
        when = way_readable_at(end->in);
    if (end->events & THRUM_CARRIER_WRITE)
        when = way_writable(end->out) ? 0 : end->out->cut_at < when ? end->out->cut_at : when;
    return when < dead ? when : dead;
}

void pair_look(test_end *end)
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
    bool dead = broken(end) != 0;
    end->in->paused = false;
    if (end->events & THRUM_CARRIER_READ && (dead || way_readable_at(end->in) <= thrum_now()))
        events |= THRUM_CARRIER_READ;
    if (end->events & THRUM_CARRIER_WRITE && (dead || way_writable(end->out)))
        events |= THRUM_CARRIER_WRITE;
    thrum_stream_carrier_ready(end->stream, events);
    pair_look(end); /* once more, as long as it is possible and wanted */
}

/* ---- receiving ---- */

static intptr_t pair_receive(void *link, void *to, size_t size)
{
    test_end *end = (test_end *)link;
    test_way *in = end->in;
    if (way_cut(in)) {
        in->deaf = true;
        pair_look(pair_other(end));
        return in->link.cut_error;
    }
    int error = broken(end);
    if (error && !way_has_bytes(in))
        return error;
    if (way_readable_at(in) > thrum_now() || (in->first && in->paused))
        return THRUM_CARRIER_LATER;
    if (!in->first)
        return in->end_error;
    size_t part = way_take(in, to, size);
    pair_look(end);
    pair_look(pair_other(end));
    return (intptr_t)part;
}

/* ---- sending ---- */

/* What arrives where nobody is any more is answered by a reset. Who has seen the end before gets a broken pipe. */
static void bounce(test_end *end, thrum_time arrives)
{
    test_way *out = end->out;
    bool blocked = out->blocked != THRUM_NEVER || end->in->blocked != THRUM_NEVER;
    if (!blocked)
        pair_break(end, time_after(arrives, end->in->link.latency), end->in->ended ? -EPIPE : -ECONNRESET);
    out->unanswered = !blocked ? THRUM_NEVER : out->unanswered == THRUM_NEVER ? thrum_now() : out->unanswered;
}

static intptr_t send_into_nothing(test_end *end, const thrum_slice *pieces, size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += pieces[i].size;
    bounce(end, time_after(thrum_now(), end->out->link.latency));
    pair_look(end);
    return (intptr_t)size;
}

static intptr_t pair_send(void *link, const thrum_slice *pieces, size_t count)
{
    test_end *end = (test_end *)link;
    test_way *out = end->out;
    if (way_cut(out))
        return out->link.cut_error ? out->link.cut_error : -EPIPE;
    int error = broken(end);
    if (error)
        return error;
    if (out->deaf)
        return end->pair->kind ? send_into_nothing(end, pieces, count) : -EPIPE;
    intptr_t size = way_put(out, pieces, count);
    if (size < 0)
        return size;
    if (end->pair->kind)
        end->pair->kind->sent(end, (size_t)size);
    pair_look(end);
    pair_look(pair_other(end));
    return size;
}

static void pair_end(void *link)
{
    test_end *end = (test_end *)link;
    if (broken(end))
        return;
    way_finish(end->out, 0);
    if (end->pair->kind)
        end->pair->kind->sent(end, 0);
    pair_look(pair_other(end));
}

/* ---- the way is blocked ---- */

static bool waits_in_vain(const test_end *end)
{
    return end->out->deaf && end->out->unanswered != THRUM_NEVER;
}

void pair_block(test_end *end)
{
    way_block(end->out);
    pair_look(end);
    pair_look(pair_other(end));
}

void pair_unblock(test_end *end)
{
    test_end *other = pair_other(end);
    bool mine = waits_in_vain(end), others = waits_in_vain(other);
    way_open(end->out);
    if (mine)
        bounce(end, end->out->last_due);
    if (others)
        bounce(other, other->out->last_due);
    pair_look(end);
    pair_look(other);
}

/* ---- the end ---- */

/* What the other end will hear of it. As with sockets, bytes that nobody reads any more reset the connection. */
static void say_goodbye(test_end *end, bool reset)
{
    test_way *in = end->in, *out = end->out;
    if (broken(end))
        return; /* there is nobody to say it to */
    if (!end->pair->kind)
        reset |= in->held != 0;
    else if (!reset && in->held && !(reset = way_has_bytes(in)))
        bounce(pair_other(end), in->last_due); /* they are on their way still */
    if (!end->pair->kind || !reset || out->blocked == THRUM_NEVER) {
        out->ended &= !reset;
        way_finish(out, reset ? -ECONNRESET : 0);
    }
}

static void close_end(test_end *end, bool late)
{
    test_pair *pair = end->pair;
    pair->late |= late;
    end->events = 0;
    end->stream = NULL;
    (void)thrum_handle_cancel(&end->poll);
    (void)thrum_handle_cancel(&end->alarm);
    say_goodbye(end, end->resets);
    end->in->deaf = true;
    way_forget(end->in);
    if (--pair->open) {
        pair_look(pair_other(end));
        return;
    }
    way_forget(end->out);
    if (pair->kind)
        pair->kind->gone(pair);
    else
        free(pair);
}

static void pair_close(void *link, bool late)
{
    close_end((test_end *)link, late);
}

static void pair_reset_next(void *link)
{
    ((test_end *)link)->resets = true;
}

void pair_reset(test_end *end, bool late)
{
    pair_reset_next(end);
    close_end(end, late);
}

/* ---- its stream ---- */

static void pair_watch(void *link, unsigned events)
{
    test_end *end = (test_end *)link;
    end->events = events;
    pair_look(end);
}

static void pair_address(const void *link, bool peer, char *text, size_t room)
{
    const test_end *end = (const test_end *)link;
    if (end->pair->kind)
        end->pair->kind->address(end, peer, text, room);
    else
        (void)snprintf(text, room, "memory");
}

const thrum_carrier pair_carrier = {.size = sizeof pair_carrier,
                                    .name = "memory",
                                    .receive = pair_receive,
                                    .send = pair_send,
                                    .end = pair_end,
                                    .close = pair_close,
                                    .watch = pair_watch,
                                    .address = pair_address,
                                    .reset = pair_reset_next};

/* ---- making one ---- */

void pair_begin(test_pair *pair, const thrum_test_link *there, const thrum_test_link *back, uint64_t seed)
{
    way_begin(&pair->ways[0], there, seed);
    way_begin(&pair->ways[1], back, ~seed);
    pair->open = 2;
    for (int i = 0; i < 2; i++) {
        test_end *end = &pair->ends[i];
        end->pair = pair;
        end->out = &pair->ways[i];
        end->in = &pair->ways[!i];
        end->broken_at = THRUM_NEVER;
        thrum_handle_init(&end->poll, poll_call, end);
        thrum_handle_init(&end->alarm, poll_call, end);
    }
}

int thrum_test_stream_pair(thrum_stream **a, thrum_stream **b, const thrum_test_script *script)
{
    thrum_test_script all = {.size = sizeof all};
    if (!a || !b || (script && (script->size == 0 || script->size > sizeof all)))
        return THRUM_EINVAL;
    *a = *b = NULL;
    if (!thrum_loop_current())
        return THRUM_ESTATE;
    if (script)
        memcpy(&all, script, script->size);
    test_pair *made = (test_pair *)calloc(1, sizeof *made);
    if (!made)
        return THRUM_ENOMEM;
    pair_begin(made, &all.there, &all.back, all.seed);
    int error = thrum_stream_carry(&made->ends[0].stream, &pair_carrier, &made->ends[0], all.streams);
    if (error) {
        free(made);
        return error;
    }
    *a = made->ends[0].stream;
    error = thrum_stream_carry(&made->ends[1].stream, &pair_carrier, &made->ends[1], all.streams);
    if (error) {
        made->ends[1].stream = NULL;
        pair_close(&made->ends[1], false);
        thrum_stream_release(*a);
        *a = NULL;
        return error;
    }
    *b = made->ends[1].stream;
    return 0;
}
