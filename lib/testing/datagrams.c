/* Datagrams through memory, with the weather that a network has. */
#include <stdlib.h>
#include <string.h>

#include <thrum/awaitables.h>
#include <thrum/handles.h>
#include <thrum/testing.h>
#include <thrum/timeouts.h>

#include "random.h"

enum { MOST = 1000, DELAY_MILLISECONDS = 100, IN_ALL = 1000 };

/* One on its way, or waiting to be received. */
typedef struct datagram {
    struct datagram *next;
    thrum_time due;
    size_t size;
    char bytes[];
} datagram;

/* What both ends share; each end has what is on its way to it, soonest first. */
struct thrum_test_datagrams {
    thrum_test_datagrams *other; /* NULL: released */
    thrum_test_weather weather;
    uint64_t seed;
    datagram *first;
    size_t count;
    thrum_task *reader;
    char *to;
    size_t room;
    thrum_handle alarm;
};

/* ---- arriving ---- */

static void forget(thrum_test_datagrams *end)
{
    datagram *first = end->first;
    end->first = first->next;
    end->count--;
    free(first);
}

/* Whether the reader can go on now; if not, when will it? */
static bool arrived(const thrum_test_datagrams *end)
{
    return end->first ? end->first->due <= thrum_now() : !end->other;
}

static void look(thrum_test_datagrams *end)
{
    (void)thrum_handle_cancel(&end->alarm);
    if (!end->reader)
        return;
    if (arrived(end))
        thrum_wake(&end->reader->waiter, 0, 0);
    else if (end->first)
        (void)thrum_call_at(end->first->due, &end->alarm);
}

static void alarm_call(thrum_handle *handle)
{
    look((thrum_test_datagrams *)handle->context);
}

/* ---- receiving ---- */

static thrum_step receive_attempt(thrum_test_datagrams *end, thrum_task *task)
{
    if (!arrived(end)) {
        thrum_step step = thrum_parked(task);
        end->reader = task;
        look(end);
        return step;
    }
    end->reader = NULL;
    if (!end->first)
        return thrum_done(task, THRUM_ECLOSED, 0);
    size_t size = end->first->size, part = size < end->room ? size : end->room;
    if (part)
        memcpy(end->to, end->first->bytes, part);
    forget(end);
    return thrum_done(task, 0, (thrum_value)size);
}

static thrum_step receive_start(thrum_task *task, thrum_record *record)
{
    thrum_test_datagrams *end = (thrum_test_datagrams *)record->object;
    if (end->reader)
        return thrum_done(task, THRUM_EBUSY, 0);
    end->to = (char *)(intptr_t)record->a;
    end->room = (size_t)record->b;
    return receive_attempt(end, task);
}

static thrum_step receive_resume(thrum_task *task)
{
    return receive_attempt((thrum_test_datagrams *)task->object, task);
}

static thrum_cancel_result receive_cancel(thrum_task *task)
{
    thrum_test_datagrams *end = (thrum_test_datagrams *)task->object;
    end->reader = NULL;
    (void)thrum_handle_cancel(&end->alarm);
    return THRUM_DETACHED;
}

static const thrum_operations receive_operations = {receive_start, receive_resume,     receive_cancel,
                                                    NULL,          "datagram receive", NULL};

thrum_awaitable thrum_test_datagram_receive(thrum_test_datagrams *end, void *buffer, size_t size)
{
    return thrum_awaitable_make(&receive_operations, end, (thrum_value)(intptr_t)buffer, (thrum_value)size);
}

/* ---- sending ---- */

static bool chance(thrum_test_datagrams *end, unsigned thousandths)
{
    return thousandths && random_below(&end->seed, IN_ALL) < thousandths;
}

/* Put a copy on its way to `to`. False: no memory. */
static bool send_copy(thrum_test_datagrams *from, thrum_test_datagrams *to, const void *data, size_t size)
{
    const thrum_test_weather *weather = &from->weather;
    if (to->count >= weather->most || chance(from, weather->lost))
        return true;
    datagram *made = (datagram *)malloc(sizeof *made + size);
    if (!made)
        return false;
    made->due = thrum_now() + weather->latency + (chance(from, weather->late) ? weather->delay : 0);
    made->size = size;
    if (size)
        memcpy(made->bytes, data, size);
    datagram **at = &to->first;
    while (*at && (*at)->due <= made->due)
        at = &(*at)->next;
    made->next = *at;
    *at = made;
    to->count++;
    return true;
}

static thrum_step send_start(thrum_task *task, thrum_record *record)
{
    thrum_test_datagrams *end = (thrum_test_datagrams *)record->object, *to = end->other;
    const void *data = (const void *)(intptr_t)record->a;
    size_t size = (size_t)record->b;
    if (!to) /* as with UDP, where nobody is at home */
        return thrum_done(task, 0, (thrum_value)size);
    bool sent = send_copy(end, to, data, size);
    if (sent && chance(end, end->weather.doubled))
        sent = send_copy(end, to, data, size);
    look(to);
    return thrum_done(task, sent ? 0 : THRUM_ENOMEM, (thrum_value)size);
}

static const thrum_operations send_operations = {send_start, NULL, NULL, NULL, "datagram send", NULL};

thrum_awaitable thrum_test_datagram_send(thrum_test_datagrams *end, const void *data, size_t size)
{
    return thrum_awaitable_make(&send_operations, end, (thrum_value)(intptr_t)data, (thrum_value)size);
}

/* ---- making and giving back ---- */

int thrum_test_datagram_pair(thrum_test_datagrams **a, thrum_test_datagrams **b, const thrum_test_weather *weather)
{
    thrum_test_weather all = {.size = sizeof all};
    if (!a || !b || (weather && (weather->size == 0 || weather->size > sizeof all)))
        return THRUM_EINVAL;
    if (weather)
        memcpy(&all, weather, weather->size);
    if (!all.most)
        all.most = MOST;
    if (!all.delay)
        all.delay = THRUM_MILLISECONDS(DELAY_MILLISECONDS);
    *a = (thrum_test_datagrams *)calloc(1, sizeof **a);
    *b = (thrum_test_datagrams *)calloc(1, sizeof **b);
    if (!*a || !*b) {
        free(*a);
        free(*b);
        *a = *b = NULL;
        return THRUM_ENOMEM;
    }
    thrum_test_datagrams *ends[2] = {*a, *b};
    for (int i = 0; i < 2; i++) {
        ends[i]->other = ends[!i];
        ends[i]->weather = all;
        ends[i]->seed = i ? ~all.seed : all.seed;
        thrum_handle_init(&ends[i]->alarm, alarm_call, ends[i]);
    }
    return 0;
}

void thrum_test_datagram_release(thrum_test_datagrams *end)
{
    if (!end)
        return;
    (void)thrum_handle_cancel(&end->alarm);
    while (end->first)
        forget(end);
    if (end->other) {
        end->other->other = NULL;
        look(end->other);
    }
    free(end);
}
