/* A loop comes and goes. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/checks.h"
#include "loop/log.h"
#include "loop/loop.h"

/* ---- it comes ---- */

/* The memory of loops that were closed is kept for the next ones: a thread that comes too late with a post finds a
 * closed inbox there, not somebody else's memory. */
static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static thrum_loop *closed;

static void before_fork(void)
{
    pthread_mutex_lock(&guard);
    thrum_inbox_fork(true);
    thrum_log_fork(true);
}

static void after_fork(void)
{
    thrum_log_fork(false);
    thrum_inbox_fork(false);
    pthread_mutex_unlock(&guard);
}

static void watch_forks(void)
{
    pthread_atfork(before_fork, after_fork, after_fork);
}

static thrum_loop *take_memory(size_t size)
{
    pthread_mutex_lock(&guard);
    thrum_loop **link = &closed;
    while (*link && (*link)->size != size)
        link = &(*link)->next;
    thrum_loop *loop = *link;
    if (loop)
        *link = loop->next;
    pthread_mutex_unlock(&guard);
    if (loop)
        memset((char *)loop + sizeof loop->inbox, 0, size - sizeof loop->inbox);
    else
        loop = (thrum_loop *)calloc(1, size);
    if (loop)
        loop->size = size;
    return loop;
}

static void give_memory(thrum_loop *loop)
{
    pthread_mutex_lock(&guard);
    loop->next = closed;
    closed = loop;
    pthread_mutex_unlock(&guard);
}

static void call_posts(thrum_handle *handle)
{
    thrum_inbox_drain(&((thrum_loop *)handle->context)->inbox);
}

/* Take a backend's verbs over: those that it does not know are NULL. */
static int take_verbs(thrum_backend *verbs, const thrum_backend *backend)
{
    if (backend->size < offsetof(thrum_backend, resolution) || backend->size > sizeof *verbs)
        return THRUM_EINVAL;
    memset(verbs, 0, sizeof *verbs);
    memcpy(verbs, backend, backend->size);
    bool whole = verbs->open && verbs->close && verbs->now && verbs->wait && verbs->wake &&
                 (!verbs->io_open || (verbs->io_start && verbs->io_stop)) && (!verbs->path_start || verbs->path_stop) &&
                 (!verbs->child_start || verbs->child_stop);
    return whole ? 0 : THRUM_EINVAL;
}

/* A copy of the parent's loop that fork() made: its poller is the parent's, and so is what would close with it. */
static void let_copy_go(thrum_loop *copy)
{
    copy->running = false;
    copy->closers.next = copy->closers.previous = &copy->closers;
    copy->state->report = NULL;
    copy->close_threads = NULL;
    thrum_inbox_forget(&copy->inbox);
    loop_close_watchdog(copy, true);
    thrum_loop_close(copy);
}

static int make_loop(thrum_loop **made, const thrum_backend *backend, const thrum_loop_options *options)
{
    thrum_backend verbs;
    int error = take_verbs(&verbs, backend);
    if (error)
        return error;
    if (loop_here() && loop_here()->process != getpid())
        let_copy_go(loop_here());
    if (loop_here())
        return THRUM_ESTATE;
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, watch_forks);
    thrum_loop *loop = take_memory(sizeof *loop + verbs.storage);
    if (!loop)
        return THRUM_ENOMEM;
    loop->verbs = verbs;
    loop->backend = backend;
    loop->seed = verbs.stepwise ? options->seed : 0;
    loop->state = thrum_state_here();
    loop->slow = THRUM_TICKS_PER_SECOND / 10;
    loop->process = getpid();
    loop->closers.next = loop->closers.previous = &loop->closers;
    thrum_handle_init(&loop->drain, call_posts, loop);
    error = verbs.open(loop_own(loop), loop, options);
    if (!error && !thrum_core_open(loop, verbs.now(loop_own(loop)), loop_core_report)) {
        verbs.close(loop_own(loop));
        error = loop->state->open ? THRUM_ESTATE : THRUM_ENOMEM;
    }
    if (error) {
        give_memory(loop);
        return error;
    }
    thrum_inbox_open(&loop->inbox);
    if (options->debug || loop_debug_wanted())
        thrum_loop_set_debug(loop, true);
    *made = loop;
    return 0;
}

int thrum_loop_new(thrum_loop **loop, const thrum_loop_options *options)
{
    thrum_loop_options all = {.size = sizeof all};
    if (!loop || (options && (options->size == 0 || options->size > sizeof all)))
        return THRUM_EINVAL;
    *loop = NULL;
    if (options)
        memcpy(&all, options, options->size);
    if (all.custom)
        return all.backend == THRUM_BACKEND_DEFAULT ? make_loop(loop, all.custom, &all) : THRUM_EINVAL;
    switch (all.backend) {
    case THRUM_BACKEND_DEFAULT:
    case THRUM_BACKEND_LIBEV:
        return make_loop(loop, &thrum_backend_libev, &all);
    case THRUM_BACKEND_SIM:
        return make_loop(loop, &thrum_backend_sim, &all);
    }
    return THRUM_EINVAL;
}

int thrum_loop_from_ev(thrum_loop **loop, struct ev_loop *ev)
{
    const thrum_loop_options options = {.size = sizeof options, .custom = &thrum_backend_guest, .custom_context = ev};
    return ev ? thrum_loop_new(loop, &options) : THRUM_EINVAL;
}

void *thrum_backend_storage(const thrum_loop *loop, const thrum_backend *backend)
{
    return loop && loop->backend == backend ? loop_own(loop) : NULL;
}

/* ---- it goes ---- */

int thrum_loop_close(thrum_loop *loop)
{
    if (!loop)
        return 0;
    if (loop->running || loop != loop_here())
        return THRUM_ESTATE;
    loop_close_watchdog(loop, false);
    if (loop->close_threads)
        loop->close_threads(loop);
    thrum_post *answers = thrum_inbox_close(&loop->inbox);
    /* Tasks first: an operation that is cancelled may look at the stream it waits for. */
    thrum_core_close();
    loop->state->loop = loop;
    while (loop->closers.next != &loop->closers) {
        thrum_loop_closer *closer = loop->closers.next;
        thrum_loop_forget(closer);
        closer->close(closer);
    }
    loop_close_watches(loop);
    thrum_inbox_answer(answers);
    thrum_checks_end();
    if (loop->debug)
        loop_count_debugging(false);
    loop->state->loop = NULL;
    loop->state->now = 0;
    loop->verbs.close(loop_own(loop));
    free(loop->scratch);
    give_memory(loop);
    return 0;
}

/* What is left behind can be found still, by those who look for lost memory. */
static struct left_behind {
    struct left_behind *next;
    thrum_loop *loop;
    thrum_pool pool;
} * left_behind;

void loop_leave_behind(thrum_loop *loop)
{
    thrum_state *state = loop->state;
    thrum_allocator allocator = state->pool.allocator;
    struct left_behind *left = (struct left_behind *)malloc(sizeof *left);
    thrum_post *answers = thrum_inbox_close(&loop->inbox);
    loop_close_watchdog(loop, false);
    if (loop->debug)
        loop_count_debugging(false);
    if (left) {
        left->loop = loop;
        left->pool = state->pool;
        pthread_mutex_lock(&guard);
        left->next = left_behind;
        left_behind = left;
        pthread_mutex_unlock(&guard);
    }
    memset(state, 0, sizeof *state);
    state->pool.allocator = allocator;
    thrum_inbox_answer(answers);
}
