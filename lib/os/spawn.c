/* A child that becomes a program.
 *
 * On Linux it borrows our memory, as vfork()'s does, on a piece of our stack: this thread stands still until it runs
 * the program or has failed, which it then just notes in the request. Nothing is copied, however big this process is.
 * (It is what posix_spawn() does underneath, which however cannot set limits or users, and does not say what failed.)
 * The system gives a descriptor of the child with it, so there is no moment in which only its number is known.
 *
 * Such a child may call nothing that has a state in our memory: not the C library's functions, some of which tell all
 * threads (setuid) or are watched over by sanitizers, but the system's calls themselves.
 *
 * Elsewhere it is fork(), and a pipe that tells what failed, or closes when the program runs. */
#include "os/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loop/system.h"

#if SYSTEM_LINUX
#include <sched.h>
#include <sys/syscall.h>
#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x1000
#endif
#endif

bool spawn_portable = !SYSTEM_LINUX;

/* In the child sanitizers would note what it does as done by us. */
#define CHILD_ __attribute__((no_sanitize("address", "thread", "undefined")))

enum { FIRST = 3 }; /* behind the standard three */

/* ---- what a child may call: -1 with errno ---- */

#if SYSTEM_LINUX

#ifdef SYS_setgroups32
enum { SETGROUPS = SYS_setgroups32, SETGID = SYS_setgid32, SETUID = SYS_setuid32 };
#else
enum { SETGROUPS = SYS_setgroups, SETGID = SYS_setgid, SETUID = SYS_setuid };
#endif

#define child_dup2(from, to) syscall(SYS_dup3, from, to, 0)
#define child_fcntl(descriptor, command, value) syscall(SYS_fcntl, descriptor, command, value)
#define child_ioctl(descriptor, command, value) syscall(SYS_ioctl, descriptor, command, value)
#define child_setsid() syscall(SYS_setsid)
#define child_setpgid(process, group) syscall(SYS_setpgid, process, group)
#define child_chdir(path) syscall(SYS_chdir, path)
#define child_umask(mask) syscall(SYS_umask, mask)
#define child_setgroups(count, groups) syscall(SETGROUPS, count, groups)
#define child_setgid(group) syscall(SETGID, group)
#define child_setuid(user) syscall(SETUID, user)
#define child_execve(path, arguments, environment) syscall(SYS_execve, path, arguments, environment)

CHILD_ static long child_setrlimit(const thrum_subprocess_limit *limit)
{
    const uint64_t both[2] = {limit->soft, limit->hard};
    return syscall(SYS_prlimit64, 0, limit->resource, both, NULL);
}

/* The kernel's struct sigaction, whose layout depends on the processor: all zeros are SIG_DFL everywhere. */
typedef struct kernel_action {
    unsigned long words[8];
} kernel_action;

#ifdef __mips__
enum { HANDLER = 1 };
#else
enum { HANDLER = 0 };
#endif
enum { SIGNAL_BYTES = (_NSIG - 1 + 7) / 8 };

/* What has a handler of ours must not call it here: a signal may come at any time, to all of a group. */
CHILD_ static void reset_signal(int number, bool always)
{
    static const kernel_action usual;
    kernel_action old = {{0}};
    if (syscall(SYS_rt_sigaction, number, NULL, &old, (size_t)SIGNAL_BYTES))
        return;
    if (old.words[HANDLER] != (unsigned long)SIG_DFL && (always || old.words[HANDLER] != (unsigned long)SIG_IGN))
        syscall(SYS_rt_sigaction, number, &usual, NULL, (size_t)SIGNAL_BYTES);
}

CHILD_ static void child_sigmask(const sigset_t *mask)
{
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, mask, NULL, (size_t)SIGNAL_BYTES);
}

CHILD_ static bool mark_all(void)
{
#ifdef SYS_close_range
    enum { CLOSE_RANGE_CLOEXEC_ = 4 };
    return syscall(SYS_close_range, FIRST, ~0u, CLOSE_RANGE_CLOEXEC_) == 0;
#else
    return false;
#endif
}

#else

