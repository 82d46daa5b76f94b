/* libev under the loop: a loop of our own, or one that the application runs. The only file that knows libev. It does
 * the polling and nothing else: the ready queue and the timers are the core's, and one timer of libev stands for the
 * earliest of them. */
#include <ev.h>

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/eventfd.h>
#endif

#include "loop/loop.h"

typedef struct ev_side {
    thrum_loop loop;
    struct ev_loop *ev;
    ev_io woken;
    int wake_read, wake_write; /* one eventfd, or a pipe */
    ev_timer timer;
    thrum_time armed;  /* what the timer stands for; THRUM_NEVER when it does not run */
    thrum_time polled; /* our clock when libev last read its own */
    thrum_time limit;  /* guest: until when wait() may last */
    int descriptor;    /* the poller's once somebody asked, or -1 */
    ev_prepare prepare;
    ev_check check;
    ev_idle idle;
} ev_side;

/* The longest wait, and how near an armed timer must be for it to be worth moving later. */
static const thrum_time LONGEST = 86400 * (thrum_time)THRUM_TICKS_PER_SECOND;
static const thrum_time TICK = THRUM_TICKS_PER_SECOND / 1000;
static const thrum_time NEAR = 5 * (THRUM_TICKS_PER_SECOND / 1000);

static ev_side *side_of(const thrum_loop *loop)
{
    return (ev_side *)(uintptr_t)loop;
}

static thrum_time clock_now(const thrum_loop *loop)
{
    struct timespec now;
    (void)loop;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (thrum_time)now.tv_sec * THRUM_TICKS_PER_SECOND + (thrum_time)now.tv_nsec;
}

static thrum_time clock_resolution(const thrum_loop *loop)
{
    struct timespec ticks;
    (void)loop;
    clock_getres(CLOCK_MONOTONIC, &ticks);
    return (thrum_time)ticks.tv_sec * THRUM_TICKS_PER_SECOND + (thrum_time)ticks.tv_nsec;
}

/* ---- waking ---- */

static void side_wake(thrum_loop *loop)
{
    const uint64_t one = 1;
    int saved = errno;
    /* A full pipe is as good: the loop is being woken. */
    ssize_t written = write(side_of(loop)->wake_write, &one, sizeof one);
    (void)written;
    errno = saved;
}

static void on_woken(struct ev_loop *ev, ev_io *watcher, int events)
{
    const ev_side *side = (const ev_side *)watcher->data;
    char drain[256];
    (void)ev;
    (void)events;
    while (read(side->wake_read, drain, sizeof drain) == (ssize_t)sizeof drain)
        continue;
}

static int open_wake(ev_side *side)
{
#ifdef __linux__
    side->wake_read = side->wake_write = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return side->wake_read < 0 ? -errno : 0;
#else
    int ends[2];
    if (pipe(ends) < 0)
        return -errno;
    for (int i = 0; i < 2; i++) {
        fcntl(ends[i], F_SETFD, FD_CLOEXEC);
        fcntl(ends[i], F_SETFL, O_NONBLOCK);
    }
    side->wake_read = ends[0];
    side->wake_write = ends[1];
    return 0;
#endif
}

static void close_wake(ev_side *side)
{
    close(side->wake_read);
    if (side->wake_write != side->wake_read)
        close(side->wake_write);
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
    if (until > side->armed && side->armed - side->polled > NEAR &&
        (until != THRUM_NEVER || !side->loop.backend->drives))
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
    int error = open_wake(side);
    if (error)
        return error;
    side->armed = THRUM_NEVER;
    side->descriptor = -1;
    ev_timer_init(&side->timer, on_timer, 0., 0.);
    side->timer.data = side;
    ev_io_init(&side->woken, on_woken, side->wake_read, EV_READ);
    side->woken.data = side;
    ev_io_start(side->ev, &side->woken);
    ev_now_update(side->ev);
    side->polled = clock_now(&side->loop);
    return 0;
}

