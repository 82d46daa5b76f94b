/* The connection: names looked up and attempts made by thrum, everything after that by hiredis and its libev
 * adapter. */
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "redis.h"

#include <hiredis/adapters/libev.h>

/* ---- hiredis calls; the context ends by itself after a failure ---- */

static void on_connect(const redisAsyncContext *context, int status)
{
    struct redis *redis = (struct redis *)context->data;
    if (status == REDIS_OK) {
        (void)thrum_future_set_result(&redis->connected, 0);
        return;
    }
    redis->context = NULL;
    (void)strncpy(redis->reason, context->errstr, sizeof redis->reason - 1);
    (void)thrum_future_set_error(&redis->connected, context->c.err == REDIS_ERR_IO && errno ? -errno : -EPROTO);
}

static void on_disconnect(const redisAsyncContext *context, int status)
{
    (void)status;
    ((struct redis *)context->data)->context = NULL;
}

/* ---- connecting ---- */

/* Take a context that hiredis has begun to connect. Gives 0, and `connected` tells the rest. */
static int begin(struct redis *redis, redisAsyncContext *context)
{
    struct ev_loop *ev = thrum_loop_ev(thrum_loop_current());
    int error = !context       ? THRUM_ENOMEM
                : !ev          ? THRUM_EUNSUPPORTED /* virtual time, or a backend of one's own */
                : context->err ? (errno ? -errno : -EPROTO)
                               : 0;
    if (!error && redisLibevAttach(ev, context) != REDIS_OK)
        error = THRUM_ENOMEM;
    if (error) {
        if (context) {
            (void)strncpy(redis->reason, context->errstr ? context->errstr : "", sizeof redis->reason - 1);
            redisAsyncFree(context);
        }
        return error;
    }
    thrum_future_init(&redis->connected);
    redis->context = context;
    context->data = redis;
    (void)redisAsyncSetDisconnectCallback(context, on_disconnect);
    (void)redisAsyncSetConnectCallback(context, on_connect);
    return 0;
}

/* One attempt. */
static ASYNC(attempt, ARGS((struct redis *, redis), (const char *, host), (int, port)), LOCALS(int error;))
{
    ASYNC_BEGIN;
    errno = 0;
    self->error =
        begin(self->redis, self->port ? redisAsyncConnect(self->host, self->port) : redisAsyncConnectUnix(self->host));
    if (!self->error)
        AWAIT_CATCH(self->error, &self->redis->connected);
    if (self->error)
        ASYNC_RAISE(thrum_error_set(self->error, 0, "connect", self->port, self->redis->reason));
    ASYNC_END;
}

/* The first address that takes us. hiredis would look the name up as well, but the whole program would wait for it. */
ASYNC(redis_open, ARGS((struct redis *, redis), (const char *, host), (const char *, port)),
      LOCALS(thrum_address_list found; size_t next; char numeric[64]; int error;))
{
    static const thrum_name_hints hints = {.size = sizeof hints, .type = SOCK_STREAM};
    ASYNC_BEGIN;
    QUEUE_INIT(&self->redis->messages);
    if (!self->port) {
        AWAIT(attempt(self->redis, self->host, 0));
        ASYNC_RETURN(0);
    }
    AWAIT(thrum_getaddrinfo(&self->found, self->host, self->port, &hints));
    do {
        AWAIT(thrum_getnameinfo(&self->found.list[self->next].address, self->numeric, sizeof self->numeric, NULL, 0,
                                NI_NUMERICHOST));
        AWAIT_CATCH(self->error,
                    attempt(self->redis, self->numeric, thrum_address_port(&self->found.list[self->next].address)));
    } while (self->error && ++self->next < self->found.count);
    if (self->error)
        ASYNC_RAISE(thrum_error_set(self->error, 0, "connect", 0, self->redis->reason));
FINALLY:
    thrum_address_list_free(&self->found);
    ASYNC_END;
}

void redis_close(struct redis *redis)
{
    redisReply *message;
    if (redis->context)
        redisAsyncFree(redis->context); /* calls everybody who waits for a reply, and on_disconnect() */
    redis->context = NULL;
    while (thrum_queue_size(&redis->messages.queue) && !QUEUE_GET_NOWAIT(&redis->messages, &message))
        freeReplyObject(message);
}

/* ---- channels ---- */

static void on_message(redisAsyncContext *context, void *data, void *owner)
{
    struct redis *redis = (struct redis *)owner;
    const redisReply *reply = (const redisReply *)data;
    (void)context;
    if (!reply) {
        thrum_queue_shutdown(&redis->messages.queue, false);
        return;
    }
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 3 || strcmp(reply->element[0]->str, "message") != 0)
        return; /* "subscribe": from now on we hear it */
    redisReply *message = redis_take(data);
    if (!message || QUEUE_PUT_NOWAIT(&redis->messages, &message)) {
        redis->missed++;
        if (message)
            freeReplyObject(message);
    }
}

int redis_subscribe(struct redis *redis, const char *channel)
{
    if (!redis->context)
        return THRUM_ECLOSED;
    return redisAsyncCommand(redis->context, on_message, redis, "SUBSCRIBE %s", channel) == REDIS_OK ? 0
                                                                                                     : THRUM_ECLOSED;
}
