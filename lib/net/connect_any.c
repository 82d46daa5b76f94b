/* Connecting to one of several addresses: one after the other, or each a while after the one before (RFC 8305). */
#include "net/connect.h"

#include <thrum/async.h>
#include <thrum/staggered.h>

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/details.h"
#include "loop/system.h"
#include "net/network.h"
#include "net/stream_output.h"

/* ---- one address ---- */

static thrum_step connect_done(thrum_stream *stream, thrum_task *task, int error)
{
    stream->flags &= ~(uint32_t)STREAM_CONNECTING;
    stream->reader = NULL;
    stream_outlet_rest(stream);
    return thrum_done(task, error, 0);
}

static thrum_step connect_start(thrum_task *task, thrum_record *record)
{
    thrum_stream *stream = (thrum_stream *)record->object;
    const net_address *address = (const net_address *)(intptr_t)record->a;
    if (!connect(stream->in.descriptor, &address->as.any, address->size))
        return thrum_done(task, 0, 0);
    if (errno != EINPROGRESS && errno != EINTR)
        return thrum_done(task, -errno, 0);
    int error = stream_await_room(stream);
    if (error)
        return thrum_done(task, error, 0);
    stream->reader = task;
    stream->flags |= STREAM_CONNECTING;
    return thrum_parked(task);
}

static thrum_step connect_resume(thrum_task *task)
{
    thrum_stream *stream = (thrum_stream *)task->object;
    int error = 0;
    socklen_t size = sizeof error;
    if (!stream || stream->flags & STREAM_CLOSED)
        return thrum_done(task, THRUM_ECLOSED, 0);
    if (getsockopt(stream->in.descriptor, SOL_SOCKET, SO_ERROR, &error, &size))
        error = errno;
    return connect_done(stream, task, -error);
}

static thrum_cancel_result connect_cancel(thrum_task *task)
{
    thrum_stream *stream = (thrum_stream *)task->object;
    if (stream) {
        stream->reader = NULL;
        stream->flags &= ~(uint32_t)STREAM_CONNECTING;
        stream_outlet_rest(stream);
    }
    return THRUM_DETACHED;
}

static const thrum_operations connect_operations = {connect_start, connect_resume, connect_cancel,
                                                    NULL,          "connect",      NULL};

static thrum_awaitable connect_stream(thrum_stream *stream, const net_address *address)
{
    return thrum_awaitable_make(&connect_operations, stream, (thrum_value)(intptr_t)address, 0);
}

/* To the first local address of the family that will do; the last error of those that will not. */
static int bind_to(int descriptor, int family, const net_addresses *local)
{
    int error = -EADDRNOTAVAIL;
    for (size_t i = 0; i < local->count; i++) {
        if (local->list[i].as.any.sa_family != family)
            continue;
        if (!bind(descriptor, &local->list[i].as.any, local->list[i].size))
            return 0;
        error = -errno;
    }
    return local->count ? error : 0;
}

/* One of the addresses, and what became of it. */
typedef struct attempt {
    thrum_stream *stream; /* until the race is over */
    const char *operation;
    int error;
} attempt;

/* A stream with a socket that is not connected yet. */
static int open_socket(attempt *one, const net_address *address, const connect_plan *plan)
{
    int family = address->as.any.sa_family;
    int descriptor = system_socket(family, SOCK_STREAM);
    one->operation = "socket";
    if (descriptor < 0)
        return -errno;
    if (family != AF_UNIX)
        (void)setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    one->operation = "bind";
    int error = bind_to(descriptor, family, &plan->local);
    if (!error)
        error = stream_new(&one->stream, descriptor, &plan->stream, &address->as.any);
    if (error)
        (void)close(descriptor);
    else
        one->operation = "connect";
    return error;
}

/* One of a Unix socket whose queue is full says so at once, and there is nothing to wait for but time. */
static bool try_later(int error, const net_address *address)
{
    return error == -EAGAIN && address->as.any.sa_family == AF_UNIX;
}

