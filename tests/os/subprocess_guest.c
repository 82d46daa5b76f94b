/* Children inside the application's libev loop. The default one takes every child of the process from the system: ours
 * come by way of it, beside those that the application watches itself. */
#include <ev.h>

#include "children.h"

static struct {
    int code, others;
} seen;

static void on_child(struct ev_loop *ev, ev_child *watcher, int events)
{
    (void)events;
    seen.others = WEXITSTATUS(watcher->rstatus);
    ev_child_stop(ev, watcher);
}

static ASYNC(program, ARGS((bool, takes_all)),
             LOCALS(thrum_process *child; thrum_process_output output; int code, i; thrum_process * other;))
{
    static const thrum_subprocess_options grouped = {
        .size = sizeof grouped, .new_process_group = true, .whole_group = true};
    ASYNC_BEGIN;
    /* The leader's number is to be kept, which the default loop does not. */
    AWAIT_CATCH_INTO(self->code, self->child, thrum_create_subprocess_shell("sleep 1000 & exit 0", &grouped));
    CHECK_EQ(self->code, self->takes_all ? THRUM_EUNSUPPORTED : 0);
    if (!self->code) {
        AWAIT(thrum_process_wait(self->child));
        CHECK_EQ(thrum_process_kill(self->child), 0);
        thrum_process_release(self->child);
    }
    for (self->i = 0; self->i < 20; self->i++) {
        AWAIT_INTO(self->child, thrum_create_subprocess_shell("cat; exit 5", &three_pipes));
        AWAIT_INTO(self->code, thrum_process_communicate(self->child, "hello", 5, &self->output));
        CHECK_EQ(self->code, 5);
        CHECK_STR(self->output.out, "hello");
        CHECK_EQ(thrum_process_kill(self->child), -ESRCH);
        thrum_process_output_free(&self->output);
        thrum_process_release(self->child);
    }
    AWAIT_INTO(self->child, thrum_create_subprocess_exec(COMMAND("cat"), &three_pipes));
    CHECK_EQ(thrum_process_terminate(self->child), 0);
    AWAIT_INTO(self->code, thrum_process_wait(self->child));
    CHECK_EQ(self->code, -SIGTERM);
    thrum_process_release(self->child);
    AWAIT_INTO(self->child, thrum_create_subprocess_exec(COMMAND("true"), NULL));
    while (!childless() && thrum_process_returncode(self->child, NULL))
        AWAIT(thrum_sleep(MICROSECONDS(200)));
    AWAIT_INTO(self->code, thrum_process_wait(self->child));
    CHECK_EQ(self->code, 0);
    thrum_process_release(self->child);
    AWAIT_INTO(self->other, thrum_create_subprocess_exec(COMMAND("sleep", "1000"), NULL));
    thrum_process_release(self->other); /* killed, and gone while the loop runs */
    AWAIT(until_childless());
    seen.code = 1;
    ASYNC_END;
}

static void in_loop(struct ev_loop *ev, bool watched)
{
    thrum_pool_stats stats;
    thrum_loop *loop;
    ev_child own;
    int descriptors = count_descriptors();
    memset(&seen, 0, sizeof seen);
    CHECK_EQ(thrum_loop_from_ev(&loop, ev), 0);
    eager_prepare(loop);
    if (watched) {
        int number = fork();
        if (number == 0)
            _exit(9);
        ev_child_init(&own, on_child, number, 0);
        ev_child_start(ev, &own);
    }
    CHECK_EQ(thrum_spawn_detached(program(watched)), 0);
    ev_run(ev, 0); /* ends when nobody waits for anything */
    CHECK_EQ(seen.code, 1);
    CHECK_EQ(seen.others, watched ? 9 : 0);
    CHECK_EQ(thrum_loop_close(loop), 0);
    thrum_pool_stats_get(&stats);
    CHECK_EQ(stats.blocks, 0);
    CHECK_EQ(count_descriptors(), descriptors);
}

TEST(guest, default_loop)
{
    struct ev_loop *ev = ev_default_loop(EVFLAG_NOENV);
    bool usual = spawn_portable;
    for (int i = 0; i < 2; i++) {
        spawn_portable = i || usual;
        in_loop(ev, true);
    }
    ev_loop_destroy(ev);
}

TEST(guest, another_loop)
{
    struct ev_loop *ev = ev_loop_new(EVFLAG_AUTO);
    bool usual = spawn_portable;
    for (int i = 0; i < 2; i++) {
        spawn_portable = i || usual;
        in_loop(ev, false);
        CHECK(childless());
    }
    ev_loop_destroy(ev);
}

/* 157: the loop of ours closes while one runs: it is killed, and the application's loop takes it. */
static ASYNC(leave_one, ARGS_NONE, LOCALS(thrum_process *child;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->child, thrum_create_subprocess_exec(COMMAND("sleep", "1000"), NULL));
    ASYNC_END;
}

static void look_for_children(struct ev_loop *ev, ev_timer *watcher, int events)
{
    (void)events;
    if (childless())
        ev_timer_stop(ev, watcher);
}

TEST(guest, left_to_the_loop)
{
    struct ev_loop *ev = ev_default_loop(EVFLAG_NOENV);
    thrum_loop *loop;
    ev_timer timer;
    CHECK_EQ(thrum_loop_from_ev(&loop, ev), 0);
    CHECK_EQ(thrum_loop_run_until_complete(loop, leave_one(), NULL), 0);
    CHECK_EQ(thrum_loop_close(loop), 0);
    ev_timer_init(&timer, look_for_children, 0., 0.001);
    ev_timer_start(ev, &timer);
    ev_run(ev, 0);
    CHECK(childless());
    ev_loop_destroy(ev);
}
