#include "os/dispositions.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

#include <thrum/errors.h>

/* What a signal did before somebody listened. */
static struct {
    unsigned listeners;
    struct sigaction before;
} taken[DISPOSITIONS];

/* The handler walks the list without a lock; whoever takes a listener out waits until no handler is inside. */
static _Atomic(signal_listener *) first;
static atomic_int inside;
static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;

/* ---- the handler ---- */

static bool tell(int number, bool last)
{
    bool told = false;
    for (signal_listener *at = atomic_load(&first); at; at = atomic_load(&at->next))
        if (at->last == last && signal_bits_have(&at->numbers, number)) {
            at->heard(at, number);
            told = true;
        }
    return told;
}

/* Whoever waits for children by SIGCHLD, as libev does in EV_DEFAULT, has to learn of them still. */
static void pass_on(int number, siginfo_t *info, void *where)
{
    const struct sigaction *before = &taken[number].before;
    if (before->sa_handler == SIG_DFL || before->sa_handler == SIG_IGN)
        return;
    if (before->sa_flags & SA_SIGINFO)
        before->sa_sigaction(number, info, where);
    else
        before->sa_handler(number);
}

static void on_signal(int number, siginfo_t *info, void *where)
{
    int saved = errno;
    atomic_fetch_add(&inside, 1);
    if (!tell(number, false))
        tell(number, true);
    if (number == SIGCHLD)
        pass_on(number, info, where);
    atomic_fetch_sub(&inside, 1);
    errno = saved;
}

void disposition_default_next(int number)
{
    struct sigaction restore;
    memset(&restore, 0, sizeof restore);
    restore.sa_handler = SIG_DFL;
    (void)sigaction(number, &restore, NULL);
}

/* ---- fork: the child has none of the loops that listen, and gets the dispositions as they were before ---- */

static sigset_t mask_before;

/* No signal may come while the child has the parent's handlers. */
static void before_fork(void)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_mutex_lock(&guard);
    mask_before = before;
}

static void let_go_on(void)
{
    sigset_t before = mask_before;
    pthread_mutex_unlock(&guard);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static bool is_ours(const struct sigaction *action)
{
    return action->sa_flags & SA_SIGINFO && action->sa_sigaction == on_signal;
}

static void give_back(int number)
{
    struct sigaction now;
    if (sigaction(number, NULL, &now) == 0 && is_ours(&now))
        (void)sigaction(number, &taken[number].before, NULL);
}

static void forget_all(void)
{
    for (int number = 1; number < DISPOSITIONS; number++) {
        if (taken[number].listeners)
            give_back(number);
        taken[number].listeners = 0;
    }
    for (signal_listener *at = atomic_load(&first); at; at = atomic_load(&at->next)) {
        memset(&at->numbers, 0, sizeof at->numbers);
        at->linked = false;
    }
    atomic_store(&first, NULL);
    atomic_store(&inside, 0); /* other threads may have been there, and are not here */
    let_go_on();
}

static void watch_forks(void)
{
    pthread_atfork(before_fork, let_go_on, forget_all);
}

/* ---- coming and going; the guard is held ---- */

/* To return from the handler of a fault is to have the same fault again. */
static bool is_fault(int number)
{
    return number == SIGSEGV || number == SIGBUS || number == SIGILL || number == SIGFPE;
}

static int take_over(int number, disposition_manner manner)
{
    struct sigaction now, ours;
    if (sigaction(number, NULL, &now))
        return THRUM_EUNSUPPORTED; /* the C library's own */
    if (is_ours(&now))
        return 0;
    if (now.sa_handler != SIG_DFL && manner == DISPOSITION_REFUSE)
        return THRUM_EBUSY;
    taken[number].before = now;
    memset(&ours, 0, sizeof ours);
    ours.sa_sigaction = on_signal;
    ours.sa_flags = SA_RESTART | SA_SIGINFO | SA_ONSTACK;
    (void)sigemptyset(&ours.sa_mask);
    return sigaction(number, &ours, NULL) ? THRUM_EUNSUPPORTED : 0;
}

static void link_in(signal_listener *listener)
{
    if (listener->linked)
        return;
    listener->linked = true;
    atomic_store(&listener->next, atomic_load(&first));
    atomic_store(&first, listener);
}

static void unlink_one(signal_listener *listener)
{
    _Atomic(signal_listener *) *link = &first;
    while (atomic_load(link) != listener)
        link = &atomic_load(link)->next;
    atomic_store(link, atomic_load(&listener->next));
    listener->linked = false;
}

/* What stood there before comes first, so that no signal finds a handler of ours that tells nobody. */
static void stop_listening(signal_listener *listener, int number)
{
    if (!signal_bits_have(&listener->numbers, number))
        return;
    if (--taken[number].listeners == 0)
        give_back(number);
    (void)signal_bits_take(&listener->numbers, number);
}

/* ---- what the others call ---- */

int disposition_listen(signal_listener *listener, int number, disposition_manner manner)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (number < 1 || number >= DISPOSITIONS)
        return THRUM_EINVAL;
    if (is_fault(number))
        return THRUM_EUNSUPPORTED;
    pthread_once(&once, watch_forks);
    pthread_mutex_lock(&guard);
    bool had = signal_bits_have(&listener->numbers, number), was_linked = listener->linked;
    signal_bits_add(&listener->numbers, number); /* first, so that no signal is missed */
    link_in(listener);
    int error = take_over(number, manner);
    if (!error && !had)
        taken[number].listeners++;
    if (error && !had)
        (void)signal_bits_take(&listener->numbers, number);
    if (error && !was_linked)
        unlink_one(listener);
    pthread_mutex_unlock(&guard);
    while (error && atomic_load(&inside))
        sched_yield(); /* one that saw it in the list */
    return error;
}

void disposition_leave(signal_listener *listener)
{
    pthread_mutex_lock(&guard);
    bool linked = listener->linked;
    if (linked) {
        for (int number = 1; number < DISPOSITIONS; number++)
            stop_listening(listener, number);
        unlink_one(listener);
    }
    pthread_mutex_unlock(&guard);
    while (linked && atomic_load(&inside))
        sched_yield();
}

signal_listener *disposition_find(void (*heard)(signal_listener *, int), const void *owner, int number)
{
    pthread_mutex_lock(&guard);
    signal_listener *at = atomic_load(&first);
    while (at && !(at->heard == heard && at->owner == owner && signal_bits_have(&at->numbers, number)))
        at = atomic_load(&at->next);
    pthread_mutex_unlock(&guard);
    return at;
}