static ASYNC(connect_one, ARGS((attempt *, one), (const net_address *, address), (const connect_plan *, plan)),
             LOCALS_NONE)
{
    ASYNC_BEGIN;
    if (network_here(NULL)) {
        self->one->operation = "connect";
        AWAIT_CATCH_INTO(self->one->error, self->one->stream,
                         network_connect(self->address, &self->plan->local, &self->plan->stream));
        if (self->one->error)
            ASYNC_RAISE(self->one->error);
        ASYNC_RETURN(0);
    }
    self->one->error = open_socket(self->one, self->address, self->plan);
    if (!self->one->error)
        AWAIT_CATCH(self->one->error, connect_stream(self->one->stream, self->address));
    while (try_later(self->one->error, self->address)) {
        AWAIT(thrum_sleep(MILLISECONDS(10)));
        AWAIT_CATCH(self->one->error, connect_stream(self->one->stream, self->address));
    }
    if (self->one->error) {
        thrum_stream_release(self->one->stream);
        self->one->stream = NULL;
        ASYNC_RAISE(self->one->error);
    }
    ASYNC_END;
}

/* ---- all of them ---- */

typedef struct contest {
    const connect_plan *plan;
    attempt *attempts;
} contest;

static thrum_awaitable next_runner(void *context, size_t index)
{
    const contest *all = (const contest *)context;
    return connect_one(&all->attempts[index], &all->plan->addresses.list[index], all->plan);
}

/* One whose task could not even be made has said nothing. */
static int error_of(const contest *all, size_t index)
{
    return all->attempts[index].error ? all->attempts[index].error : THRUM_ENOMEM;
}

/* "127.0.0.1:81 ECONNREFUSED" */
static void describe(const contest *all, size_t index, bool how, char *text, size_t room)
{
    const net_address *address = &all->plan->addresses.list[index];
    char one[THRUM_ADDRESS_TEXT];
    address_text(&address->as.any, address->size, one, sizeof one);
    (void)snprintf(text, room, "%s%s%s", one, how ? " " : "", how ? thrum_error_name(error_of(all, index)) : "");
}

/* "[::1]:81, 127.0.0.1:81": which addresses were tried; where they ended differently, how. As many as there is room
 * for. */
static void list(const contest *all, bool how, char *text, size_t room)
{
    static const char rest[] = ", ...";
    size_t count = all->plan->addresses.count, used = 0;
    for (size_t i = 0; i < count; i++) {
        char one[THRUM_ADDRESS_TEXT + 32];
        describe(all, i, how, one, sizeof one);
        size_t after = i + 1 < count ? sizeof rest : 1;
        bool fits = !i || used + 2 + strlen(one) + after <= room;
        (void)snprintf(text + used, room - used, "%s%s", !fits ? rest : i ? ", " : "", fits ? one : "");
        if (!fits)
            return;
        used += strlen(text + used);
    }
}

static int system_code(int error)
{
    return error > THRUM_ECANCELED ? -error : 0;
}

/* The error in flight takes one along for each attempt, whole, however many there are. */
static void add_attempts(const contest *all, int error)
{
#if THRUM_DETAILS
    thrum_task *task = thrum_current_task();
    thrum_error *whole = thrum_detail_take(task, error, false), **last = whole ? &whole->errors : NULL;
    for (size_t i = 0; whole && i < all->plan->addresses.count; i++) {
        thrum_error *detail = thrum_detail_take(task, 0, true);
        if (!detail)
            continue;
        detail->code = error_of(all, i);
        detail->system = system_code(detail->code);
        detail->operation = all->attempts[i].operation;
        describe(all, i, false, detail->text, sizeof detail->text);
        detail->next = NULL;
        *last = detail;
        last = &detail->next;
    }
    if (whole)
        thrum_detail_give(task, whole);
#else
    (void)all, (void)error;
#endif
}