static int own_open(thrum_loop *loop, const thrum_loop_options *options)
{
    static const unsigned pollers[] = {EVFLAG_AUTO, EVBACKEND_SELECT, EVBACKEND_POLL, EVBACKEND_EPOLL,
                                       EVBACKEND_KQUEUE};
    ev_side *side = side_of(loop);
    if ((unsigned)options->poller >= sizeof pollers / sizeof pollers[0])
        return THRUM_EINVAL;
    unsigned poller = pollers[options->poller];
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

static void own_close(thrum_loop *loop)
{
    ev_side *side = side_of(loop);
    ev_loop_destroy(side->ev);
    close_wake(side);
}

/* ---- waiting ---- */

static int own_wait(thrum_loop *loop, thrum_time until)
{
    ev_side *side = side_of(loop);
    bool wait = until > loop->state->now && thrum_inbox_sleep(&loop->inbox);
    if (wait)
        arm(side, until);
    ev_run(side->ev, wait ? EVRUN_ONCE : EVRUN_NOWAIT);
    loop->woke = side->polled = clock_now(loop);
    thrum_inbox_wake(&loop->inbox);
    return 0;
}

/* ---- descriptors ---- */

_Static_assert(sizeof(ev_io) <= 7 * sizeof(void *), "an ev_io stands in thrum_io.storage, before its last word");

static void on_io(struct ev_loop *ev, ev_io *watcher, int events)
{
    thrum_io *io = (thrum_io *)watcher->data;
    (void)ev;
    if (events & EV_ERROR)
        io->started = false; /* libev has stopped it: not a descriptor. Reading or writing will say so. */
    io->ready(io);
}

static void side_io_init(thrum_loop *loop, thrum_io *io)
{
    ev_io *watcher = (ev_io *)(void *)io->storage;
    (void)loop;
    ev_io_init(watcher, on_io, io->descriptor,
               (io->events & IO_READ ? EV_READ : 0) | (io->events & IO_WRITE ? EV_WRITE : 0));
    watcher->data = io;
}

static void side_io_start(thrum_loop *loop, thrum_io *io)
{
    ev_io_start(side_of(loop)->ev, (ev_io *)(void *)io->storage);
}

static void side_io_stop(thrum_loop *loop, thrum_io *io)
{
    ev_io_stop(side_of(loop)->ev, (ev_io *)(void *)io->storage);
}

static void on_embedded(struct ev_loop *ev, ev_embed *watcher, int events)
{
    (void)ev;
    (void)watcher;
    (void)events;
}

/* libev has no call that gives its poller's descriptor, but it can put one loop into another: there it shows. */
static int own_descriptor(thrum_loop *loop)
{
    ev_side *side = side_of(loop);
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

struct ev_loop *thrum_loop_ev(thrum_loop *loop)
{
    return loop->backend == &thrum_backend_libev || loop->backend == &thrum_backend_guest ? side_of(loop)->ev : NULL;
}

const thrum_backend thrum_backend_libev = {
    .size = sizeof(ev_side),
    .open = own_open,
    .close = own_close,
    .now = clock_now,
    .resolution = clock_resolution,
    .wait = own_wait,
    .wake = side_wake,
    .io_init = side_io_init,
    .io_start = side_io_start,
    .io_stop = side_io_stop,
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
    thrum_loop *loop = &side->loop;
    (void)events;
    if (loop->turning) {
        ev_idle_stop(ev, &side->idle); /* a step runs ev_run() itself: nothing of ours goes on meanwhile */
        return;
    }
    if (!list_empty(&loop->state->ready) || !thrum_inbox_sleep(&loop->inbox)) {
        ev_idle_start(ev, &side->idle);
        return;
    }
    ev_idle_stop(ev, &side->idle);
    thrum_time until = thrum_core_next();
    if (side->limit < until)
        until = side->limit;
    if (until != side->armed) {
        if (until != THRUM_NEVER) {
            ev_now_update(ev);
            side->polled = clock_now(loop);
        }
        arm(side, until);
    }
}

static void on_check(struct ev_loop *ev, ev_check *watcher, int events)
{
    ev_side *side = (ev_side *)watcher->data;
    thrum_loop *loop = &side->loop;
    (void)events;
    if (loop->turning)
        return;
    thrum_inbox_wake(&loop->inbox);
    loop->woke = clock_now(loop);
    loop_turn(loop);
    if (!loop->running)
        loop->stopping = false;
    /* ev_run() comes round once more as long as something is active; then `prepare` says for what. */
    if (loop_ready(loop) || thrum_core_next() != THRUM_NEVER)
        ev_idle_start(ev, &side->idle);
}

static int guest_open(thrum_loop *loop, const thrum_loop_options *options)
{
    ev_side *side = side_of(loop);
    (void)options;
    side->ev = (struct ev_loop *)loop->argument;
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

static void guest_close(thrum_loop *loop)
{
    ev_side *side = side_of(loop);
    for (int i = 0; i < 3; i++)
        ev_ref(side->ev);
    ev_idle_stop(side->ev, &side->idle);
    ev_check_stop(side->ev, &side->check);
    ev_prepare_stop(side->ev, &side->prepare);
    ev_timer_stop(side->ev, &side->timer);
    ev_io_stop(side->ev, &side->woken);
    close_wake(side);
}

static int guest_wait(thrum_loop *loop, thrum_time until)
{
    ev_side *side = side_of(loop);
    side->limit = until;
    ev_ref(side->ev); /* wait also when nothing but a post can end it */
    ev_run(side->ev, until > loop->state->now ? EVRUN_ONCE : EVRUN_NOWAIT);
    ev_unref(side->ev);
    side->limit = THRUM_NEVER;
    return 0;
}

static void guest_hold(thrum_loop *loop, bool more)
{
    if (more)
        ev_ref(side_of(loop)->ev);
    else
        ev_unref(side_of(loop)->ev);
}

const thrum_backend thrum_backend_guest = {
    .size = sizeof(ev_side),
    .drives = true,
    .open = guest_open,
    .close = guest_close,
    .now = clock_now,
    .resolution = clock_resolution,
    .wait = guest_wait,
    .wake = side_wake,
    .hold = guest_hold,
    .io_init = side_io_init,
    .io_start = side_io_start,
    .io_stop = side_io_stop,
};
