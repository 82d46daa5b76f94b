/* Talk to a Redis server.
 *
 *     redis [--host HOST] [--port PORT | --unix PATH] [--timeout SECONDS] COMMAND [WORD]...
 *     redis ... --subscribe CHANNEL     prints what is said there, until Ctrl-C
 *     ... | redis ...                   commands one a line; up to 64 are under way at a time
 *
 * Ends with 1 when the server refused a command. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "redis.h"

enum { LINE = 4096, WORDS = 64, UNDER_WAY = 64 };

struct options {
    const char *host, *port, *channel;
    thrum_time timeout;
    const char **words;
    int count;
};

/* ---- printing ---- */

static void print_reply(const redisReply *reply, int depth)
{
    switch (reply->type) {
    case REDIS_REPLY_INTEGER:
        printf("%*s%lld\n", 2 * depth, "", reply->integer);
        break;
    case REDIS_REPLY_NIL:
        printf("%*s(nil)\n", 2 * depth, "");
        break;
    case REDIS_REPLY_ARRAY:
        for (size_t i = 0; i < reply->elements; i++)
            print_reply(reply->element[i], depth + (reply->element[i]->type == REDIS_REPLY_ARRAY));
        break;
    default:
        printf("%*s%.*s\n", 2 * depth, "", (int)reply->len, reply->str);
    }
}

/* Print how a command ended. Gives 0 when the server has answered, and otherwise the error. */
static int show(int error, const redisReply *reply)
{
    if (error == REDIS_REFUSED)
        printf("(error) %s\n", thrum_error_last() ? thrum_error_last()->text : "");
    else if (error)
        return error;
    else
        print_reply(reply, 0);
    fflush(stdout);
    return 0;
}

/* ---- commands, one a line ---- */

/* A command under way is a task, which ends with the reply. */
struct under_way {
    thrum_task *task;
    redisReply *reply;
};

static void settle(struct under_way *command)
{
    if (command->task)
        (void)thrum_task_cancel(command->task); /* nothing refers to `reply` any more */
    thrum_task_release(command->task);
    if (command->reply)
        freeReplyObject(command->reply);
    *command = (struct under_way){0};
}

/* They stand in a ring, with room for those in the queue, the one that is put and the one that is shown. */
struct pipeline {
    struct redis *redis;
    thrum_stream *input;
    struct under_way ring[UNDER_WAY + 2];
    QUEUE_OF(struct under_way *, UNDER_WAY) queue;
};

static bool begin_command(struct pipeline *pipeline, struct under_way *command, char *line)
{
    const char *words[WORDS];
    char *rest = line, *word;
    int count = 0;
    while (count < WORDS && (word = strtok_r(rest, " \t\r\n", &rest)))
        words[count++] = word;
    command->task = thrum_spawn(redis_command_argv(pipeline->redis, &command->reply, count, words));
    return command->task != NULL;
}

/* Send them as they come; when the queue is full, wait. The queue is shut down on any way out, also when this is
 * cancelled before it begins: who shows the replies must not wait for more. */
static ASYNC(send_lines, ARGS((struct pipeline *, pipeline)),
             LOCALS(struct under_way *command; size_t number; size_t size; char line[LINE];),
             ON_DROP(thrum_queue_shutdown(&self->pipeline->queue.queue, false);))
{
    ASYNC_BEGIN;
    for (;;) {
        AWAIT_INTO(self->size, thrum_stream_read_line(self->pipeline->input, self->line, sizeof self->line));
        if (!self->size)
            break;
        if (!self->line[strspn(self->line, " \t\r\n")])
            continue;
        self->command = &self->pipeline->ring[self->number++ % (UNDER_WAY + 2)];
        if (!begin_command(self->pipeline, self->command, self->line))
            ASYNC_RAISE(THRUM_ENOMEM);
        AWAIT_PUT(&self->pipeline->queue, &self->command);
    }
FINALLY:
    thrum_queue_shutdown(&self->pipeline->queue.queue, false);
    ASYNC_END;
}

/* Replies in the order of the commands. Gives how many were refused. */
static ASYNC(show_replies, ARGS((struct pipeline *, pipeline)),
             LOCALS(thrum_iteration each; struct under_way * command; struct under_way * *item; int error, refused;))
{
    ASYNC_BEGIN;
    ASYNC_FOR (self->item, self->each, thrum_queue_items(&self->pipeline->queue.queue, &self->command)) {
        AWAIT_CATCH(self->error, self->command->task);
        if (show(self->error, self->command->reply))
            ASYNC_RAISE(self->error);
        self->refused += self->error != 0;
        settle(self->command);
    }
    ASYNC_RETURN(self->refused);
    ASYNC_END;
}

