/* Receiving datagrams: into the memory of who asks, into the endpoint's queue, or for its protocol. */
#include "net/datagram.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/state.h"

/* ---- the system call ---- */

/* A datagram of Linux's network is never larger than 64 KiB, one of a Unix socket may be. Places lie a little apart, so
 * that their beginnings do not all fall into the same lines of the cache. */
enum { PLACE = 65536 + 320, PLACES = 16, PLACE_UNIX = 4 * PLACE, PLACES_UNIX = PLACES / 4 };

static void read_header(const struct msghdr *header, unsigned size, thrum_datagram *datagram)
{
    datagram->size = size < datagram->room ? size : datagram->room;
    datagram->flags = header->msg_flags & MSG_TRUNC ? THRUM_DATAGRAM_TRUNCATED : 0;
    datagram->address.size = header->msg_namelen <= ADDRESS_ROOM ? (uint32_t)header->msg_namelen : 0;
    datagram->address.reserved = 0;
}

static void make_header(struct msghdr *header, struct iovec *piece, thrum_datagram *datagram)
{
    piece->iov_base = datagram->data;
    piece->iov_len = datagram->room;
    memset(header, 0, sizeof *header);
    header->msg_name = datagram->address.words;
    header->msg_namelen = ADDRESS_ROOM;
    header->msg_iov = piece;
    header->msg_iovlen = 1;
}

static int later_or_error(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK ? DATAGRAM_LATER : -errno;
}

static int receive_one(const thrum_datagrams *endpoint, thrum_datagram *datagram)
{
    struct msghdr header;
    struct iovec piece;
    ssize_t got;
    do {
        make_header(&header, &piece, datagram);
        got = recvmsg(endpoint->descriptor, &header, 0);
    } while (got < 0 && errno == EINTR);
    if (got < 0)
        return later_or_error();
    read_header(&header, (unsigned)got, datagram);
    return 1;
}

/* At most DATAGRAM_BATCH. */
static int receive_row(const thrum_datagrams *endpoint, thrum_datagram *list, unsigned count)
{
    system_message messages[DATAGRAM_BATCH];
    struct iovec pieces[DATAGRAM_BATCH];
    for (unsigned i = 0; i < count; i++)
        make_header(&messages[i].header, &pieces[i], &list[i]);
    int got = system_receive_messages(endpoint->descriptor, messages, count);
    if (got < 0)
        return later_or_error();
    for (int i = 0; i < got; i++)
        read_header(&messages[i].header, messages[i].size, &list[i]);
    return got;
}

/* As many as have come over a network. */
static int receive_there(const thrum_datagrams *endpoint, thrum_datagram *list, size_t count)
{
    int got = 0, most = count < DATAGRAM_BATCH ? (int)count : DATAGRAM_BATCH, error = 0;
    while (got < most && !(error = endpoint->port.network->receive(endpoint->port.link, &list[got])))
        got++;
    return got ? got : error == THRUM_CARRIER_LATER ? DATAGRAM_LATER : error;
}

static int receive_some(const thrum_datagrams *endpoint, thrum_datagram *list, size_t count)
{
    if (THRUM_UNLIKELY_(endpoint->port.network != NULL))
        return receive_there(endpoint, list, count);
    if (count == 1)
        return receive_one(endpoint, list);
    return receive_row(endpoint, list, count < DATAGRAM_BATCH ? (unsigned)count : DATAGRAM_BATCH);
}

/* ---- what the network says of what was sent ---- */

static int next_failure(const thrum_datagrams *endpoint, thrum_address *about)
{
    socklen_t size = ADDRESS_ROOM;
    memset(about, 0, sizeof *about);
    if (!(endpoint->flags & DATAGRAM_ERRORS))
        return 0;
    int error = system_next_failure(endpoint->descriptor, address_raw(about), &size);
    about->size = error && size <= ADDRESS_ROOM ? (uint32_t)size : 0;
    return error;
}

bool datagram_note_failures(thrum_datagrams *endpoint)
{
    thrum_address about;
    int error;
    bool any = false;
    while ((error = next_failure(endpoint, &about)) != 0) {
        any = true;
        if (endpoint->protocol) {
            datagram_failed(endpoint, -error, &about);
        } else if (endpoint->failed < DATAGRAM_FAILURES) {
            endpoint->failures[endpoint->failed].error = -error;
            endpoint->failures[endpoint->failed++].about = about;
        }
        if (endpoint->flags & DATAGRAM_CLOSING)
            break;
    }
    if (any && endpoint->receiver)
        thrum_wake(&endpoint->receiver->waiter, 0, 0);
    return any;
}

