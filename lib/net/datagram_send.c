/* Sending datagrams: at once, when there is room, or later from a copy. */
#include "net/datagram.h"

#include <errno.h>
#include <string.h>

#include "core/state.h"

/* What each copy counts beside its bytes, as in asyncio. */
enum { HEAD = 8 };

/* After so many failures of other datagrams the one to be sent is taken for what failed. */
enum { RETRIES = 16 };

/* ---- the system call ---- */

/* Where it goes: false for another address than the remote one. */
static bool make_header(const thrum_datagrams *endpoint, struct msghdr *header, struct iovec *piece, const void *data,
                        size_t size, const thrum_address *to)
{
    memset(header, 0, sizeof *header);
    if (endpoint->remote.size) {
        if (to && to->size && !thrum_address_equal(to, &endpoint->remote))
            return false;
        to = endpoint->flags & DATAGRAM_CONNECTED ? NULL : &endpoint->remote;
    }
    if (to && to->size) {
        header->msg_name = address_raw(to);
        header->msg_namelen = (socklen_t)to->size;
    }
    piece->iov_base = (void *)(uintptr_t)data;
    piece->iov_len = size;
    header->msg_iov = piece;
    header->msg_iovlen = 1;
    return true;
}

/* How many left, at least 1; DATAGRAM_LATER; or the error of the first. What the network says of datagrams before is
 * told apart where it can be. */
static int send_messages(thrum_datagrams *endpoint, system_message *messages, unsigned count)
{
    for (int i = 0;; i++) {
        int sent;
        if (count > 1) {
            sent = system_send_messages(endpoint->descriptor, messages, count);
        } else {
            do
                sent = sendmsg(endpoint->descriptor, &messages->header, MSG_NOSIGNAL) < 0 ? -1 : 1;
            while (sent < 0 && errno == EINTR);
        }
        if (THRUM_LIKELY_(sent > 0))
            return sent;
        if (errno == EAGAIN || errno == EWOULDBLOCK)
            return DATAGRAM_LATER;
        int error = -errno;
        if (i >= RETRIES || !datagram_note_failures(endpoint))
            return error;
        if (endpoint->flags & (DATAGRAM_LOSING | DATAGRAM_CLOSED)) /* by who was told of them */
            return THRUM_ECLOSED;
    }
}

/* On a network they go one by one: as send_messages(). */
static int send_there(const thrum_datagrams *endpoint, const void *data, size_t size, const thrum_address *to)
{
    thrum_datagram datagram = {.data = (void *)(uintptr_t)data, .room = size, .size = size};
    if (endpoint->remote.size) {
        if (to && to->size && !thrum_address_equal(to, &endpoint->remote))
            return THRUM_EINVAL;
        to = &endpoint->remote;
    }
    if (!to || !to->size)
        return -EDESTADDRREQ;
    datagram.address = *to;
    int error = endpoint->port.network->send(endpoint->port.link, &datagram);
    return error == THRUM_CARRIER_LATER ? DATAGRAM_LATER : error ? error : 1;
}

/* As many as go at once. */
static int send_row(thrum_datagrams *endpoint, const thrum_datagram *list, size_t count)
{
    if (endpoint->port.network)
        return send_there(endpoint, list->data, list->size, &list->address);
    system_message messages[DATAGRAM_BATCH];
    struct iovec pieces[DATAGRAM_BATCH];
    unsigned made = 0, most = count < DATAGRAM_BATCH ? (unsigned)count : DATAGRAM_BATCH;
    while (made < most && make_header(endpoint, &messages[made].header, &pieces[made], list[made].data, list[made].size,
                                      &list[made].address))
        made++;
    return made ? send_messages(endpoint, messages, made) : THRUM_EINVAL;
}

static int send_one(thrum_datagrams *endpoint, const void *data, size_t size, const thrum_address *to)
{
    system_message message;
    struct iovec piece;
    if (endpoint->port.network)
        return send_there(endpoint, data, size, to);
    return make_header(endpoint, &message.header, &piece, data, size, to) ? send_messages(endpoint, &message, 1)
                                                                          : THRUM_EINVAL;
}

