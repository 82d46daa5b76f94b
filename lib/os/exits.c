#include "os/exits.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loop/log.h"
#include "loop/loop.h"
#include "loop/system.h"
#include "os/spawn.h"

#if SYSTEM_LINUX
#include <sys/syscall.h>
#endif

/* What is given when somebody else has taken the status: asyncio's number. And how long a child that was killed may
 * take to go when the loop closes, in milliseconds. */
enum { STOLEN = 255, LAST_WAIT = 1000 };

/* ---- the system ---- */

/* waitid() of this very child: its number stands for it only as long as nobody else takes children of ours. */
static int wait_for(const exit_watch *watch, siginfo_t *info, int flags)
{
    int result;
    memset(info, 0, sizeof *info);
    do {
#if SYSTEM_LINUX
        enum { BY_DESCRIPTOR = 3 }; /* P_PIDFD, since 5.4 */
        result = watch->pidfd >= 0 ? waitid((idtype_t)BY_DESCRIPTOR, (id_t)watch->pidfd, info, flags) : -1;
        if (watch->pidfd < 0 || (result && errno == EINVAL))
#endif
            result = waitid(P_PID, (id_t)watch->pid, info, flags);
    } while (result && errno == EINTR);
    return result;
}

static int send_signal(const exit_watch *watch, int number)
{
    if (watch->whole)
        return kill(-watch->pid, number);
#if SYSTEM_LINUX
    if (watch->pidfd >= 0)
        return (int)syscall(SYS_pidfd_send_signal, watch->pidfd, number, NULL, 0);
#endif
    return kill(watch->pid, number);
}

/* ---- the end ---- */

static void note(exit_watch *watch, int returncode)
{
    watch->returncode = returncode;
    watch->over = true;
}

/* Whether it has ended. The status of one that leads a group stays, so that its number does. */
static bool look(exit_watch *watch)
{
    siginfo_t info;
    if (wait_for(watch, &info, WEXITED | WNOHANG | (watch->whole ? WNOWAIT : 0))) {
        thrum_log("the exit status of process %d was taken by somebody else", watch->pid);
        watch->taken = true;
        note(watch, STOLEN);
        return true;
    }
    if (!info.si_pid)
        return false;
    watch->taken = !watch->whole;
    note(watch, info.si_code == CLD_EXITED ? info.si_status : -info.si_status);
    return true;
}

static void bury(exit_watch *watch)
{
    siginfo_t info;
    if (!watch->taken)
        (void)wait_for(watch, &info, WEXITED);
    watch->taken = true;
}

static void close_descriptor(exit_watch *watch)
{
    thrum_io_close(&watch->io);
    if (watch->pidfd >= 0)
        (void)close(watch->pidfd);
    watch->pidfd = -1;
}

/* ---- by its descriptor: readable when it has ended, also when that was before ---- */

static void descriptor_ready(thrum_io *io)
{
    exit_watch *watch = thrum_io_of(io, exit_watch, io);
    if (!look(watch))
        return;
    thrum_io_stop(io);
    watch->ended(watch);
}

static int by_descriptor(exit_watch *watch)
{
    int error = thrum_io_init(&watch->io, watch->pidfd, THRUM_IO_READ, descriptor_ready);
    if (!error)
        thrum_io_start(&watch->io);
    return error;
}

/* ---- by the application's libev loop ---- */

static void backend_tells(thrum_watched_child *child)
{
    exit_watch *watch = (exit_watch *)(void *)((char *)child - offsetof(exit_watch, child));
    watch->taken = true;
    note(watch, WIFEXITED(child->status) ? WEXITSTATUS(child->status) : -WTERMSIG(child->status));
    watch->ended(watch);
}

static int by_backend(exit_watch *watch)
{
    const thrum_backend *verbs = &watch->loop->verbs;
    if (!verbs->child_start)
        return THRUM_EUNSUPPORTED;
    watch->child.process = watch->pid;
    watch->child.ended = backend_tells;
    int error = verbs->child_start(loop_own(watch->loop), &watch->child);
    watch->by_backend = !error;
    return error;
}

int exit_watch_check(bool whole)
{
    thrum_loop *loop = loop_here();
    thrum_watched_child probe = {.process = getpid()}; /* nobody's own child */
    if (!whole || !loop->verbs.child_start)
        return 0;
    int error = loop->verbs.child_start(loop_own(loop), &probe);
    if (error)
        return error == THRUM_EUNSUPPORTED ? 0 : error;
    loop->verbs.child_stop(loop_own(loop), &probe);
    return THRUM_EUNSUPPORTED;
}

/* ---- by a thread that waits ---- */

typedef struct exit_thread {
    exit_watch *watch;
    thrum_loop *loop;
    thrum_post post;
    pthread_cond_t ended;
    int pid;
    bool done;      /* it has posted, and touches this no more */
    bool abandoned; /* nobody waits: it takes the status, and frees this */
} exit_thread;