/* An error, or nothing to receive: the queue of errors says more of it, or has one. */
static int look_at_failures(const thrum_datagrams *endpoint, int result, thrum_address *about)
{
    int error = next_failure(endpoint, about);
    if (!error && result != DATAGRAM_LATER && endpoint->flags & DATAGRAM_CONNECTED)
        *about = endpoint->remote;
    return error ? -error : result;
}

/* ---- for who asks ---- */

static int take_queued(datagram_queue *queue, thrum_datagram *list, size_t count)
{
    size_t taken = 0;
    for (; taken < count && queue->count; taken++) {
        const thrum_datagram *from = &queue->list[queue->first];
        thrum_datagram *to = &list[taken];
        to->size = from->size < to->room ? from->size : to->room;
        to->flags = from->size > to->room ? THRUM_DATAGRAM_TRUNCATED : from->flags;
        to->address = from->address;
        if (to->size)
            memcpy(to->data, from->data, to->size);
        queue->first = (queue->first + 1) % queue->room;
        queue->count--;
    }
    return (int)taken;
}

/* How many; DATAGRAM_LATER; or an error, about list[0].address. */
static int receive(thrum_datagrams *endpoint)
{
    thrum_datagram *list = endpoint->list;
    size_t wanted = endpoint->wanted, total = 0;
    int got;
    if (THRUM_UNLIKELY_(endpoint->queue.count != 0))
        return take_queued(&endpoint->queue, list, wanted < INT_MAX ? wanted : INT_MAX);
    if (THRUM_UNLIKELY_(endpoint->failed != 0)) {
        datagram_failure first = endpoint->failures[0];
        memmove(endpoint->failures, endpoint->failures + 1, --endpoint->failed * sizeof first);
        list[0].address = first.about;
        return first.error;
    }
    do {
        got = receive_some(endpoint, list + total, wanted - total);
        total += got > 0 ? (size_t)got : 0;
    } while (got == DATAGRAM_BATCH && total < wanted && total < INT_MAX / 2);
    endpoint->flags = (endpoint->flags & ~(uint32_t)DATAGRAM_TRY_FIRST) | (total == wanted ? DATAGRAM_TRY_FIRST : 0);
    if (THRUM_LIKELY_(total != 0)) {
        if (THRUM_UNLIKELY_(got < 0 && got != DATAGRAM_LATER)) { /* the next receive tells of it */
            endpoint->failures[0].error = look_at_failures(endpoint, got, &endpoint->failures[0].about);
            endpoint->failed = 1;
        }
        return (int)total;
    }
    return look_at_failures(endpoint, got, &list[0].address);
}

static thrum_step park(thrum_datagrams *endpoint, thrum_task *task)
{
    endpoint->receiver = task;
    if (!endpoint->in.started)
        thrum_io_start(&endpoint->in);
    return thrum_parked(task);
}

static thrum_step attempt(thrum_datagrams *endpoint, thrum_task *task, bool many)
{
    endpoint->receiver = NULL;
    if (THRUM_UNLIKELY_(endpoint->flags & DATAGRAM_CLOSING))
        return thrum_done(task, THRUM_ECLOSED, 0);
    int got = receive(endpoint);
    if (THRUM_LIKELY_(got > 0))
        return thrum_done(task, 0, many ? (thrum_value)got : (thrum_value)endpoint->list->size);
    if (got == DATAGRAM_LATER)
        return park(endpoint, task);
    char text[THRUM_ADDRESS_TEXT];
    thrum_address_text(&endpoint->list->address, text, sizeof text);
    return thrum_done(task, thrum_error_set(got, -got, "datagram receive", 0, text), 0);
}

static thrum_step begin(thrum_task *task, const thrum_record *record, bool many)
{
    thrum_datagrams *endpoint = (thrum_datagrams *)record->object;
    if (endpoint->flags & DATAGRAM_CLOSING)
        return thrum_done(task, THRUM_ECLOSED, 0);
    if (endpoint->receiver || endpoint->protocol)
        return thrum_done(task, THRUM_EBUSY, 0);
    if (!record->b)
        return thrum_done(task, THRUM_EINVAL, 0);
    endpoint->list = (thrum_datagram *)(intptr_t)record->a;
    endpoint->wanted = (size_t)record->b;
    if (many && !(endpoint->flags & DATAGRAM_TRY_FIRST) && !endpoint->queue.count && !endpoint->failed)
        return park(endpoint, task);
    return attempt(endpoint, task, many);
}

static thrum_step go_on(thrum_task *task, bool many)
{
    thrum_datagrams *endpoint = (thrum_datagrams *)task->object;
    return endpoint ? attempt(endpoint, task, many) : thrum_done(task, THRUM_ECLOSED, 0);
}

static thrum_step one_start(thrum_task *task, thrum_record *record)
{
    return begin(task, record, false);
}

static thrum_step one_resume(thrum_task *task)
{
    return go_on(task, false);
}

