/* Redis, awaited: hiredis on the loop's own libev. */
#ifndef REDIS_REDIS_H
#define REDIS_REDIS_H

#include <hiredis/async.h>
#include <thrum.h>

/* The server answered a command with an error, which is the text of the detail. */
#define REDIS_REFUSED THRUM_EAPP(1)

/* A connection, in memory of the caller's own: zeroed, and in place until redis_close(). */
struct redis {
    redisAsyncContext *context; /* hiredis's; NULL: there is no connection (any more) */
    thrum_future connected;
    char reason[128];                    /* why not, in hiredis's words */
    QUEUE_OF(redisReply *, 64) messages; /* of channels */
    unsigned missed;                     /* messages that found the queue full */
};

/* Connect; without a port `host` is the path of a Unix socket. Whatever this gives, redis_close() comes after it. */
thrum_awaitable redis_open(struct redis *redis, const char *host, const char *port);

/* Hard: commands that have no reply yet get THRUM_ECLOSED. Zeroed memory is closed already. */
void redis_close(struct redis *redis);

/* Send a command, built right now as redisCommand() and redisCommandArgv() do it, and wait for its reply. It goes to
 * `*reply`, owned, for freeReplyObject(); the pointer is NULL before, so that whoever is cancelled can tell. Any number
 * may be under way: they leave together and are answered in order. One that is cancelled waits no longer, but what has
 * left may still be done. Errors: REDIS_REFUSED; THRUM_ECLOSED, also when the connection is lost; THRUM_EINVAL for what
 * has more than one reply (SUBSCRIBE, MONITOR); THRUM_ENOMEM. */
thrum_awaitable redis_command(struct redis *redis, redisReply **reply, const char *format, ...);
thrum_awaitable redis_command_argv(struct redis *redis, redisReply **reply, int count, const char **words);

/* Have what is said on a channel put into `messages`, from where AWAIT_GET takes it; it is shut down when the
 * connection ends. hiredis takes no commands from then on. Gives 0 or an error. */
int redis_subscribe(struct redis *redis, const char *channel);

/* For both files: hiredis frees a reply when its callback returns, so what is in it moves into one of our own. NULL: no
 * memory. */
redisReply *redis_take(void *theirs);

#endif
