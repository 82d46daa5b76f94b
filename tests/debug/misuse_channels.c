/* Ends of channels that were copied, and channels that were overwritten: what is tried gives what it gave, or does
 * nothing; debug mode tells. */
#include "support.h"

static lines logged;
static thrum_channel channel;
static thrum_sender sender, copied_sender;
static thrum_receiver receiver, copied_receiver;
static int items[2], item;

static void note(void *context, const char *line)
{
    (void)context;
    put_line(&logged, line);
}

static ASYNC(copies_ends, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_yield());
    CHECK_EQ(thrum_channel_init(&channel, &sender, &receiver, items, 2, sizeof item), 0);
    copied_sender = sender;
    copied_receiver = receiver;
    CHECK_EQ(thrum_channel_send_nowait(&copied_sender, &item), 0);
    thrum_sender_close(&sender);
    CHECK_STR(logged.text, "");
    thrum_sender_close(&copied_sender);
    ASYNC_END;
}

static ASYNC(uses_what_is_left, ARGS_NONE, LOCALS(int error;))
{
    ASYNC_BEGIN;
    AWAIT(copies_ends());
    CHECK_EQ(thrum_channel_receive_nowait(&copied_receiver, &item), 0);
    CHECK_EQ(thrum_channel_receive_nowait(&copied_receiver, &item), THRUM_ESHUTDOWN);
    thrum_receiver_close(&receiver);
    logged.text[0] = '\0';
    AWAIT_CATCH(self->error, thrum_channel_receive(&copied_receiver, &item));
    CHECK_EQ(self->error, THRUM_ESHUTDOWN);
    ASYNC_END;
}

static ASYNC(overwrites, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    CHECK_EQ(thrum_channel_init(&channel, &sender, &receiver, items, 2, sizeof item), 0);
    memset(&channel, 0, sizeof channel);
    CHECK_EQ(thrum_channel_send_nowait(&sender, &item), THRUM_ECLOSED);
    ASYNC_END;
}

static void told(thrum_awaitable (*what)(void), const char *where)
{
    for (int debug = 0; debug < 2; debug++) {
        const thrum_loop_options options = {.size = sizeof options, .backend = THRUM_BACKEND_SIM, .debug = debug};
        thrum_loop *loop = NULL;
        thrum_log_set(note, NULL);
        logged.text[0] = '\0';
        CHECK_EQ(thrum_loop_new(&loop, &options), 0);
        eager_prepare(loop);
        CHECK_EQ(thrum_loop_run_until_complete(loop, what(), NULL), 0);
        CHECK_EQ(thrum_loop_close(loop), 0);
        CHECK_EQ(strstr(logged.text, "an end of a channel was copied (thrum_sender_clone() ") != NULL, debug);
        CHECK_EQ(strstr(logged.text, where) != NULL, debug);
    }
}

TEST(misuse_channels, a_copied_end_is_closed_twice)
{
    told(copies_ends, "  in copies_ends, ");
}

TEST(misuse_channels, a_copied_end_is_used_after_all)
{
    told(uses_what_is_left, "  in uses_what_is_left, ");
}

TEST(misuse_channels, overwritten)
{
    told(overwrites, ", before its first await");
}
