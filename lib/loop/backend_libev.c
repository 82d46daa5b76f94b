/* libev under the loop: a loop of our own, or one that the application runs. The only file that knows libev. It does
 * the polling and nothing else: the ready queue and the timers are the core's, and one timer of libev stands for the
 * earliest of them. */
#include <ev.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "loop/backends.h"
#include "loop/io.h"
#include "loop/system.h"

typedef struct ev_side {
    struct ev_loop *ev;
    ev_io woken;
    system_waker waker;
    ev_timer timer;
    thrum_time armed;  /* what the timer stands for; THRUM_NEVER when it does not run */
    thrum_time polled; /* our clock when libev last read its own */
    thrum_time limit;  /* guest: until when wait() may last */
    int descriptor;    /* the poller's once somebody asked, or -1 */
    thrum_loop *guest; /* the loop, where the application runs `ev`; or NULL */
    ev_prepare prepare;
    ev_check check;
    ev_idle idle;
} ev_side;

/* The longest wait, and how near an armed timer must be for it to be worth moving later. */
static const thrum_time LONGEST = 86400 * (thrum_time)THRUM_TICKS_PER_SECOND;
static const thrum_time TICK = THRUM_TICKS_PER_SECOND / 1000;
static const thrum_time NEAR = 5 * (THRUM_TICKS_PER_SECOND / 1000);

static thrum_time clock_now(const void *own)
{
    struct timespec now;
    (void)own;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (thrum_time)now.tv_sec * THRUM_TICKS_PER_SECOND + (thrum_time)now.tv_nsec;
}

static thrum_time clock_resolution(const void *own)
{
    struct timespec ticks;
    (void)own;
    clock_getres(CLOCK_MONOTONIC, &ticks);
    return (thrum_time)ticks.tv_sec * THRUM_TICKS_PER_SECOND + (thrum_time)ticks.tv_nsec;
}

/* ---- waking ---- */

static void side_wake(void *own)
{
    system_waker_wake(&((ev_side *)own)->waker);
}

static void on_woken(struct ev_loop *ev, ev_io *watcher, int events)
{
    (void)ev;
    (void)events;
    system_waker_drain(&((ev_side *)watcher->data)->waker);
}

/* ---- the timer ---- */

static void on_timer(struct ev_loop *ev, ev_timer *watcher, int events)
{
    (void)ev;
    (void)events;
    ((ev_side *)watcher->data)->armed = THRUM_NEVER;
}

/* Have libev wake up at `until`. One that is armed for earlier is left as it is unless it is near: waking once too
 * early is cheaper than moving it each time. */
static void arm(ev_side *side, thrum_time until)
{
    if (until == side->armed)
        return;
    if (until > side->armed && side->armed - side->polled > NEAR && (until != THRUM_NEVER || !side->guest))
        return; /* but in the application's loop, which would run on for a timer that nobody waits for */
    ev_timer_stop(side->ev, &side->timer);
    side->armed = until;
    if (until == THRUM_NEVER)
        return;
    thrum_time delay = until - side->polled;
    if (delay > LONGEST)
        delay = LONGEST;
    /* The pollers wait whole milliseconds, and libev rounds down: a part of one would cost a second, short wait. */
    thrum_time milliseconds = (delay + TICK - 1) / TICK;
    ev_timer_set(&side->timer, (double)milliseconds * 1e-3 + 0.5e-3, 0.);
    ev_timer_start(side->ev, &side->timer);
}

/* ---- opening and closing ---- */

static int open_common(ev_side *side)
{
    int error = system_waker_open(&side->waker);
    if (error)
        return error;
    side->armed = THRUM_NEVER;
    side->descriptor = -1;
    ev_timer_init(&side->timer, on_timer, 0., 0.);
    side->timer.data = side;
    ev_io_init(&side->woken, on_woken, side->waker.read, EV_READ);
    side->woken.data = side;
    ev_io_start(side->ev, &side->woken);
    ev_now_update(side->ev);
    side->polled = clock_now(side);
    return 0;
}