/* ---- tasks ---- */

static bool others_first(const thrum_datagrams *endpoint)
{
    return endpoint->copies || !link_alone(&endpoint->senders);
}

static thrum_step fail(thrum_task *task, int error, size_t done)
{
    return thrum_done(
        task, thrum_error_set(error, error > THRUM_ECANCELED ? -error : 0, "datagram send", (int64_t)done, NULL), 0);
}

static void wake_next(thrum_datagrams *endpoint)
{
    if (!link_alone(&endpoint->senders))
        thrum_wake(&((datagram_sender *)(void *)endpoint->senders.next)->task->waiter, 0, 0);
    else if (!endpoint->copies)
        thrum_io_stop(&endpoint->out);
}

static void sender_free(datagram_sender *sender)
{
    link_remove(&sender->link);
    pool_give(&thrum_state_here()->pool, sender, sizeof *sender, POOL_OTHER);
}

static thrum_step park(thrum_datagrams *endpoint, thrum_task *task, const datagram_sender *sender)
{
    datagram_sender *parked = (datagram_sender *)pool_take(&thrum_state_here()->pool, sizeof *parked, POOL_OTHER);
    if (!parked)
        return fail(task, THRUM_ENOMEM, sender->done);
    *parked = *sender;
    if (!parked->list)
        parked->list = &parked->one;
    parked->task = task;
    parked->endpoint = endpoint;
    link_before(&endpoint->senders, &parked->link);
    thrum_io_start(&endpoint->out);
    task->object = parked;
    return thrum_parked(task);
}

/* 0; DATAGRAM_LATER; or an error. */
static int send_list(thrum_datagrams *endpoint, datagram_sender *sender)
{
    while (sender->done < sender->count) {
        int sent = sender->count == 1
                       ? send_one(endpoint, sender->list->data, sender->list->size, &sender->list->address)
                       : send_row(endpoint, sender->list + sender->done, sender->count - sender->done);
        if (sent < 0)
            return sent;
        sender->done += (size_t)sent;
    }
    return 0;
}

static thrum_step many_start(thrum_task *task, thrum_record *record)
{
    thrum_datagrams *endpoint = (thrum_datagrams *)record->object;
    datagram_sender sender = {.list = (const thrum_datagram *)(intptr_t)record->a, .count = (size_t)record->b};
    if (endpoint->flags & DATAGRAM_CLOSING)
        return thrum_done(task, THRUM_ECLOSED, 0);
    int result = others_first(endpoint) ? DATAGRAM_LATER : send_list(endpoint, &sender);
    if (THRUM_LIKELY_(!result))
        return thrum_done(task, 0, (thrum_value)sender.count);
    return result == DATAGRAM_LATER ? park(endpoint, task, &sender) : fail(task, result, sender.done);
}

static thrum_step sender_resume(thrum_task *task)
{
    datagram_sender *sender = (datagram_sender *)task->object;
    if (!sender)
        return fail(task, (int)task->waiter.node.error, (size_t)task->waiter.as.value);
    thrum_datagrams *endpoint = sender->endpoint;
    int result = send_list(endpoint, sender);
    if (result == DATAGRAM_LATER)
        return thrum_parked(task);
    size_t done = sender->done;
    thrum_value value = sender->list == &sender->one ? (thrum_value)sender->one.size : (thrum_value)sender->count;
    sender_free(sender);
    wake_next(endpoint);
    return result ? fail(task, result, done) : thrum_done(task, 0, value);
}

/* Its place goes to the next one. */
static thrum_cancel_result sender_cancel(thrum_task *task)
{
    datagram_sender *sender = (datagram_sender *)task->object;
    size_t done = (size_t)task->waiter.as.value;
    if (sender) {
        thrum_datagrams *endpoint = sender->endpoint;
        done = sender->done;
        sender_free(sender);
        if (thrum_task_woken(task))
            wake_next(endpoint);
    }
    stream_wake_without(task, THRUM_ECANCELED, done);
    return THRUM_FORWARDED; /* to sender_resume(), which says how many */
}

