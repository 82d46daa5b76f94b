#include "os/interrupt.h"

#include <signal.h>
#include <stdatomic.h>

#include "loop/system.h"
#include "os/dispositions.h"

static void heard(signal_listener *listener, int number);

/* There is one of these in a process, for the run of the main thread. Handlers and receivers of the program's for the
 * same signals come before it. */
static struct {
    signal_listener listener;
    thrum_loop *loop;
    thrum_task *task;
    thrum_post post;
    atomic_int count;  /* signals that came */
    atomic_int signal; /* the last of them */
    bool delivered;    /* the main task was cancelled */
} interrupt = {.listener = {.heard = heard, .last = true}};

/* In the loop. The first one cancels; a second one, or one after the main task has ended, stops the loop. */
static void deliver(thrum_post *post)
{
    int count = atomic_load(&interrupt.count);
    (void)post;
    if (!interrupt.loop || !count)
        return; /* came too late for the run that it was for */
    bool cancelled = !interrupt.delivered && thrum_task_cancel(interrupt.task);
    if (!cancelled || count > 1)
        thrum_loop_stop(interrupt.loop);
    interrupt.delivered = true;
}

static void heard(signal_listener *listener, int number)
{
    (void)listener;
    atomic_store(&interrupt.signal, number);
    /* The second one: should the loop not come to stop because a step never ends, the next one ends the process. */
    if (atomic_fetch_add(&interrupt.count, 1) > 0)
        disposition_default_next(number);
    thrum_call_soon_threadsafe(interrupt.loop, &interrupt.post);
}

void interrupt_begin(thrum_loop *loop, thrum_task *task, bool terminate)
{
    if (!system_main_thread())
        return;
    interrupt.loop = loop;
    interrupt.task = task;
    interrupt.post.call = deliver;
    interrupt.delivered = false;
    atomic_store(&interrupt.count, 0);
    atomic_store(&interrupt.signal, 0);
    (void)disposition_listen(&interrupt.listener, SIGINT, DISPOSITION_REFUSE);
    if (terminate)
        (void)disposition_listen(&interrupt.listener, SIGTERM, DISPOSITION_REFUSE);
}

int interrupt_end(void)
{
    if (!system_main_thread() || !interrupt.loop)
        return 0;
    disposition_leave(&interrupt.listener);
    interrupt.loop = NULL;
    return atomic_load(&interrupt.signal);
}