/* $THRUM_POLLER, for loops whose options name none: a name that means nothing is passed over. */
static thrum_poller poller_wanted(void)
{
    static const char *const names[] = {"", "select", "poll", "epoll", "kqueue"};
    const char *wanted = getenv("THRUM_POLLER");
    for (unsigned i = 1; wanted && i < sizeof names / sizeof *names; i++)
        if (strcmp(wanted, names[i]) == 0)
            return (thrum_poller)i;
    return THRUM_POLLER_DEFAULT;
}

static int own_open(void *own, thrum_loop *loop, const thrum_loop_options *options)
{
    static const unsigned pollers[] = {EVFLAG_AUTO, EVBACKEND_SELECT, EVBACKEND_POLL, EVBACKEND_EPOLL,
                                       EVBACKEND_KQUEUE};
    ev_side *side = (ev_side *)own;
    (void)loop;
    if ((unsigned)options->poller >= sizeof pollers / sizeof pollers[0])
        return THRUM_EINVAL;
    unsigned poller = pollers[options->poller ? options->poller : poller_wanted()];
    if (poller && !(ev_supported_backends() & poller))
        return THRUM_EUNSUPPORTED;
    errno = 0;
    side->ev = ev_loop_new(poller | EVFLAG_NOENV | EVFLAG_NOSIGMASK | EVFLAG_NOTIMERFD);
    if (!side->ev)
        return errno ? -errno : THRUM_EUNSUPPORTED;
    int error = open_common(side);
    if (error)
        ev_loop_destroy(side->ev);
    return error;
}

static void own_close(void *own)
{
    ev_side *side = (ev_side *)own;
    ev_loop_destroy(side->ev);
    system_waker_close(&side->waker);
}

/* ---- waiting ---- */

static int own_wait(void *own, thrum_time until, thrum_time *woke)
{
    ev_side *side = (ev_side *)own;
    if (until)
        arm(side, until);
    ev_run(side->ev, until ? EVRUN_ONCE : EVRUN_NOWAIT);
    *woke = side->polled = clock_now(side);
    return 0;
}

/* ---- descriptors ---- */

_Static_assert(sizeof(ev_io) <= sizeof((thrum_io *)0)->storage, "an ev_io stands in thrum_io.storage");

static void on_io(struct ev_loop *ev, ev_io *watcher, int events)
{
    thrum_io *io = (thrum_io *)watcher->data;
    (void)ev;
    if (events & EV_ERROR) {
        /* libev has stopped it. It is no descriptor, which reading or writing will say; or the system had no memory to
         * watch it, and may have some in the next pass. */
        io->started = false;
        if (fcntl(io->descriptor, F_GETFD) >= 0) {
            ev_io_set(watcher, watcher->fd, watcher->events); /* else libev takes it for watched */
            thrum_io_start(io);
            return;
        }
    }
    io->ready(io);
}

static int side_io_open(void *own, thrum_io *io)
{
    ev_io *watcher = (ev_io *)(void *)io->storage;
    (void)own;
    ev_io_init(watcher, on_io, io->descriptor,
               (io->events & THRUM_IO_READ ? EV_READ : 0) | (io->events & THRUM_IO_WRITE ? EV_WRITE : 0));
    watcher->data = io;
    return 0;
}

static void side_io_start(void *own, thrum_io *io)
{
    ev_io_start(((ev_side *)own)->ev, (ev_io *)(void *)io->storage);
}

static void side_io_stop(void *own, thrum_io *io)
{
    ev_io_stop(((ev_side *)own)->ev, (ev_io *)(void *)io->storage);
}

/* ---- paths ---- */

static void on_path(struct ev_loop *ev, ev_stat *watcher, int events)
{
    thrum_watched_path *path = (thrum_watched_path *)watcher->data;
    (void)ev;
    (void)events;
    path->changed(path);
}