static const thrum_operations many_operations = {many_start, sender_resume,        sender_cancel,
                                                 NULL,       "datagram send_many", NULL};

thrum_awaitable thrum_datagrams_send_many(thrum_datagrams *endpoint, const thrum_datagram *list, size_t count)
{
    return thrum_awaitable_make(&many_operations, endpoint, (thrum_value)(intptr_t)list, (thrum_value)count);
}

/* What is sent is one word too many for a record: it stands in the block that a sender that waits has. */
static thrum_step one_start(thrum_task *task, thrum_record *record)
{
    datagram_sender *sender = (datagram_sender *)record->object;
    thrum_datagrams *endpoint = sender->endpoint;
    int result = endpoint->flags & DATAGRAM_CLOSING ? THRUM_ECLOSED
                 : others_first(endpoint)           ? DATAGRAM_LATER
                                                    : send_list(endpoint, sender);
    if (result == DATAGRAM_LATER) {
        sender->task = task;
        link_before(&endpoint->senders, &sender->link);
        thrum_io_start(&endpoint->out);
        return thrum_parked(task);
    }
    thrum_value size = (thrum_value)sender->one.size;
    sender_free(sender);
    return result ? fail(task, result, 0) : thrum_done(task, 0, size);
}

static void one_drop(thrum_record *record)
{
    sender_free((datagram_sender *)record->object);
}

static const thrum_operations one_operations = {one_start, sender_resume,   sender_cancel,
                                                one_drop,  "datagram send", NULL};

thrum_awaitable thrum_datagrams_send(thrum_datagrams *endpoint, const void *data, size_t size, const thrum_address *to)
{
    datagram_sender *sender = (datagram_sender *)pool_take(&thrum_state_here()->pool, sizeof *sender, POOL_OTHER);
    if (!sender)
        return thrum_awaitable_failing(THRUM_ENOMEM);
    memset(sender, 0, offsetof(datagram_sender, one) + offsetof(thrum_datagram, address));
    link_init(&sender->link);
    sender->endpoint = endpoint;
    sender->one.data = (void *)(uintptr_t)data;
    sender->one.size = size;
    sender->one.address.size = 0;
    if (to)
        sender->one.address = *to;
    sender->list = &sender->one;
    sender->count = 1;
    return thrum_awaitable_make(&one_operations, sender, 0, 0);
}

void datagram_senders_over(thrum_datagrams *endpoint, int error)
{
    while (!link_alone(&endpoint->senders)) {
        datagram_sender *sender = (datagram_sender *)(void *)endpoint->senders.next;
        thrum_task *task = sender->task;
        size_t done = sender->done;
        sender_free(sender);
        stream_wake_without(task, error, done);
    }
}

/* ---- copies ---- */

static void check_pause(thrum_datagrams *endpoint)
{
    if (!endpoint->protocol || endpoint->flags & DATAGRAM_PAUSED || endpoint->buffered <= endpoint->high)
        return;
    endpoint->flags |= DATAGRAM_PAUSED;
    if (endpoint->protocol->pause_writing)
        endpoint->protocol->pause_writing(endpoint->context);
}

static void check_resume(thrum_datagrams *endpoint)
{
    if (!endpoint->protocol || !(endpoint->flags & DATAGRAM_PAUSED) || endpoint->buffered > endpoint->low)
        return;
    endpoint->flags &= ~(uint32_t)DATAGRAM_PAUSED;
    if (endpoint->protocol->resume_writing)
        endpoint->protocol->resume_writing(endpoint->context);
}

static int keep_copy(thrum_datagrams *endpoint, const void *data, size_t size, const thrum_address *to)
{
    if (size > SIZE_MAX / 2)
        return -EMSGSIZE;
    datagram_copy *copy = (datagram_copy *)pool_take(&thrum_state_here()->pool, sizeof *copy + size, POOL_OTHER);
    if (!copy)
        return THRUM_ENOMEM;
    copy->next = NULL;
    copy->size = size;
    memset(&copy->to, 0, sizeof copy->to);
    if (to)
        copy->to = *to;
    if (size)
        memcpy(copy->data, data, size);
    *endpoint->last = copy;
    endpoint->last = &copy->next;
    endpoint->buffered += size + HEAD;
    thrum_io_start(&endpoint->out);
    check_pause(endpoint);
    return 0;
}

