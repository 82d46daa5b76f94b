#include "os/interrupt.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>

#include "loop/system.h"

enum { SIGNALS = 2 };
static const int numbers[SIGNALS] = {SIGINT, SIGTERM};

/* There is one of these in a process, as there is one disposition a signal. The handler may run in any thread, also
 * while the run ends in its own: `inside` lets the end wait for it. */
static struct {
    _Atomic(thrum_loop *) loop; /* of the run that has the signals; NULL: none */
    atomic_int inside;
    atomic_int count;  /* signals that came */
    atomic_int signal; /* the last of them */
    bool mine;         /* this run has them */
    bool delivered;    /* the main task was cancelled */
    bool installed[SIGNALS];
    thrum_task *task;
    thrum_post post;
} interrupt;

/* In the loop. The first one cancels; a second one, or one after the main task has ended, stops the loop. */
static void deliver(thrum_post *post)
{
    thrum_loop *loop = atomic_load(&interrupt.loop);
    int count = atomic_load(&interrupt.count);
    (void)post;
    if (!loop || !count)
        return; /* came too late for the run that it was for */
    bool cancelled = !interrupt.delivered && thrum_task_cancel(interrupt.task);
    if (!cancelled || count > 1)
        thrum_loop_stop(loop);
    interrupt.delivered = true;
}

static void on_signal(int number)
{
    int saved = errno;
    atomic_fetch_add(&interrupt.inside, 1);
    thrum_loop *loop = atomic_load(&interrupt.loop);
    if (loop) {
        atomic_store(&interrupt.signal, number);
        if (atomic_fetch_add(&interrupt.count, 1) > 0) {
            /* The second one: should the loop not come to stop because a step never ends, the next one ends the
             * process. */
            struct sigaction restore;
            memset(&restore, 0, sizeof restore);
            restore.sa_handler = SIG_DFL;
            sigaction(number, &restore, NULL);
        }
        thrum_call_soon_threadsafe(loop, &interrupt.post);
    }
    atomic_fetch_sub(&interrupt.inside, 1);
    errno = saved;
}

void interrupt_begin(thrum_loop *loop, thrum_task *task, bool terminate)
{
    if (!system_main_thread() || atomic_load(&interrupt.loop))
        return;
    interrupt.task = task;
    interrupt.post.call = deliver;
    interrupt.delivered = false;
    atomic_store(&interrupt.count, 0);
    atomic_store(&interrupt.signal, 0);
    atomic_store(&interrupt.loop, loop);
    for (int i = 0; i < (terminate ? SIGNALS : 1); i++) {
        struct sigaction old, mine;
        memset(&mine, 0, sizeof mine);
        mine.sa_handler = on_signal;
        mine.sa_flags = SA_RESTART;
        sigemptyset(&mine.sa_mask);
        interrupt.installed[i] = sigaction(numbers[i], NULL, &old) == 0 && !(old.sa_flags & SA_SIGINFO) &&
                                 old.sa_handler == SIG_DFL && sigaction(numbers[i], &mine, NULL) == 0;
    }
    interrupt.mine = true;
}

int interrupt_end(void)
{
    if (!system_main_thread() || !interrupt.mine)
        return 0;
    interrupt.mine = false;
    for (int i = 0; i < SIGNALS; i++) {
        struct sigaction now;
        if (interrupt.installed[i] && sigaction(numbers[i], NULL, &now) == 0 && !(now.sa_flags & SA_SIGINFO) &&
            now.sa_handler == on_signal) {
            memset(&now, 0, sizeof now);
            now.sa_handler = SIG_DFL;
            sigaction(numbers[i], &now, NULL);
        }
        interrupt.installed[i] = false;
    }
    atomic_store(&interrupt.loop, NULL);
    while (atomic_load(&interrupt.inside))
        sched_yield();
    return atomic_load(&interrupt.signal);
}