static thrum_step many_start(thrum_task *task, thrum_record *record)
{
    return begin(task, record, true);
}

static thrum_step many_resume(thrum_task *task)
{
    return go_on(task, true);
}

static thrum_cancel_result receive_cancel(thrum_task *task)
{
    thrum_datagrams *endpoint = (thrum_datagrams *)task->object;
    if (endpoint)
        endpoint->receiver = NULL;
    return THRUM_DETACHED;
}

static const thrum_operations one_operations = {one_start, one_resume, receive_cancel, NULL, "datagram receive", NULL};
static const thrum_operations many_operations = {many_start, many_resume, receive_cancel, NULL, "datagram receive_many",
                                                 NULL};

thrum_awaitable thrum_datagrams_receive(thrum_datagrams *endpoint, thrum_datagram *datagram)
{
    return thrum_awaitable_make(&one_operations, endpoint, (thrum_value)(intptr_t)datagram, 1);
}

thrum_awaitable thrum_datagrams_receive_many(thrum_datagrams *endpoint, thrum_datagram *list, size_t count)
{
    return thrum_awaitable_make(&many_operations, endpoint, (thrum_value)(intptr_t)list, (thrum_value)count);
}

/* ---- with nobody who asks ---- */

void datagram_readable(thrum_io *io)
{
    thrum_datagrams *endpoint = thrum_io_of(io, thrum_datagrams, in);
    if (endpoint->receiver) {
        thrum_wake(&endpoint->receiver->waiter, 0, 0);
    } else if (endpoint->protocol || endpoint->queue.list) {
        endpoint->flags |= DATAGRAM_READABLE;
        (void)thrum_call_soon(&endpoint->turn);
    } else {
        thrum_io_stop(io);
    }
}

/* Errors are noted for who receives next; when nobody takes them the endpoint is not watched meanwhile. */
static void note(thrum_datagrams *endpoint, int error)
{
    datagram_failure *place = &endpoint->failures[endpoint->failed];
    if (error == DATAGRAM_LATER) {
        (void)datagram_note_failures(endpoint);
        return;
    }
    if (endpoint->failed < DATAGRAM_FAILURES) {
        place->error = look_at_failures(endpoint, error, &place->about);
        endpoint->failed++;
    }
}

/* As many as lie side by side; a full queue makes room by dropping what comes. */
static void fill_queue(thrum_datagrams *endpoint)
{
    datagram_queue *queue = &endpoint->queue;
    size_t at = (queue->first + queue->count) % queue->room, room = queue->room - queue->count;
    thrum_datagram lost[PLACES];
    bool full = !room;
    memset(lost, 0, sizeof lost);
    if (room > queue->room - at)
        room = queue->room - at;
    int got = receive_some(endpoint, full ? lost : queue->list + at, full ? (size_t)PLACES : room);
    if (got < 0)
        note(endpoint, got);
    else if (full)
        endpoint->dropped += (uint64_t)got;
    else
        queue->count += (size_t)got;
}

/* ---- protocols ---- */

static _Thread_local struct {
    char *memory;
    unsigned users;
} scratch;

bool datagram_scratch_hold(void)
{
    if (!scratch.users)
        scratch.memory = (char *)malloc((size_t)PLACE * PLACES);
    if (!scratch.memory)
        return false;
    scratch.users++;
    return true;
}

void datagram_scratch_release(void)
{
    if (--scratch.users)
        return;
    free(scratch.memory);
    scratch.memory = NULL;
}

static void tell(thrum_datagrams *endpoint)
{
    bool large = endpoint->flags & DATAGRAM_UNIX;
    unsigned count = large ? PLACES_UNIX : PLACES;
    thrum_datagram list[PLACES];
    thrum_address about;
    for (unsigned i = 0; i < count; i++) {
        list[i].room = large ? PLACE_UNIX : PLACE;
        list[i].data = scratch.memory + i * list[i].room;
    }
    int got = receive_some(endpoint, list, count);
    if (got == DATAGRAM_LATER) {
        (void)datagram_note_failures(endpoint);
    } else if (got < 0) {
        got = look_at_failures(endpoint, got, &about);
        datagram_failed(endpoint, got, &about);
    }
    for (int i = 0; i < got && !(endpoint->flags & DATAGRAM_CLOSING); i++)
        if (endpoint->protocol->datagram_received)
            endpoint->protocol->datagram_received(endpoint->context, &list[i]);
}

void datagram_read(thrum_datagrams *endpoint)
{
    endpoint->flags &= ~(uint32_t)DATAGRAM_READABLE;
    if (endpoint->flags & DATAGRAM_CLOSING || endpoint->receiver)
        return;
    if (endpoint->protocol)
        tell(endpoint);
    else if (endpoint->queue.list)
        fill_queue(endpoint);
}
