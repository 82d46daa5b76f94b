/* A port for any POSIX system, on poll(2): thrum without threads or libev, on hosts that lack it, and for trying
 * firmware. Signals are its interrupts: a signal's handler may call what is for interrupts, and in debug builds counts
 * thrum_port_interrupts up while it is at work, which shows what else it calls. Awaits of descriptors are at the
 * end.
 *
 * The call that sleeps has to let handlers run in the same moment: ppoll(), which Linux and the BSDs have; pselect()
 * where there is none, as on macOS, or THRUM_PORT_PSELECT is 1: for descriptors below FD_SETSIZE. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* ppoll */
#endif
#include <thrum/async.h>
#include <thrum/bare.h>
#include <thrum/port.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/select.h>
#include <time.h>

#ifndef THRUM_PORT_START
#define THRUM_PORT_START 0
#endif

#ifndef THRUM_PORT_PSELECT
#ifdef __APPLE__
#define THRUM_PORT_PSELECT 1
#else
#define THRUM_PORT_PSELECT 0
#endif
#endif

#ifndef THRUM_PORT_DESCRIPTORS
#define THRUM_PORT_DESCRIPTORS 16
#endif

volatile sig_atomic_t thrum_port_interrupts;

static sigset_t saved;
static unsigned depth; /* of masks */
static bool armed;
static thrum_time alarm_at;
static int64_t began;

/* What is waited for, and by whom. Edited behind the mask, so that a handler finds it whole. */
static struct pollfd polled[THRUM_PORT_DESCRIPTORS];
static thrum_signal *waiting[THRUM_PORT_DESCRIPTORS];
static nfds_t descriptors;

static int64_t ticks(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * THRUM_TICKS_PER_SECOND + now.tv_nsec / (1000000000 / THRUM_TICKS_PER_SECOND);
}

void thrum_port_open(void)
{
    began = ticks();
    armed = false;
    descriptors = 0;
}

uintptr_t thrum_port_lock(void)
{
    sigset_t every, before;
    if (depth == 0) {
        sigfillset(&every);
        sigprocmask(SIG_BLOCK, &every, &before);
        saved = before;
    }
    depth++;
    return 0;
}

void thrum_port_unlock(uintptr_t token)
{
    (void)token;
    if (--depth == 0) {
        sigset_t before = saved; /* a handler may run as soon as the mask is gone, and mask anew */
        sigprocmask(SIG_SETMASK, &before, NULL);
    }
}

#if THRUM_PORT_PSELECT

static bool can_look_at(int descriptor)
{
    return descriptor < FD_SETSIZE;
}

/* pselect() sleeps, and poll() says what there is. */
static int sleep_until_ready(const struct timespec *most, const sigset_t *open)
{
    fd_set in, out;
    int above = 0;
    FD_ZERO(&in);
    FD_ZERO(&out);
    for (nfds_t i = 0; i < descriptors; i++) {
        if (polled[i].fd < 0)
            continue; /* told already */
        if (polled[i].events & POLLIN)
            FD_SET(polled[i].fd, &in);
        if (polled[i].events & POLLOUT)
            FD_SET(polled[i].fd, &out);
        above = polled[i].fd >= above ? polled[i].fd + 1 : above;
    }
    (void)pselect(above, &in, &out, NULL, most, open);
    return poll(polled, descriptors, 0);
}

#else

static bool can_look_at(int descriptor)
{
    (void)descriptor;
    return true;
}

static int sleep_until_ready(const struct timespec *most, const sigset_t *open)
{
    return ppoll(polled, descriptors, most, open);
}

#endif

/* Sleep behind the mask, which `open` takes away meanwhile, and post to those whose descriptors are ready. poll(2)
 * passes over those that were told, which find in `events` what there was. */
static void look(const struct timespec *most, const sigset_t *open)
{
    int ready = sleep_until_ready(most, open);
    for (nfds_t i = 0; ready > 0 && i < descriptors; i++)
        if (polled[i].revents) {
            polled[i].fd = -1;
            polled[i].events = polled[i].revents;
            thrum_signal_post_from_isr(waiting[i]);
        }
}

/* Every pass of the loop asks for the time. One that has no rest for idle() looks at descriptors here. */
thrum_time thrum_port_now(void)
{
    static const struct timespec none = {0, 0};
    int error = errno;
    if (depth == 0 && descriptors > 0) {
        uintptr_t was = thrum_port_lock();
        look(&none, NULL);
        thrum_port_unlock(was);
    }
    errno = error;
    return (thrum_time)((uint64_t)(ticks() - began) + (uint64_t)THRUM_PORT_START);
}

void thrum_port_arm(thrum_time when)
{
    armed = true;
    alarm_at = when;
}

void thrum_port_idle(void)
{
    struct timespec wait, *most = NULL;
    if (armed) {
        int64_t left = (int32_t)(alarm_at - thrum_port_now());
        left = left < 0 ? 0 : left;
        wait.tv_sec = (time_t)(left / THRUM_TICKS_PER_SECOND);
        wait.tv_nsec = (long)(left % THRUM_TICKS_PER_SECOND * (1000000000 / THRUM_TICKS_PER_SECOND));
        most = &wait;
        armed = false;
    }
    unsigned masks = depth;
    sigset_t before = saved;
    depth = 0; /* handlers run in the sleep, and mask on their own */
    look(most, &before);
    depth = masks;
    saved = before;
}

bool thrum_port_in_isr(void)
{
    return thrum_port_interrupts != 0;
}

void thrum_port_panic(const char *what, const char *function, uint32_t line)
{
    fprintf(stderr, "thrum: %s (%s:%lu)\n", what, function ? function : "?", (unsigned long)line);
    abort();
}

/* ---- descriptors ---- */

static bool enter(int descriptor, short events, thrum_signal *signal)
{
    uintptr_t was = thrum_port_lock();
    bool room = descriptors < THRUM_PORT_DESCRIPTORS && can_look_at(descriptor);
    if (room) {
        polled[descriptors] = (struct pollfd){descriptor, events, 0};
        waiting[descriptors++] = signal;
    }
    thrum_port_unlock(was);
    return room;
}

/* Gives what poll(2) said. */
static int leave(thrum_signal *signal)
{
    int found = 0;
    uintptr_t was = thrum_port_lock();
    for (nfds_t i = 0; i < descriptors; i++)
        if (waiting[i] == signal) {
            found = polled[i].fd < 0 ? polled[i].events : 0;
            polled[i] = polled[--descriptors];
            waiting[i] = waiting[descriptors];
            break;
        }
    thrum_port_unlock(was);
    thrum_signal_cancel(signal);
    return found;
}

static ASYNC(port_ready, ARGS((int, descriptor), (short, events)), LOCALS(thrum_signal signal; int found;))
{
    ASYNC_BEGIN;
    thrum_signal_init(&self->signal, NULL, NULL);
    if (!enter(self->descriptor, self->events, &self->signal))
        ASYNC_RAISE(THRUM_ENOMEM);
    AWAIT(thrum_signal_wait(&self->signal));
    self->found = leave(&self->signal);
    ASYNC_RETURN((thrum_value)self->found);
FINALLY:
    leave(&self->signal);
    ASYNC_END;
}

thrum_awaitable thrum_port_ready(int descriptor, short events)
{
    return port_ready(descriptor, events);
}
