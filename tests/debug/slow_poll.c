/* Debug mode tells of a poller that comes back late: over a backend whose clock is a number, and whose wait takes
 * longer than it was asked to. */
#include "support.h"

static struct {
    thrum_time now;
    thrum_time late;     /* added to every wait */
    thrum_future *comes; /* what completes in a wait that has no end otherwise */
    thrum_loop *loop;
} poller;

static int late_open(void *own, thrum_loop *loop, const thrum_loop_options *options)
{
    (void)own, (void)options;
    poller.loop = loop;
    return 0;
}

static void late_close(void *own)
{
    (void)own;
}

static thrum_time late_now(const void *own)
{
    (void)own;
    return poller.now;
}

static int late_wait(void *own, thrum_time until, thrum_time *woke)
{
    (void)own;
    if (until == THRUM_NEVER) {
        CHECK_NOT_NULL(poller.comes);
        CHECK_EQ(thrum_future_set_result(poller.comes, 1), 0);
    } else if (until > poller.now) {
        poller.now = until;
    }
    poller.now += poller.late;
    *woke = poller.now;
    return 0;
}

static int late_drive(void *own, thrum_time until, thrum_time *woke)
{
    int error = late_wait(own, until, woke);
    thrum_backend_pass(poller.loop);
    return error;
}

static void late_wake(void *own)
{
    (void)own;
}

#define LATE_BACKEND(waiting)                                                                                          \
    .size = sizeof(thrum_backend), .stepwise = true, .open = late_open, .close = late_close, .now = late_now,          \
    .wait = (waiting), .wake = late_wake

static const thrum_backend late_backend = {LATE_BACKEND(late_wait)};
static const thrum_backend driving_backend = {LATE_BACKEND(late_drive), .drives = true};

static lines logged;

static void note(void *context, const char *line)
{
    (void)context;
    put_line(&logged, line);
}

static thrum_loop *open_late(const thrum_backend *backend, bool debug)
{
    const thrum_loop_options options = {.size = sizeof options, .debug = debug, .custom = backend};
    thrum_loop *loop = NULL;
    memset(&logged, 0, sizeof logged);
    memset(&poller, 0, sizeof poller);
    thrum_log_set(note, NULL);
    CHECK_EQ(thrum_loop_new(&loop, &options), 0);
    eager_prepare(loop);
    return loop;
}

/* One sleep of a second, in which the poller is late by so much; what was logged. */
static const char *sleep_late(thrum_loop *loop, thrum_time late)
{
    memset(&logged, 0, sizeof logged);
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    poller.late = 0;
    thrum_task *task = thrum_spawn(thrum_sleep(SECONDS(1)));
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    poller.late = late;
    CHECK_EQ(thrum_loop_step(loop, THRUM_NEVER), 0);
    poller.late = 0;
    while (!thrum_task_done(task))
        CHECK_EQ(thrum_loop_step(loop, THRUM_NEVER), 0);
    thrum_task_release(task);
    return logged.text;
}

TEST(slow_poll, from_the_limit_on)
{
    thrum_loop *loop = open_late(&late_backend, true);
    CHECK_STR(sleep_late(loop, MILLISECONDS(100)), "waiting for descriptors took 100 ms longer than asked for\n");
    CHECK_STR(sleep_late(loop, MILLISECONDS(100) - 1), "");
    thrum_loop_set_slow_callback_duration(loop, MILLISECONDS(7));
    CHECK_STR(sleep_late(loop, MILLISECONDS(7)), "waiting for descriptors took 7 ms longer than asked for\n");
    CHECK_STR(sleep_late(loop, MILLISECONDS(7) - 1), "");
    CHECK_EQ(thrum_loop_close(loop), 0);
}

/* Where something is ready the poller is only to look: all of its time is too long. */
TEST(slow_poll, that_was_not_to_wait)
{
    thrum_loop *loop = open_late(&late_backend, true);
    poller.now = SECONDS(50);
    poller.late = MILLISECONDS(250);
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_STR(logged.text, "waiting for descriptors took 250 ms longer than asked for\n");
    CHECK_EQ(thrum_loop_close(loop), 0);
}

/* Without a timer no wait is too long. */
TEST(slow_poll, without_an_end)
{
    thrum_future future;
    thrum_loop *loop = open_late(&late_backend, true);
    thrum_future_init(&future);
    thrum_task *task = thrum_spawn(thrum_future_wait(&future));
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    poller.comes = &future;
    poller.late = SECONDS(5000);
    CHECK_EQ(thrum_loop_step(loop, THRUM_NEVER), 0);
    CHECK_EQ(poller.now, SECONDS(5000));
    poller.late = 0;
    while (!thrum_task_done(task))
        CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_STR(logged.text, "");
    thrum_task_release(task);
    CHECK_EQ(thrum_loop_close(loop), 0);
}

TEST(slow_poll, is_not_told_of_without_debug_mode)
{
    thrum_loop *loop = open_late(&late_backend, false);
    CHECK_STR(sleep_late(loop, SECONDS(3)), "");
    CHECK_EQ(thrum_loop_close(loop), 0);
}

/* A wait that runs the passes itself is as long as what it runs. */
TEST(slow_poll, that_drives)
{
    thrum_loop *loop = open_late(&driving_backend, true);
    CHECK_STR(sleep_late(loop, SECONDS(3)), "");
    CHECK_EQ(thrum_loop_close(loop), 0);
}