#define child_dup2(from, to) dup2(from, to)
#define child_fcntl(descriptor, command, value) fcntl(descriptor, command, value)
#define child_ioctl(descriptor, command, value) ioctl(descriptor, command, value)
#define child_setsid() setsid()
#define child_setpgid(process, group) setpgid(process, group)
#define child_chdir(path) chdir(path)
#define child_umask(mask) umask((mode_t)(mask))
#define child_setgroups(count, groups) setgroups(count, groups)
#define child_setgid(group) setgid(group)
#define child_setuid(user) setuid(user)
#define child_execve(path, arguments, environment) execve(path, arguments, environment)

_Static_assert(sizeof(gid_t) == sizeof(uint32_t), "groups are handed on as they are");

/* glibc has an enumeration there, but only where all its names are asked for. */
#ifdef __GLIBC__
#define RESOURCE(number) ((__rlimit_resource_t)(number))
#else
#define RESOURCE(number) (number)
#endif

static int child_setrlimit(const thrum_subprocess_limit *limit)
{
    const struct rlimit both = {limit->soft == UINT64_MAX ? RLIM_INFINITY : (rlim_t)limit->soft,
                                limit->hard == UINT64_MAX ? RLIM_INFINITY : (rlim_t)limit->hard};
    return setrlimit(RESOURCE(limit->resource), &both);
}

static void reset_signal(int number, bool always)
{
    struct sigaction old, usual;
    memset(&usual, 0, sizeof usual);
    usual.sa_handler = SIG_DFL;
    if (sigaction(number, NULL, &old))
        return;
    if (old.sa_flags & SA_SIGINFO || (old.sa_handler != SIG_DFL && (always || old.sa_handler != SIG_IGN)))
        (void)sigaction(number, &usual, NULL);
}

static void child_sigmask(const sigset_t *mask)
{
    (void)sigprocmask(SIG_SETMASK, mask, NULL);
}

static bool mark_all(void)
{
    return false;
}

#endif

/* ---- in the child ---- */

typedef struct child {
    spawn_request *request;
    sigset_t mask; /* for the program */
    char *const *environment;
    int most;   /* where no call marks all descriptors: they are below this */
    int status; /* a pipe's end, or -1 */
} child;

CHILD_ static void close_on_exec(const child *self)
{
    if (self->request->options->keep_descriptors || mark_all())
        return;
    for (int descriptor = FIRST; descriptor < self->most; descriptor++)
        (void)child_fcntl(descriptor, F_SETFD, FD_CLOEXEC);
}

/* Above all that the moves go to. */
CHILD_ static int above(const spawn_request *request)
{
    int highest = FIRST;
    for (size_t i = 0; i < request->move_count; i++)
        if (request->moves[i].there >= highest)
            highest = request->moves[i].there + 1;
    return highest;
}

/* Those that another one is moved to are put out of the way first. */
CHILD_ static bool move_descriptors(child *self)
{
    spawn_request *request = self->request;
    int high = above(request);
    if (self->status >= 0) {
        int moved = (int)child_fcntl(self->status, F_DUPFD_CLOEXEC, high);
        if (moved < 0)
            return false; /* which the old one tells */
        self->status = moved;
    }
    for (size_t i = 0; i < request->move_count; i++) {
        spawn_move *move = &request->moves[i];
        move->from = move->here;
        if (move->here < high && move->here != move->there)
            move->from = (int)child_fcntl(move->here, F_DUPFD_CLOEXEC, high);
        if (move->from < 0)
            return false;
    }
    for (size_t i = 0; i < request->move_count; i++) {
        const spawn_move *move = &request->moves[i];
        if (move->from == move->there ? child_fcntl(move->there, F_SETFD, 0) < 0
                                      : child_dup2(move->from, move->there) < 0)
            return false;
    }
    return true;
}

CHILD_ static bool set_limits(const thrum_subprocess_options *options)
{
    for (size_t i = 0; i < options->limit_count; i++)
        if (child_setrlimit(&options->limits[i]))
            return false;
    return true;
}

