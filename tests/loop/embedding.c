/* A loop inside of somebody else's: libev's own, EV_DEFAULT included, and any other, by steps and a descriptor. */
#include "support.h"

#include <ev.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>

static ASYNC(ticks, ARGS((int, count), (thrum_time, delay), (char, letter)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    while (self->count-- > 0) {
        AWAIT(thrum_sleep(self->delay));
        note(self->letter);
    }
    ASYNC_END;
}

static ASYNC(waits_for, ARGS((thrum_future *, future)), LOCALS(int n;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->n, self->future);
    note((char)self->n);
    ASYNC_END;
}

static int times(char letter)
{
    int count = 0;
    for (const char *at = noted.text; *at; at++)
        count += *at == letter;
    return count;
}

/* ---- in EV_DEFAULT, beside plain watchers ---- */

static thrum_future from_ev;

static void on_ev_timer(struct ev_loop *ev, ev_timer *watcher, int events)
{
    (void)ev;
    (void)watcher;
    (void)events;
    note('e');
    thrum_future_set_result(&from_ev, 'f');
}

static void on_ev_io(struct ev_loop *ev, ev_io *watcher, int events)
{
    char byte;
    (void)events;
    CHECK_EQ(read(watcher->fd, &byte, 1), 1);
    note(byte);
    ev_io_stop(ev, watcher);
}

static void write_byte(thrum_handle *handle)
{
    CHECK_EQ(write(*(const int *)handle->context, "i", 1), 1);
}

TEST(guest, tasks_and_plain_watchers_live_in_one_ev_run)
{
    struct ev_loop *ev = ev_default_loop(EVFLAG_NOENV);
    thrum_loop *loop;
    ev_timer timer;
    ev_io io;
    int ends[2];
    thrum_handle writes = THRUM_HANDLE_INIT(write_byte, &ends[1]);
    note_clear();
    thrum_future_init(&from_ev);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    CHECK_EQ(thrum_loop_from_ev(&loop, ev), 0);
    CHECK_PTR(thrum_loop_ev(loop), ev);
    CHECK_EQ(thrum_loop_descriptor(loop), THRUM_EUNSUPPORTED);
    ev_timer_init(&timer, on_ev_timer, 0.02, 0.);
    ev_timer_start(ev, &timer);
    ev_io_init(&io, on_ev_io, ends[0], EV_READ);
    ev_io_start(ev, &io);
    CHECK_EQ(thrum_spawn_detached(ticks(2, MILLISECONDS(4), 't')), 0);
    CHECK_EQ(thrum_spawn_detached(waits_for(&from_ev)), 0);
    CHECK_EQ(thrum_call_later(MILLISECONDS(40), &writes), 0);
    /* It ends by itself when neither a watcher of the application nor a task of ours waits for anything. */
    ev_run(ev, 0);
    CHECK_EQ(noted.count, 5);
    CHECK_EQ(times('t'), 2);
    CHECK_NOT_NULL(strstr(noted.text, "ef"));
    CHECK_EQ(times('i'), 1);
    CHECK_EQ(thrum_all_tasks(NULL, 0), 0);
    close_loop(loop);
    /* The application's loop goes on. */
    ev_timer_set(&timer, 0.001, 0.);
    ev_timer_start(ev, &timer);
    ev_run(ev, 0);
    CHECK_EQ(noted.count, 6);
    CHECK_EQ(times('e'), 2);
    close(ends[0]);
    close(ends[1]);
    ev_loop_destroy(ev);
}

TEST(guest, tasks_alone_keep_ev_run_going)
{
    struct ev_loop *ev = ev_loop_new(EVFLAG_NOENV);
    thrum_loop *loop;
    note_clear();
    CHECK_EQ(thrum_loop_from_ev(&loop, ev), 0);
    CHECK_EQ(thrum_spawn_detached(ticks(5, MILLISECONDS(2), 't')), 0);
    CHECK_EQ(thrum_spawn_detached(ticks(3, 0, 'y')), 0);
    ev_run(ev, 0);
    CHECK_STR(noted.text, "yyyttttt");
    ev_run(ev, 0); /* nothing to do: comes back */
    close_loop(loop);
    ev_loop_destroy(ev);
}

static void *post_it(void *argument)
{
    thrum_post *post = argument;
    CHECK_EQ(thrum_call_soon_threadsafe(post->context, post), 0);
    return NULL;
}

static void post_note(thrum_post *post)
{
    struct ev_loop *ev = thrum_loop_ev((thrum_loop *)post->context);
    note('p');
    ev_break(ev, EVBREAK_ALL);
}

static void keep_alive(struct ev_loop *ev, ev_timer *watcher, int events)
{
    (void)ev;
    (void)watcher;
    (void)events;
    FAIL("nobody woke the loop");
}

TEST(guest, a_post_wakes_the_applications_ev_run)
{
    struct ev_loop *ev = ev_default_loop(EVFLAG_NOENV);
    thrum_loop *loop;
    ev_timer timer;
    pthread_t thread;
    note_clear();
    CHECK_EQ(thrum_loop_from_ev(&loop, ev), 0);
    ev_timer_init(&timer, keep_alive, 8., 0.);
    ev_timer_start(ev, &timer);
    thrum_post post = {.call = post_note, .context = loop};
    CHECK_EQ(pthread_create(&thread, NULL, post_it, &post), 0);
    ev_run(ev, 0);
    CHECK_STR(noted.text, "p");
    pthread_join(thread, NULL);
    ev_timer_stop(ev, &timer);
    close_loop(loop);
    ev_loop_destroy(ev);
}

TEST(guest, can_be_run_by_thrum_too)
{
    struct ev_loop *ev = ev_loop_new(EVFLAG_NOENV);
    thrum_loop *loop;
    note_clear();
    CHECK_EQ(thrum_loop_from_ev(&loop, ev), 0);
    thrum_time before = thrum_loop_time(loop);
    CHECK_EQ(thrum_loop_run_until_complete(loop, ticks(3, MILLISECONDS(2), 't'), NULL), 0);
    CHECK_GE(thrum_loop_time(loop) - before, MILLISECONDS(6));
    CHECK_STR(noted.text, "ttt");
    CHECK_EQ(thrum_spawn_detached(ticks(1, 0, 's')), 0);
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_STR(noted.text, "ttts");
    close_loop(loop);
    ev_loop_destroy(ev);
}

/* A step that runs ev_run() itself does not run other steps in the middle of its own. */
static ASYNC(runs_ev, ARGS((struct ev_loop *, ev)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    note('(');
    ev_run(self->ev, EVRUN_NOWAIT);
    note(')');
    ASYNC_END;
}

TEST(guest, passes_do_not_nest)
{
    struct ev_loop *ev = ev_loop_new(EVFLAG_NOENV);
    thrum_loop *loop;
    note_clear();
    CHECK_EQ(thrum_loop_from_ev(&loop, ev), 0);
    CHECK_EQ(thrum_spawn_detached(runs_ev(ev)), 0);
    CHECK_EQ(thrum_spawn_detached(ticks(1, 0, 't')), 0);
    ev_run(ev, 0);
    CHECK_STR(noted.text, "()t");
    close_loop(loop);
    ev_loop_destroy(ev);
}

TEST(guest, what_cannot_be_is_refused)
{
    thrum_loop *loop, *second;
    struct ev_loop *ev = ev_loop_new(EVFLAG_NOENV);
    CHECK_EQ(thrum_loop_from_ev(&loop, NULL), THRUM_EINVAL);
    CHECK_EQ(thrum_loop_from_ev(NULL, ev), THRUM_EINVAL);
    CHECK_EQ(thrum_loop_from_ev(&loop, ev), 0);
    CHECK_EQ(thrum_loop_from_ev(&second, ev), THRUM_ESTATE);
    close_loop(loop);
    ev_loop_destroy(ev);
    loop = open_loop(THRUM_BACKEND_SIM);
    CHECK_NULL(thrum_loop_ev(loop));
    CHECK_EQ(thrum_loop_descriptor(loop), THRUM_EUNSUPPORTED);
    close_loop(loop);
}

/* ---- by steps, in a main loop that polls ---- */

static void read_byte(thrum_handle *handle)
{
    char byte;
    CHECK_EQ(read(*(const int *)handle->context, &byte, 1), 1);
    note(byte);
}

/* What a main loop of any kind does: wait for the descriptor until the deadline, then step. Gives how often
 * it waited. */
static int drive(thrum_loop *loop, const char *until)
{
    int waits = 0;
    while (strcmp(noted.text, until) != 0) {
        thrum_time next = thrum_loop_next_deadline(loop);
        struct pollfd watched = {.fd = thrum_loop_descriptor(loop), .events = POLLIN};
        int timeout = -1;
        CHECK_GE(watched.fd, 0);
        if (next == 0) {
            timeout = 0;
        } else if (next != THRUM_NEVER) {
            thrum_time left = next - thrum_loop_time(loop);
            timeout = left <= 0 ? 0 : (int)(left / 1000000) + 1;
        }
        waits += timeout != 0;
        CHECK_GE(poll(&watched, 1, timeout), 0);
        CHECK_EQ(thrum_loop_step(loop, 0), 0);
        CHECK_LT(noted.count, 20);
    }
    return waits;
}

TEST(steps, a_loop_that_is_polled_by_its_descriptor)
{
    thrum_loop_options options = {.size = sizeof options, .poller = THRUM_POLLER_EPOLL}; /* others have no descriptor */
    thrum_loop *loop;
    thrum_handle writes;
    pthread_t thread;
    int ends[2];
    note_clear();
    CHECK_EQ(thrum_loop_new(&loop, &options), 0);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    CHECK_EQ(thrum_spawn_detached(ticks(2, MILLISECONDS(3), 't')), 0);
    CHECK_LE(drive(loop, "tt"), 10);
    /* A reader that was added, and bytes that come later. */
    CHECK_EQ(thrum_add_reader(ends[0], read_byte, &ends[0]), 0);
    thrum_handle_init(&writes, write_byte, &ends[1]);
    CHECK_EQ(thrum_call_later(MILLISECONDS(3), &writes), 0);
    drive(loop, "tti");
    CHECK(thrum_remove_reader(ends[0]));
    /* A post from a thread makes the descriptor readable. */
    thrum_post post = {.call = post_note, .context = loop};
    CHECK_EQ(pthread_create(&thread, NULL, post_it, &post), 0);
    drive(loop, "ttip");
    pthread_join(thread, NULL);
    close(ends[0]);
    close(ends[1]);
    close_loop(loop);
}