/* The first one's error, with all addresses: that of a thing that is the same for all is that of all. Or a group. */
static int fail(const contest *all)
{
    char text[THRUM_ERROR_TEXT] = "";
    size_t count = all->plan->addresses.count;
    bool differ = false;
    int error = all->plan->all_errors ? THRUM_EGROUP : error_of(all, 0);
    if (all->plan->all_errors) {
        (void)thrum_error_set(error, 0, "connect", (int64_t)count, NULL);
    } else {
        for (size_t i = 1; i < count; i++)
            differ = differ || error_of(all, i) != error;
        list(all, differ, text, sizeof text);
        (void)thrum_error_set(error, system_code(error), all->attempts[0].operation, 0, text);
    }
    if (all->plan->all_errors || count > 1)
        add_attempts(all, error);
    return error;
}

enum { FEW = 2 };

static bool begin_contest(contest *all, const connect_plan *plan, attempt *few)
{
    size_t size = plan->addresses.count * sizeof *few;
    all->plan = plan;
    all->attempts =
        plan->addresses.count <= FEW ? few : (attempt *)pool_take(&thrum_state_here()->pool, size, POOL_OTHER);
    if (all->attempts)
        memset(all->attempts, 0, size);
    return all->attempts != NULL;
}

/* Those that have connected as well, or never came to it, are closed. */
static void end_contest(contest *all, attempt *few)
{
    size_t count = all->plan ? all->plan->addresses.count : 0;
    for (size_t i = 0; all->attempts && i < count; i++)
        thrum_stream_release(all->attempts[i].stream);
    if (all->attempts && all->attempts != few)
        pool_give(&thrum_state_here()->pool, all->attempts, count * sizeof *few, POOL_OTHER);
    all->attempts = NULL;
}

static ASYNC(connect_all, ARGS((const connect_plan *, plan)),
             LOCALS(contest all; attempt few[FEW]; size_t i; int error;))
{
    thrum_stream *connected;
    ASYNC_BEGIN;
    if (!begin_contest(&self->all, self->plan, self->few))
        ASYNC_RAISE(THRUM_ENOMEM);
    self->error = THRUM_EINVAL; /* no address */
    if (self->plan->delay && self->plan->addresses.count > 1) {
        AWAIT_CATCH(self->error, thrum_staggered_race(self->plan->addresses.count, next_runner, &self->all,
                                                      self->plan->delay, &self->i, NULL));
        if (self->error && self->error != THRUM_EGROUP)
            ASYNC_RAISE(self->error);
    } else {
        for (self->i = 0; self->error && self->i < self->plan->addresses.count; self->i++)
            AWAIT_CATCH(self->error, next_runner(&self->all, self->i));
        self->i--;
    }
    if (self->error)
        ASYNC_RAISE(fail(&self->all));
    connected = self->all.attempts[self->i].stream;
    self->all.attempts[self->i].stream = NULL;
    ASYNC_RETURN(connected);
FINALLY:
    end_contest(&self->all, self->few);
    ASYNC_END;
}

thrum_awaitable connect_any(const connect_plan *plan)
{
    return connect_all(plan);
}

/* ---- their order ---- */

/* The next one of the first family, or of another. */
static bool take(net_addresses *to, const net_address *from, size_t count, size_t *at, bool first)
{
    for (; *at < count; ++*at) {
        if ((from[*at].as.any.sa_family == from[0].as.any.sa_family) == first) {
            to->list[to->count++] = from[(*at)++];
            return true;
        }
    }
    return false;
}

int connect_interleave(net_addresses *addresses, unsigned first)
{
    size_t count = addresses->count, one = 0, other = 0, size = count * sizeof *addresses->list;
    if (count < 2 || !first)
        return 0;
    net_address *from = (net_address *)pool_take(&thrum_state_here()->pool, size, POOL_OTHER);
    if (!from)
        return THRUM_ENOMEM;
    memcpy(from, addresses->list, size);
    addresses->count = 0;
    for (size_t i = 1; i < first && i < count; i++)
        (void)take(addresses, from, count, &one, true);
    while (addresses->count < count) {
        (void)take(addresses, from, count, &one, true);
        (void)take(addresses, from, count, &other, false);
    }
    pool_give(&thrum_state_here()->pool, from, size, POOL_OTHER);
    return 0;
}