CHILD_ static void set_signals(const child *self)
{
    bool keep = self->request->options->keep_signals;
    for (int number = 1; number < _NSIG; number++)
        reset_signal(number, !keep && (number == SIGPIPE || number == SIGXFSZ));
    child_sigmask(&self->mask);
}

/* The next one of a PATH; an empty one is the folder that we are in. NULL: there are no more. */
CHILD_ static const char *next_candidate(const spawn_request *request, const char *from)
{
    char *to = request->candidate;
    const char *name = request->file;
    if (!from)
        return NULL;
    while (*from && *from != ':')
        *to++ = *from++;
    if (to != request->candidate)
        *to++ = '/';
    do
        *to++ = *name;
    while (*name++);
    return *from ? from + 1 : NULL;
}

/* As execvpe() would, but that what is no program is not handed to a shell. */
CHILD_ static void execute(const child *self)
{
    const spawn_request *request = self->request;
    char *const *arguments = (char *const *)(uintptr_t)request->arguments;
    const char *rest = request->search;
    bool forbidden = false;
    if (!rest) {
        (void)child_execve(request->file, arguments, self->environment);
        return;
    }
    while (rest) {
        rest = next_candidate(request, rest);
        (void)child_execve(request->candidate, arguments, self->environment);
        if (errno == EACCES)
            forbidden = true;
        else if (errno != ENOENT && errno != ENOTDIR)
            return;
    }
    errno = forbidden ? EACCES : ENOENT;
}

/* Returns only when something failed, with errno: at what is noted. */
CHILD_ static void become_program(child *self)
{
    spawn_request *request = self->request;
    const thrum_subprocess_options *options = request->options;
    const thrum_subprocess_identity *who = options->identity;
    request->failed = SPAWN_DESCRIPTORS;
    close_on_exec(self);
    if (!move_descriptors(self))
        return;
    request->failed = SPAWN_SESSION;
    if (options->new_session && child_setsid() < 0)
        return;
    request->failed = SPAWN_GROUP;
    if (((options->new_process_group && !options->new_session) || options->process_group > 0) &&
        child_setpgid(0, options->process_group) < 0)
        return;
    request->failed = SPAWN_TERMINAL;
    if (options->controlling_terminal && child_ioctl(STDIN_FILENO, TIOCSCTTY, 0) < 0)
        return;
    request->failed = SPAWN_DIRECTORY;
    if (options->directory && child_chdir(options->directory) < 0)
        return;
    if (options->set_umask)
        (void)child_umask(options->umask);
    request->failed = SPAWN_LIMITS;
    if (!set_limits(options))
        return;
    request->failed = SPAWN_GROUPS;
    if (who && child_setgroups(who->group_count, who->groups) < 0)
        return;
    request->failed = SPAWN_GID;
    if (who && child_setgid(who->group) < 0)
        return;
    request->failed = SPAWN_UID;
    if (who && child_setuid(who->user) < 0)
        return;
    request->failed = SPAWN_EXEC;
    set_signals(self);
    execute(self);
}

/* ---- in our memory ---- */

/* The child is a zombie of ours by now. */
static void bury(int pid)
{
    siginfo_t info;
    while (waitid(P_PID, (id_t)pid, &info, WEXITED) && errno == EINTR)
        continue;
}

#if SYSTEM_LINUX

/* ThreadSanitizer takes clone() for fork(), and would do in our memory what it does in a child's; not so by this
 * name. */
#ifdef __has_feature
#if __has_feature(thread_sanitizer)
#define UNDER_TSAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__) || defined(UNDER_TSAN)
extern int __clone(int (*function)(void *), void *stack, int flags, void *argument, ...);
#define CLONE_CALL __clone
#else
#define CLONE_CALL clone
#endif

/* The calls above and their frames need a fraction of this. */
enum { STACK = 16384, FAILED = 127 };

typedef struct borrowed {
    child child;
    int error; /* -errno, once it has failed */
} borrowed;

CHILD_ static int borrow(void *argument)
{
    borrowed *self = (borrowed *)argument;
    become_program(&self->child);
    self->error = -errno;
    syscall(SYS_exit_group, FAILED);
    return FAILED;
}

