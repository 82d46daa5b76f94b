/* A command and its reply: the callback of another library made into an awaitable, as doc/awaitables.md says it. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "redis.h"

/* One command. hiredis holds it from the start until it calls back, also when nobody waits any more. */
struct request {
    struct redis *redis;
    char *text; /* as it is sent, until the start */
    size_t size;
    thrum_waiter *waiter; /* who waits; NULL: nobody any more */
    redisReply **into;    /* where who waits wants it */
    redisReply *reply;    /* once it is there */
    int error;            /* or why there is none */
};

redisReply *redis_take(void *theirs)
{
    redisReply *reply = (redisReply *)theirs, *mine = (redisReply *)malloc(sizeof *mine);
    if (mine) {
        *mine = *reply;
        reply->type = REDIS_REPLY_NIL; /* which has nothing in it to be freed */
    }
    return mine;
}

static void on_reply(redisAsyncContext *context, void *reply, void *data)
{
    struct request *request = (struct request *)data;
    (void)context;
    if (!request->waiter) { /* it was cancelled: the reply is nobody's */
        free(request);
        return;
    }
    request->reply = reply ? redis_take(reply) : NULL;
    request->error = !reply ? THRUM_ECLOSED : !request->reply ? THRUM_ENOMEM : 0;
    thrum_wake(request->waiter, 0, 0); /* the task's turn is in the next pass, outside of hiredis */
}

static void discard(struct request *request)
{
    redisFreeCommand(request->text);
    if (request->reply)
        freeReplyObject(request->reply);
    free(request);
}

/* ---- the verbs ---- */

/* Whether a command has just one reply. For others hiredis keeps the callback for ever. The text is
 * "*COUNT\r\n$LENGTH\r\nNAME\r\n...". */
static bool has_one_reply(const char *text)
{
    static const char *const others[] = {"SUBSCRIBE\r", "PSUBSCRIBE\r", "UNSUBSCRIBE\r", "PUNSUBSCRIBE\r", "MONITOR\r"};
    const char *length = strchr(text, '\n'), *name = length ? strchr(length + 1, '\n') : NULL;
    for (size_t i = 0; name && i < sizeof others / sizeof others[0]; i++)
        if (!strncasecmp(name + 1, others[i], strlen(others[i])))
            return false;
    return name != NULL;
}

static thrum_step command_start(thrum_task *task, thrum_record *record)
{
    struct request *request = (struct request *)record->object;
    redisAsyncContext *context = request->redis->context;
    int error = 0;
    if (!has_one_reply(request->text))
        error = thrum_error_set(THRUM_EINVAL, 0, "redis", 0, "a command with more than one reply");
    else if (!context ||
             redisAsyncFormattedCommand(context, on_reply, request, request->text, request->size) != REDIS_OK)
        error = THRUM_ECLOSED;
    if (error) {
        discard(request);
        return thrum_done(task, error, 0);
    }
    redisFreeCommand(request->text);
    request->text = NULL;
    request->waiter = &task->waiter;
    return thrum_parked(task);
}

/* Only here, in the step in which it returns, does the reply go into memory of the caller's. */
static thrum_step command_resume(thrum_task *task)
{
    struct request *request = (struct request *)task->object;
    int error = request->error;
    if (!error && request->reply->type == REDIS_REPLY_ERROR) {
        error = thrum_error_set(REDIS_REFUSED, 0, "redis", 0, request->reply->str);
    } else if (!error) {
        *request->into = request->reply;
        request->reply = NULL;
    }
    discard(request);
    return thrum_done(task, error, 0);
}

static thrum_cancel_result command_cancel(thrum_task *task)
{
    struct request *request = (struct request *)task->object;
    if (thrum_task_woken(task))
        discard(request); /* with its reply, which nobody will see */
    else
        request->waiter = NULL; /* hiredis has it still, and frees it when the reply comes */
    return THRUM_DETACHED;
}

static void command_drop(thrum_record *record)
{
    discard((struct request *)record->object);
}

static const thrum_operations command_operations = {
    .start = command_start,
    .resume = command_resume,
    .cancel = command_cancel,
    .drop = command_drop,
    .name = "redis_command",
};

/* ---- what makes one ---- */

static thrum_awaitable command(struct redis *redis, redisReply **reply, char *text, int size)
{
    if (size <= 0)
        return thrum_awaitable_failing(size == -1 ? THRUM_ENOMEM : THRUM_EINVAL);
    struct request *request = (struct request *)calloc(1, sizeof *request);
    if (!request) {
        redisFreeCommand(text);
        return thrum_awaitable_failing(THRUM_ENOMEM);
    }
    request->redis = redis;
    request->into = reply;
    request->text = text;
    request->size = (size_t)size;
    return thrum_awaitable_make(&command_operations, request, 0, 0);
}

thrum_awaitable redis_command(struct redis *redis, redisReply **reply, const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    int size = redisvFormatCommand(&text, format, arguments);
    va_end(arguments);
    return command(redis, reply, text, size);
}

thrum_awaitable redis_command_argv(struct redis *redis, redisReply **reply, int count, const char **words)
{
    char *text = NULL;
    int size = redisFormatCommandArgv(&text, count, words, NULL);
    return command(redis, reply, text, size);
}
