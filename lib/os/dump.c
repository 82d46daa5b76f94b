/* All tasks to the log when a signal comes: the handler posts to every loop that wants to answer. */
#include <thrum/debug.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>

#include "loop/io.h"
#include "loop/log.h"
#include "loop/loop.h"

typedef struct answer {
    _Atomic(thrum_loop *) loop; /* NULL: free */
    atomic_int signal;
    thrum_post post;
    thrum_loop_closer closer;
    int (*print)(thrum_put_line *put, void *context);
} answer;

static answer answers[THRUM_DUMP_LOOPS];
static atomic_int inside; /* handlers that run, in whichever thread */
static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;

static void on_signal(int number)
{
    int saved = errno;
    atomic_fetch_add(&inside, 1);
    for (int i = 0; i < THRUM_DUMP_LOOPS; i++) {
        thrum_loop *loop = atomic_load(&answers[i].loop);
        if (loop && atomic_load(&answers[i].signal) == number)
            thrum_call_soon_threadsafe(loop, &answers[i].post);
    }
    atomic_fetch_sub(&inside, 1);
    errno = saved;
}

static void print_now(thrum_post *post)
{
    const answer *mine = (const answer *)post->context;
    thrum_log("tasks of loop %p:", (void *)atomic_load(&mine->loop));
    if (!mine->print || mine->print(NULL, NULL))
        thrum_log_tasks();
}

static bool is_ours(int signal)
{
    struct sigaction now;
    return sigaction(signal, NULL, &now) == 0 && !(now.sa_flags & SA_SIGINFO) && now.sa_handler == on_signal;
}

static bool answered(int signal)
{
    for (int i = 0; i < THRUM_DUMP_LOOPS; i++)
        if (atomic_load(&answers[i].loop) && atomic_load(&answers[i].signal) == signal)
            return true;
    return false;
}

static int set(int signal, void (*handler)(int))
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    return sigaction(signal, &action, NULL) ? -errno : 0;
}

/* The loop is closed: nothing is posted to it any more. */
static void loop_closes(thrum_loop_closer *closer)
{
    answer *mine = (answer *)(void *)((char *)closer - offsetof(answer, closer));
    int signal = atomic_load(&mine->signal);
    pthread_mutex_lock(&guard);
    atomic_store(&mine->loop, NULL);
    if (!answered(signal) && is_ours(signal))
        set(signal, SIG_DFL);
    pthread_mutex_unlock(&guard);
    while (atomic_load(&inside))
        sched_yield();
}

static int begin(thrum_loop *loop, int signal, int (*print)(thrum_put_line *put, void *context))
{
    struct sigaction old;
    answer *mine = NULL;
    if (sigaction(signal, NULL, &old))
        return -errno;
    if (!is_ours(signal) && (old.sa_flags & SA_SIGINFO || old.sa_handler != SIG_DFL))
        return THRUM_EBUSY;
    for (int i = 0; i < THRUM_DUMP_LOOPS; i++) {
        if (atomic_load(&answers[i].loop) == loop)
            return THRUM_ESTATE;
        if (!mine && !atomic_load(&answers[i].loop))
            mine = &answers[i];
    }
    if (!mine)
        return THRUM_EBUSY;
    int error = set(signal, on_signal);
    if (error) /* SIGKILL, SIGSTOP */
        return error;
    mine->print = print;
    mine->post = (thrum_post){.call = print_now, .context = mine};
    mine->closer.close = loop_closes;
    atomic_store(&mine->signal, signal);
    atomic_store(&mine->loop, loop);
    thrum_loop_remember(&mine->closer);
    return 0;
}

int thrum_dump_on_signal_(int signal, int (*print)(thrum_put_line *put, void *context))
{
    thrum_loop *loop = thrum_loop_current();
    if (!loop)
        return THRUM_ESTATE;
    pthread_mutex_lock(&guard);
    int error = begin(loop, signal, print);
    pthread_mutex_unlock(&guard);
    return error;
}