static ASYNC(all_lines, ARGS((struct redis *, redis), (thrum_stream *, input)),
             LOCALS(struct pipeline pipeline; thrum_group group; thrum_task * shown; int refused;))
{
    ASYNC_BEGIN;
    self->pipeline.redis = self->redis;
    self->pipeline.input = self->input;
    QUEUE_INIT(&self->pipeline.queue);
    WITH (self->group, thrum_group_open(&self->group)) {
        self->shown = thrum_group_spawn(&self->group, show_replies(&self->pipeline));
        if (!self->shown || !thrum_group_spawn(&self->group, send_lines(&self->pipeline)))
            ASYNC_RAISE(THRUM_ENOMEM);
        AWAIT_INTO(self->refused, self->shown);
    }
    ASYNC_RETURN(self->refused);
FINALLY: /* commands whose replies nobody will look at any more */
    for (size_t i = 0; i < UNDER_WAY + 2; i++)
        settle(&self->pipeline.ring[i]);
    ASYNC_END;
}

/* ---- the program ---- */

static ASYNC(listen, ARGS((struct redis *, redis), (const char *, channel)), LOCALS(redisReply *message; int error;))
{
    ASYNC_BEGIN;
    self->error = redis_subscribe(self->redis, self->channel);
    while (!self->error) {
        AWAIT_CATCH(self->error, QUEUE_GET(&self->redis->messages, &self->message));
        if (self->error)
            break;
        printf("%s\n", self->message->element[2]->str);
        fflush(stdout);
        freeReplyObject(self->message);
        self->message = NULL;
    }
    ASYNC_RAISE(self->error == THRUM_ESHUTDOWN ? THRUM_ECLOSED : self->error);
    ASYNC_END;
}

static ASYNC(single, ARGS((struct redis *, redis), (const struct options *, options)),
             LOCALS(redisReply *reply; int error;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH(self->error,
                thrum_timeout(self->options->timeout, redis_command_argv(self->redis, &self->reply,
                                                                         self->options->count, self->options->words)));
    if (show(self->error, self->reply))
        ASYNC_RAISE(self->error);
    ASYNC_RETURN(self->error != 0);
FINALLY:
    if (self->reply)
        freeReplyObject(self->reply);
    ASYNC_END;
}

static ASYNC(app, ARGS((const struct options *, options)), LOCALS(thrum_stream *input; int refused; int error;),
             BUFFERS(struct redis redis;))
{
    ASYNC_BEGIN;
    memset(&self->redis, 0, sizeof self->redis);
    AWAIT(thrum_timeout(self->options->timeout, redis_open(&self->redis, self->options->host, self->options->port)));
    if (self->options->channel)
        AWAIT(listen(&self->redis, self->options->channel));
    else if (self->options->count)
        AWAIT_INTO(self->refused, single(&self->redis, self->options));
    else if (!(self->error = thrum_stream_adopt_pipe(&self->input, STDIN_FILENO, NULL)))
        AWAIT_INTO(self->refused, all_lines(&self->redis, self->input));
    else
        ASYNC_RAISE(thrum_error_set(self->error, 0, "standard input", 0, "it is no pipe and no terminal"));
    if (self->refused)
        ASYNC_RAISE(thrum_error_set(THRUM_EEXIT, 0, "exit", 1, NULL));
FINALLY:
    thrum_stream_release(self->input);
    redis_close(&self->redis);
    ASYNC_END;
}

int main(int argc, char **argv)
{
    static const struct option names[] = {
        {"host", required_argument, NULL, 'h'},      {"port", required_argument, NULL, 'p'},
        {"unix", required_argument, NULL, 'u'},      {"timeout", required_argument, NULL, 't'},
        {"subscribe", required_argument, NULL, 's'}, {NULL, 0, NULL, 0}};
    struct options options = {.host = "127.0.0.1", .port = "6379", .timeout = SECONDS(30)};
    int option;
    while ((option = getopt_long(argc, argv, "+", names, NULL)) != -1) { /* "+": what follows a command is its own */
        if (option == 'h') {
            options.host = optarg;
        } else if (option == 'p') {
            options.port = optarg;
        } else if (option == 'u') {
            options.host = optarg;
            options.port = NULL;
        } else if (option == 't') {
            options.timeout = (thrum_time)(atof(optarg) * (double)SECONDS(1));
        } else if (option == 's') {
            options.channel = optarg;
        } else {
            fprintf(stderr,
                    "usage: %s [--host HOST] [--port PORT | --unix PATH] [--timeout SECONDS] "
                    "[--subscribe CHANNEL | COMMAND [WORD]...]\n",
                    argv[0]);
            return 2;
        }
    }
    options.words = (const char **)argv + optind;
    options.count = argc - optind;
    return thrum_run(app(&options));
}
