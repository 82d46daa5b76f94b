/* All tasks to the log when a signal comes: the handler posts to every loop that wants to answer. */
#include <thrum/debug.h>

#include <pthread.h>
#include <stddef.h>

#include "loop/io.h"
#include "loop/log.h"
#include "loop/loop.h"
#include "os/dispositions.h"

typedef struct answer {
    signal_listener listener; /* stands first; its owner is the loop, or NULL: free */
    thrum_post post;
    thrum_loop_closer closer;
    int (*print)(thrum_put_line *put, void *context);
} answer;

static answer answers[THRUM_DUMP_LOOPS];
static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER; /* of which are free */

static thrum_loop *loop_of(const answer *mine)
{
    return (thrum_loop *)(uintptr_t)mine->listener.owner;
}

static void heard(signal_listener *listener, int number)
{
    answer *mine = (answer *)(void *)listener;
    (void)number;
    thrum_call_soon_threadsafe(loop_of(mine), &mine->post);
}

static void print_now(thrum_post *post)
{
    const answer *mine = (const answer *)post->context;
    thrum_log("tasks of loop %p:", (void *)loop_of(mine));
    if (!mine->print || mine->print(NULL, NULL))
        thrum_log_tasks();
}

/* The loop is closed: nothing is posted to it any more. */
static void loop_closes(thrum_loop_closer *closer)
{
    answer *mine = (answer *)(void *)((char *)closer - offsetof(answer, closer));
    disposition_leave(&mine->listener);
    pthread_mutex_lock(&guard);
    mine->listener.owner = NULL;
    pthread_mutex_unlock(&guard);
}

/* One for a loop, that no other loop finds free now. */
static int take(const thrum_loop *loop, answer **taken)
{
    *taken = NULL;
    for (int i = 0; i < THRUM_DUMP_LOOPS; i++) {
        if (answers[i].listener.owner == loop)
            return THRUM_ESTATE;
        if (!*taken && !answers[i].listener.owner)
            *taken = &answers[i];
    }
    if (!*taken)
        return THRUM_EBUSY;
    (*taken)->listener.owner = loop;
    return 0;
}

int thrum_dump_on_signal_(int signal, int (*print)(thrum_put_line *put, void *context))
{
    thrum_loop *loop = thrum_loop_current();
    answer *mine;
    if (!loop)
        return THRUM_ESTATE;
    pthread_mutex_lock(&guard);
    int error = take(loop, &mine);
    pthread_mutex_unlock(&guard);
    if (error)
        return error;
    mine->print = print;
    mine->post = (thrum_post){.call = print_now, .context = mine};
    mine->closer.close = loop_closes;
    mine->listener.heard = heard;
    thrum_loop_remember(&mine->closer);
    error = disposition_listen(&mine->listener, signal, DISPOSITION_REFUSE);
    if (error) {
        thrum_loop_forget(&mine->closer);
        loop_closes(&mine->closer);
    }
    return error;
}