static void drop_first(thrum_datagrams *endpoint)
{
    datagram_copy *copy = endpoint->copies;
    endpoint->copies = copy->next;
    if (!endpoint->copies)
        endpoint->last = &endpoint->copies;
    endpoint->buffered -= copy->size + HEAD;
    pool_give(&thrum_state_here()->pool, copy, sizeof *copy + copy->size, POOL_OTHER);
}

void datagram_drop_copies(thrum_datagrams *endpoint)
{
    while (endpoint->copies)
        drop_first(endpoint);
}

int thrum_datagrams_sendto(thrum_datagrams *endpoint, const void *data, size_t size, const thrum_address *to)
{
    if (endpoint->flags & DATAGRAM_CLOSING)
        return 0;
    if (to && to->size && endpoint->remote.size && !thrum_address_equal(to, &endpoint->remote))
        return THRUM_EINVAL;
    int sent = others_first(endpoint) ? DATAGRAM_LATER : send_one(endpoint, data, size, to);
    if (sent == DATAGRAM_LATER)
        return keep_copy(endpoint, data, size, to);
    if (sent > 0 || endpoint->flags & DATAGRAM_CLOSING)
        return 0;
    if (!endpoint->protocol)
        return sent;
    datagram_failed(endpoint, sent, to);
    return 0;
}

/* A row of copies; those that fail are told of, and lost. */
static int send_copies(thrum_datagrams *endpoint)
{
    system_message messages[DATAGRAM_BATCH];
    struct iovec pieces[DATAGRAM_BATCH];
    unsigned made = 0;
    if (endpoint->port.network)
        return send_there(endpoint, endpoint->copies->data, endpoint->copies->size, &endpoint->copies->to);
    for (const datagram_copy *copy = endpoint->copies; copy && made < DATAGRAM_BATCH; copy = copy->next, made++)
        (void)make_header(endpoint, &messages[made].header, &pieces[made], copy->data, copy->size, &copy->to);
    return send_messages(endpoint, messages, made);
}

void datagram_flush(thrum_datagrams *endpoint)
{
    endpoint->flags &= ~(uint32_t)DATAGRAM_WRITABLE;
    while (endpoint->copies) {
        int sent = send_copies(endpoint);
        if (sent == DATAGRAM_LATER || !endpoint->copies)
            break;
        if (sent < 0) {
            thrum_address about = endpoint->copies->to;
            drop_first(endpoint);
            if (endpoint->protocol)
                datagram_failed(endpoint, sent, &about);
        }
        for (; sent > 0 && endpoint->copies; sent--)
            drop_first(endpoint);
    }
    check_resume(endpoint);
    if (endpoint->copies)
        return;
    if (endpoint->flags & DATAGRAM_CLOSING)
        datagram_finish(endpoint);
    else
        wake_next(endpoint);
}

void datagram_writable(thrum_io *io)
{
    thrum_datagrams *endpoint = thrum_io_of(io, thrum_datagrams, out);
    if (endpoint->copies) {
        endpoint->flags |= DATAGRAM_WRITABLE;
        (void)thrum_call_soon(&endpoint->turn);
    } else if (!link_alone(&endpoint->senders)) {
        thrum_wake(&((datagram_sender *)(void *)endpoint->senders.next)->task->waiter, 0, 0);
    } else {
        thrum_io_stop(io);
    }
}

size_t thrum_datagrams_write_buffer_size(const thrum_datagrams *endpoint)
{
    return endpoint->buffered;
}

int thrum_datagrams_set_write_buffer_limits(thrum_datagrams *endpoint, size_t high, size_t low)
{
    if (low > high)
        return THRUM_EINVAL;
    endpoint->high = high;
    endpoint->low = low;
    check_pause(endpoint);
    return 0;
}