/* It does not keep the application's loop going: who waits for it does. */
static int side_path_start(void *own, thrum_watched_path *path, thrum_time interval)
{
    struct ev_loop *ev = ((ev_side *)own)->ev;
    ev_stat *watcher = (ev_stat *)malloc(sizeof *watcher);
    if (!watcher)
        return THRUM_ENOMEM;
    ev_stat_init(watcher, on_path, path->name, (double)interval / (double)THRUM_TICKS_PER_SECOND);
    watcher->data = path;
    path->storage = watcher;
    ev_stat_start(ev, watcher);
    ev_unref(ev);
    return 0;
}

static void side_path_stop(void *own, thrum_watched_path *path)
{
    struct ev_loop *ev = ((ev_side *)own)->ev;
    ev_ref(ev);
    ev_stat_stop(ev, (ev_stat *)path->storage);
    free(path->storage);
}

/* ---- children ---- */

static void on_child(struct ev_loop *ev, ev_child *watcher, int events)
{
    thrum_watched_child *child = (thrum_watched_child *)watcher->data;
    (void)ev;
    (void)events;
    child->status = watcher->rstatus;
    child->ended(child);
}

/* The default loop takes every child of the process from the system, ours too: it has to be asked. Others take none. */
static int guest_child_start(void *own, thrum_watched_child *child)
{
    struct ev_loop *ev = ((ev_side *)own)->ev;
    if (!ev_is_default_loop(ev))
        return THRUM_EUNSUPPORTED;
    ev_child *watcher = (ev_child *)malloc(sizeof *watcher);
    if (!watcher)
        return THRUM_ENOMEM;
    ev_child_init(watcher, on_child, child->process, 0);
    watcher->data = child;
    child->storage = watcher;
    ev_child_start(ev, watcher);
    return 0;
}

static void guest_child_stop(void *own, thrum_watched_child *child)
{
    ev_child_stop(((ev_side *)own)->ev, (ev_child *)child->storage);
    free(child->storage);
}

static void on_embedded(struct ev_loop *ev, ev_embed *watcher, int events)
{
    (void)ev;
    (void)watcher;
    (void)events;
}

/* libev has no call that gives its poller's descriptor, but it can put one loop into another: there it shows. */
static int own_descriptor(void *own)
{
    ev_side *side = (ev_side *)own;
    if (side->descriptor >= 0)
        return side->descriptor;
    if (!(ev_backend(side->ev) & ev_embeddable_backends()))
        return THRUM_EUNSUPPORTED;
    struct ev_loop *outer = ev_loop_new(EVBACKEND_SELECT | EVFLAG_NOENV | EVFLAG_NOTIMERFD);
    if (!outer)
        return THRUM_ENOMEM;
    ev_embed embed;
    ev_embed_init(&embed, on_embedded, side->ev);
    ev_embed_start(outer, &embed);
    side->descriptor = embed.io.fd;
    ev_embed_stop(outer, &embed);
    ev_loop_destroy(outer);
    return side->descriptor;
}

const thrum_backend thrum_backend_libev = {
    .size = sizeof(thrum_backend),
    .storage = sizeof(ev_side),
    .open = own_open,
    .close = own_close,
    .now = clock_now,
    .resolution = clock_resolution,
    .wait = own_wait,
    .wake = side_wake,
    .io_open = side_io_open,
    .io_start = side_io_start,
    .io_stop = side_io_stop,
    .path_start = side_path_start,
    .path_stop = side_path_stop,
    .descriptor = own_descriptor,
};

/* ---- a guest in the application's loop ----
 *
 * Before libev waits, `prepare` tells it how long it may; after it has called every other watcher (ours have the lowest
 * priority), `check` runs a pass. Neither keeps the application's ev_run() going: what tasks wait for does. */

static void on_idle(struct ev_loop *ev, ev_idle *watcher, int events)
{
    (void)ev;
    (void)watcher;
    (void)events;
}