static int clone_child(borrowed *self, int *pidfd, int flags)
{
    _Alignas(16) char stack[STACK];
    return CLONE_CALL(borrow, stack + sizeof stack, CLONE_VM | CLONE_VFORK | flags | SIGCHLD, self, pidfd, NULL, NULL);
}

static int spawn_borrowing(spawn_request *request, child *made)
{
    borrowed self = {*made, 0};
    sigset_t all, before;
    int pidfd = -1;
    (void)sigfillset(&all);
    /* No handler may run in the child, which would find our memory. */
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    if (request->options->keep_signals)
        self.child.mask = before;
    int pid = clone_child(&self, &pidfd, CLONE_PIDFD);
    if (pid < 0 && errno == EINVAL)
        pid = clone_child(&self, NULL, 0); /* before 5.2, and where something stands in between */
    int error = pid < 0 ? -errno : 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error) {
        request->failed = SPAWN_FORK;
        return error;
    }
    if (!self.error) {
        request->pid = pid;
        request->pidfd = pidfd;
        return 0;
    }
    bury(pid);
    if (pidfd >= 0)
        (void)close(pidfd);
    return self.error;
}

#endif

/* ---- in its own memory ---- */

typedef struct failure {
    int error;
    spawn_step failed;
} failure;

static void fail_child(const child *self)
{
    const failure why = {-errno, self->request->failed};
    ssize_t written = write(self->status, &why, sizeof why);
    (void)written;
    _exit(127);
}

/* What it has to say; nothing when it runs the program. */
static int hear(int status, spawn_request *request)
{
    failure why;
    ssize_t got;
    do
        got = read(status, &why, sizeof why);
    while (got < 0 && errno == EINTR);
    if (got != (ssize_t)sizeof why)
        return 0;
    request->failed = why.failed;
    return why.error;
}

static int spawn_forking(spawn_request *request, child *self)
{
    int ends[2];
    sigset_t all, before;
    request->failed = SPAWN_FORK;
    int error = spawn_pipe(ends);
    if (error)
        return error;
    self->status = ends[1];
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    if (request->options->keep_signals)
        self->mask = before;
    int pid = fork();
    if (pid == 0) {
        become_program(self);
        fail_child(self);
    }
    error = pid < 0 ? -errno : 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)close(ends[1]);
    if (!error) {
        error = hear(ends[0], request);
        if (error)
            bury(pid);
    }
    (void)close(ends[0]);
    request->pid = pid;
    request->pidfd = -1;
    return error;
}

/* ---- either way ---- */

extern char **environ;

int spawn_process(spawn_request *request)
{
    child self = {.request = request, .status = -1};
    struct rlimit limit;
    const char *const *environment = request->options->environment;
    self.environment = environment ? (char *const *)(uintptr_t)environment : environ;
    (void)sigemptyset(&self.mask);
    self.most = getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur > 1 << 20 ? 1 << 20 : (int)limit.rlim_cur;
#if SYSTEM_LINUX
    if (!spawn_portable)
        return spawn_borrowing(request, &self);
#endif
    return spawn_forking(request, &self);
}

static int out_of_the_way(int *descriptor)
{
    if (*descriptor >= FIRST)
        return 0;
    int copy = fcntl(*descriptor, F_DUPFD_CLOEXEC, FIRST);
    int error = copy < 0 ? -errno : 0;
    (void)close(*descriptor);
    *descriptor = copy;
    return error;
}

int spawn_pipe(int ends[2])
{
#if SYSTEM_LINUX
    if (pipe2(ends, O_CLOEXEC))
        return -errno;
#else
    if (pipe(ends))
        return -errno;
    (void)fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    (void)fcntl(ends[1], F_SETFD, FD_CLOEXEC);
#endif
    int error = out_of_the_way(&ends[0]), other = out_of_the_way(&ends[1]);
    if (!error && !other)
        return 0;
    for (int i = 0; i < 2; i++)
        if (ends[i] >= 0)
            (void)close(ends[i]);
    return error ? error : other;
}