static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;

static void thread_free(exit_thread *self)
{
    (void)pthread_cond_destroy(&self->ended);
    free(self);
}

static void *wait_in_thread(void *argument)
{
    exit_thread *self = (exit_thread *)argument;
    siginfo_t info;
    int pid = self->pid;
    while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) && errno == EINTR)
        continue;
    pthread_mutex_lock(&guard);
    bool abandoned = self->abandoned;
    self->done = true;
    if (!abandoned)
        (void)thrum_call_soon_threadsafe(self->loop, &self->post);
    (void)pthread_cond_signal(&self->ended);
    pthread_mutex_unlock(&guard);
    if (abandoned) {
        (void)waitid(P_PID, (id_t)pid, &info, WEXITED);
        thread_free(self);
    }
    return NULL;
}

static void leave_thread(exit_watch *watch)
{
    exit_thread *thread = watch->thread;
    watch->thread = NULL;
    if (!thread)
        return;
    loop_unhold(watch->loop);
    pthread_mutex_lock(&guard);
    bool done = thread->done;
    thread->abandoned = true;
    pthread_mutex_unlock(&guard);
    if (!done)
        return;
    (void)thrum_post_cancel(watch->loop, &thread->post);
    thread_free(thread);
}

static void wait_for_thread(exit_thread *thread)
{
    const struct timespec limit = system_limit(LAST_WAIT * (THRUM_TICKS_PER_SECOND / 1000));
    pthread_mutex_lock(&guard);
    while (!thread->done && pthread_cond_timedwait(&thread->ended, &guard, &limit) != ETIMEDOUT)
        continue;
    pthread_mutex_unlock(&guard);
}

static void thread_tells(thrum_post *post)
{
    exit_watch *watch = ((exit_thread *)post->context)->watch;
    (void)look(watch);
    leave_thread(watch);
    watch->ended(watch);
}

static int start_thread(exit_thread *thread)
{
    const size_t stack = 65536, least = (size_t)PTHREAD_STACK_MIN;
    pthread_attr_t attributes;
    pthread_t made;
    sigset_t all, before;
    (void)pthread_attr_init(&attributes);
    (void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    (void)pthread_attr_setstacksize(&attributes, stack > least ? stack : least);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = -pthread_create(&made, &attributes, wait_in_thread, thread);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)pthread_attr_destroy(&attributes);
    return error;
}

static int by_thread(exit_watch *watch)
{
    exit_thread *thread = (exit_thread *)calloc(1, sizeof *thread);
    if (!thread)
        return THRUM_ENOMEM;
    thread->watch = watch;
    thread->loop = watch->loop;
    thread->pid = watch->pid;
    system_condition_init(&thread->ended);
    thread->post.call = thread_tells;
    thread->post.context = thread;
    int error = start_thread(thread);
    if (error) {
        thread_free(thread);
        return error;
    }
    watch->thread = thread;
    loop_hold(watch->loop);
    return 0;
}

/* ---- either way ---- */

int exit_watch_start(exit_watch *watch)
{
    watch->loop = loop_here();
    int error = by_backend(watch);
    if (error == THRUM_EUNSUPPORTED)
        error = watch->pidfd >= 0 ? by_descriptor(watch) : by_thread(watch);
    if (error) {
        (void)send_signal(watch, SIGKILL);
        bury(watch);
        close_descriptor(watch);
    }
    return error;
}

int exit_watch_signal(exit_watch *watch, int number)
{
    if (watch->pid <= 0 || (watch->over && (!watch->whole || watch->taken)))
        return -ESRCH;
    if (number < 0 || number >= NSIG)
        return THRUM_EINVAL;
    if (send_signal(watch, number) == 0 || errno == ESRCH) /* it ended, and the loop has not seen it yet */
        return 0;
    return errno == EINVAL ? THRUM_EINVAL : -errno;
}

void exit_watch_end(exit_watch *watch)
{
    if (watch->by_backend)
        watch->loop->verbs.child_stop(loop_own(watch->loop), &watch->child);
    watch->by_backend = false;
    leave_thread(watch);
    bury(watch);
    close_descriptor(watch);
}

static void wait_a_little(const exit_watch *watch)
{
    struct pollfd end = {.fd = watch->pidfd, .events = POLLIN};
    if (watch->thread)
        wait_for_thread(watch->thread);
    else
        while (poll(&end, 1, LAST_WAIT) < 0 && errno == EINTR)
            continue;
}

void exit_watch_leave(exit_watch *watch, bool kill)
{
    if (kill)
        (void)exit_watch_signal(watch, SIGKILL);
    if (kill && !watch->over && !watch->by_backend) {
        wait_a_little(watch);
        if (!look(watch))
            thrum_log("process %d was killed, and does not end", watch->pid);
    }
    if (!watch->over)
        watch->taken = true; /* by libev, by the thread, or by nobody */
    exit_watch_end(watch);
}