static void on_prepare(struct ev_loop *ev, ev_prepare *watcher, int events)
{
    ev_side *side = (ev_side *)watcher->data;
    (void)events;
    thrum_time until = thrum_backend_before_wait(side->guest);
    if (!until) {
        ev_idle_start(ev, &side->idle);
        return;
    }
    ev_idle_stop(ev, &side->idle);
    if (side->limit < until)
        until = side->limit;
    if (until != side->armed) {
        if (until != THRUM_NEVER) {
            ev_now_update(ev);
            side->polled = clock_now(side);
        }
        arm(side, until);
    }
}

static void on_check(struct ev_loop *ev, ev_check *watcher, int events)
{
    ev_side *side = (ev_side *)watcher->data;
    (void)events;
    /* ev_run() comes round once more as long as something is active; then `prepare` says for what. */
    if (thrum_backend_pass(side->guest))
        ev_idle_start(ev, &side->idle);
}

static int guest_open(void *own, thrum_loop *loop, const thrum_loop_options *options)
{
    ev_side *side = (ev_side *)own;
    side->ev = (struct ev_loop *)options->custom_context;
    side->guest = loop;
    side->limit = THRUM_NEVER;
    int error = open_common(side);
    if (error)
        return error;
    ev_prepare_init(&side->prepare, on_prepare);
    ev_check_init(&side->check, on_check);
    ev_idle_init(&side->idle, on_idle);
    ev_set_priority(&side->check, EV_MINPRI);
    ev_set_priority(&side->idle, EV_MINPRI);
    side->prepare.data = side->check.data = side->idle.data = side;
    ev_prepare_start(side->ev, &side->prepare);
    ev_check_start(side->ev, &side->check);
    for (int i = 0; i < 3; i++)
        ev_unref(side->ev); /* woken, prepare and check do not count */
    return 0;
}

static void guest_close(void *own)
{
    ev_side *side = (ev_side *)own;
    for (int i = 0; i < 3; i++)
        ev_ref(side->ev);
    ev_idle_stop(side->ev, &side->idle);
    ev_check_stop(side->ev, &side->check);
    ev_prepare_stop(side->ev, &side->prepare);
    ev_timer_stop(side->ev, &side->timer);
    ev_io_stop(side->ev, &side->woken);
    system_waker_close(&side->waker);
}

static int guest_wait(void *own, thrum_time until, thrum_time *woke)
{
    ev_side *side = (ev_side *)own;
    (void)woke;
    side->limit = until;
    ev_ref(side->ev); /* wait also when nothing but a post can end it */
    ev_run(side->ev, until ? EVRUN_ONCE : EVRUN_NOWAIT);
    ev_unref(side->ev);
    side->limit = THRUM_NEVER;
    return 0;
}

static void guest_hold(void *own, bool more)
{
    struct ev_loop *ev = ((ev_side *)own)->ev;
    if (more)
        ev_ref(ev);
    else
        ev_unref(ev);
}

const thrum_backend thrum_backend_guest = {
    .size = sizeof(thrum_backend),
    .storage = sizeof(ev_side),
    .drives = true,
    .open = guest_open,
    .close = guest_close,
    .now = clock_now,
    .resolution = clock_resolution,
    .wait = guest_wait,
    .wake = side_wake,
    .hold = guest_hold,
    .io_open = side_io_open,
    .io_start = side_io_start,
    .io_stop = side_io_stop,
    .path_start = side_path_start,
    .path_stop = side_path_stop,
    .child_start = guest_child_start,
    .child_stop = guest_child_stop,
};

struct ev_loop *thrum_loop_ev(thrum_loop *loop)
{
    const ev_side *side = (const ev_side *)thrum_backend_storage(loop, &thrum_backend_libev);
    if (!side)
        side = (const ev_side *)thrum_backend_storage(loop, &thrum_backend_guest);
    return side ? side->ev : NULL;
}
