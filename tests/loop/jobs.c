/* Blocking calls in threads (lib/threads/job.h). Runs under ThreadSanitizer. */
#include "support.h"

#include <pthread.h>
#include <stdatomic.h>

#include "threads/job.h"

static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int allowed, working, discarded; /* under the guard */

static void change(int *what, int by)
{
    pthread_mutex_lock(&guard);
    *what += by;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&guard);
}

static void await_value(const int *what, int value)
{
    pthread_mutex_lock(&guard);
    while (*what < value)
        pthread_cond_wait(&changed, &guard);
    pthread_mutex_unlock(&guard);
}

typedef struct square {
    thrum_job job;
    long n, result;
    thrum_future *future;
} square;

static void compute(thrum_job *job)
{
    square *mine = (square *)(void *)job;
    change(&working, 1);
    await_value(&allowed, 1);
    mine->result = mine->n * mine->n;
}

static void computed(thrum_job *job)
{
    square *mine = (square *)(void *)job;
    thrum_future_set_result(mine->future, mine->result);
    free(mine);
}

static void drop(thrum_job *job)
{
    free(job);
    change(&discarded, 1);
}

static square *start(long n, thrum_future *future)
{
    square *mine = calloc(1, sizeof *mine);
    CHECK_NOT_NULL(mine);
    mine->job.work = compute;
    mine->job.done = computed;
    mine->job.discard = drop;
    mine->n = n;
    mine->future = future;
    CHECK_EQ(thrum_job_start(&mine->job, NULL), 0);
    return mine;
}

static void begin(int may_work)
{
    pthread_mutex_lock(&guard);
    allowed = may_work;
    working = discarded = 0;
    pthread_mutex_unlock(&guard);
}

static ASYNC(squares, ARGS((long, n)), LOCALS(thrum_future future; long result;))
{
    ASYNC_BEGIN;
    start(self->n, &self->future);
    AWAIT_INTO(self->result, &self->future);
    ASYNC_RETURN(self->result);
    ASYNC_END;
}

/* Also on virtual time, which stands still while a thread works. */
LOOP_TEST(jobs, give_their_result_through_the_loop)
{
    thrum_value value = 0;
    begin(1);
    CHECK_EQ(thrum_loop_run_until_complete(loop, squares(12), &value), 0);
    CHECK_EQ(value, 144);
}

static ASYNC(many, ARGS((long, count)), LOCALS(thrum_group group; long i;))
{
    ASYNC_BEGIN;
    WITH (self->group, thrum_group_open(&self->group)) {
        for (self->i = 0; self->i < self->count; self->i++)
            thrum_group_spawn_detached(&self->group, squares(self->i));
    }
    ASYNC_END;
}

LOOP_TEST(jobs, many_at_once_share_the_threads)
{
    begin(1);
    CHECK_EQ(thrum_loop_run_until_complete(loop, many(300), NULL), 0);
    CHECK_EQ(working, 300);
}

TEST(jobs, that_nobody_wants_any_more_free_themselves)
{
    thrum_future never = THRUM_FUTURE_INIT;
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    begin(0);
    square *at_work = start(2, &never);
    await_value(&working, 1);
    thrum_job_abandon(&at_work->job);
    CHECK_EQ(discarded, 0);
    change(&allowed, 1);
    await_value(&discarded, 1);
    /* One whose end is on its way already. */
    square *posted = start(3, &never);
    while (thrum_loop_next_deadline(loop) != 0)
        continue;
    thrum_job_abandon(&posted->job);
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    await_value(&discarded, 2);
    CHECK(!thrum_future_done(&never));
    close_loop(loop);
}

TEST(jobs, the_loop_may_close_at_any_time)
{
    thrum_future never = THRUM_FUTURE_INIT;
    /* While they work, and while they wait for a thread. */
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    begin(0);
    for (int i = 0; i < 60; i++)
        start(i, &never);
    await_value(&working, 1);
    close_loop(loop);
    change(&allowed, 1);
    await_value(&discarded, 60);
    /* When they have posted. */
    loop = open_loop(THRUM_BACKEND_LIBEV);
    begin(1);
    start(1, &never);
    while (thrum_loop_next_deadline(loop) != 0)
        continue;
    close_loop(loop);
    await_value(&discarded, 1);
    /* Just when they end. */
    for (int i = 0; i < 50; i++) {
        loop = open_loop(THRUM_BACKEND_LIBEV);
        begin(1);
        start(1, &never);
        start(2, &never);
        close_loop(loop);
        await_value(&discarded, 2);
    }
    CHECK(!thrum_future_done(&never));
}

TEST(jobs, need_a_loop)
{
    square mine;
    memset(&mine, 0, sizeof mine);
    mine.job.work = compute;
    CHECK_EQ(thrum_job_start(&mine.job, NULL), THRUM_ESTATE);
}
