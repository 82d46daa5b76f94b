/* A queue between a loop and other threads. Runs under ThreadSanitizer. */
#include "support.h"

#include <pthread.h>
#include <stdatomic.h>

enum { THREADS = 3, EACH = 2000 };

typedef struct item {
    int from, number;
} item;

static thrum_thread_queue *queue;

static thrum_loop *begin(size_t maximum)
{
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    CHECK_EQ(thrum_thread_queue_new(&queue, maximum, sizeof(item)), 0);
    return loop;
}

static void end(thrum_loop *loop)
{
    thrum_thread_queue_free(queue);
    close_loop(loop);
}

typedef struct worker {
    pthread_t thread;
    int number, error, seen;
    long sum;
    bool in_order;
    thrum_time timeout;
} worker;

static void start(worker *workers, int count, void *(*work)(void *))
{
    for (int i = 0; i < count; i++) {
        workers[i] = (worker){.number = i, .timeout = THRUM_NEVER};
        CHECK_EQ(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
}

/* ---- threads put, tasks get ---- */

static void *puts_each(void *argument)
{
    worker *self = argument;
    for (int i = 0; i < EACH && !self->error; i++) {
        const item one = {self->number, i};
        self->error = thrum_thread_queue_put_blocking(queue, &one, THRUM_NEVER);
    }
    return NULL;
}

static int seen_of[THREADS], left;

static ASYNC(gets_each, ARGS_NONE, LOCALS(item item; int next[THREADS];))
{
    ASYNC_BEGIN;
    for (;;) {
        AWAIT(thrum_thread_queue_get(queue, &self->item));
        CHECK_GE(self->item.number, self->next[self->item.from]); /* in the order of each thread */
        self->next[self->item.from] = self->item.number + 1;
        seen_of[self->item.from]++;
        CHECK_EQ(thrum_thread_queue_task_done(queue), 0);
        if (--left == 0)
            thrum_thread_queue_shutdown(queue, false);
    }
    ASYNC_END;
}

static ASYNC(gets_all, ARGS_NONE, LOCALS(thrum_task *tasks[2]; int error; int i;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < 2; self->i++)
        self->tasks[self->i] = thrum_spawn(gets_each());
    for (self->i = 0; self->i < 2; self->i++) {
        AWAIT_CATCH(self->error, self->tasks[self->i]);
        CHECK_EQ(self->error, THRUM_ESHUTDOWN);
        thrum_task_release(self->tasks[self->i]);
    }
    AWAIT(thrum_thread_queue_join(queue));
    ASYNC_END;
}

TEST_LIMIT(thread_queue, from_threads, 60)
{
    for (size_t maximum = 0; maximum <= 7; maximum += 7) {
        worker workers[THREADS];
        thrum_loop *loop = begin(maximum);
        memset(seen_of, 0, sizeof seen_of);
        left = THREADS * EACH;
        start(workers, THREADS, puts_each);
        CHECK_EQ(thrum_loop_run_until_complete(loop, gets_all(), NULL), 0);
        for (int i = 0; i < THREADS; i++) {
            pthread_join(workers[i].thread, NULL);
            CHECK_EQ(workers[i].error, 0);
            CHECK_EQ(seen_of[i], EACH);
        }
        end(loop);
    }
}

/* ---- the same in a loop, until it is shut down ---- */

static ASYNC(iterates, ARGS((int, count)), LOCALS(thrum_iteration each; item item; item * at; int seen; long sum;))
{
    ASYNC_BEGIN;
    ASYNC_FOR (self->at, self->each, thrum_thread_queue_items(queue, &self->item)) {
        CHECK_PTR(self->at, &self->item);
        self->sum += self->at->number;
        if (++self->seen == self->count)
            thrum_thread_queue_shutdown(queue, false);
    }
    CHECK_EQ(self->seen, self->count);
    ASYNC_RETURN(self->sum);
    ASYNC_END;
}

TEST_LIMIT(thread_queue, looped_over, 60)
{
    for (size_t maximum = 0; maximum <= 7; maximum += 7) {
        worker workers[THREADS];
        thrum_value sum = 0;
        thrum_loop *loop = begin(maximum);
        start(workers, THREADS, puts_each);
        CHECK_EQ(thrum_loop_run_until_complete(loop, iterates(THREADS * EACH), &sum), 0);
        CHECK_EQ(sum, THREADS * (EACH * (EACH - 1L) / 2));
        for (int i = 0; i < THREADS; i++)
            pthread_join(workers[i].thread, NULL);
        end(loop);
    }
}

/* A cancelled one that was woken leaves its item to the other; breaking off leaves the rest in. */
static ASYNC(one_of, ARGS_NONE, LOCALS(thrum_iteration each; item item; item * at;))
{
    ASYNC_BEGIN;
    ASYNC_FOR (self->at, self->each, thrum_thread_queue_items(queue, &self->item))
        ASYNC_RETURN(self->at->number);
    ASYNC_RETURN(-1);
    ASYNC_END;
}

static ASYNC(two_loops, ARGS_NONE, LOCALS(thrum_task *tasks[2]; int value;))
{
    ASYNC_BEGIN;
    self->tasks[0] = thrum_spawn(one_of());
    self->tasks[1] = thrum_spawn(one_of());
    AWAIT(thrum_sleep(MILLISECONDS(1)));
    for (int i = 5; i < 7; i++)
        CHECK_EQ(thrum_thread_queue_put_nowait(queue, &(item){0, i}), 0);
    thrum_task_cancel(self->tasks[0]);
    AWAIT_INTO(self->value, self->tasks[1]);
    CHECK_EQ(self->value, 5);
    CHECK(thrum_task_cancelled(self->tasks[0]));
    CHECK_EQ(thrum_thread_queue_size(queue), 1);
    thrum_task_release(self->tasks[0]);
    thrum_task_release(self->tasks[1]);
    ASYNC_END;
}

TEST(thread_queue, loop_over_it_that_is_left)
{
    thrum_loop *loop = begin(0);
    CHECK_EQ(thrum_loop_run_until_complete(loop, two_loops(), NULL), 0);
    end(loop);
}

/* ---- tasks put, threads get ---- */

static void *gets_until_the_end(void *argument)
{
    worker *self = argument;
    int last = -1;
    item one;
    self->in_order = true;
    while (!(self->error = thrum_thread_queue_get_blocking(queue, &one, THRUM_NEVER))) {
        self->seen++;
        self->sum += one.number;
        self->in_order = self->in_order && one.number > last;
        last = one.number;
        thrum_thread_queue_task_done(queue);
    }
    return NULL;
}

static ASYNC(puts_all, ARGS_NONE, LOCALS(item item;))
{
    ASYNC_BEGIN;
    for (self->item.number = 0; self->item.number < EACH; self->item.number++)
        AWAIT(thrum_thread_queue_put(queue, &self->item));
    AWAIT(thrum_thread_queue_join(queue)); /* all was taken, and done */
    CHECK_EQ(thrum_thread_queue_size(queue), 0);
    thrum_thread_queue_shutdown(queue, false);
    ASYNC_END;
}

TEST_LIMIT(thread_queue, to_threads, 60)
{
    worker workers[THREADS];
    thrum_loop *loop = begin(5);
    int seen = 0;
    long sum = 0;
    start(workers, THREADS, gets_until_the_end);
    CHECK_EQ(thrum_loop_run_until_complete(loop, puts_all(), NULL), 0);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(workers[i].thread, NULL);
        CHECK_EQ(workers[i].error, THRUM_ESHUTDOWN);
        CHECK(workers[i].in_order);
        seen += workers[i].seen;
        sum += workers[i].sum;
    }
    CHECK_EQ(seen, EACH);
    CHECK_EQ(sum, (long)EACH * (EACH - 1) / 2);
    end(loop);
}

/* ---- what does not wait, and what waits in vain ---- */

static void *waits_in_vain(void *argument)
{
    worker *self = argument;
    item one = {0, 0};
    int errors[] = {
        thrum_thread_queue_put_blocking(queue, &one, MILLISECONDS(2)),
        thrum_thread_queue_put_blocking(queue, &one, 0),
        thrum_thread_queue_join_blocking(queue, MILLISECONDS(2)),
        thrum_thread_queue_get_blocking(queue, &one, THRUM_NEVER),
        thrum_thread_queue_get_blocking(queue, &one, MILLISECONDS(2)),
        thrum_thread_queue_task_done(queue),
        thrum_thread_queue_join_blocking(queue, THRUM_NEVER),
        thrum_thread_queue_task_done(queue),
    };
    const int expected[] = {THRUM_ETIMEDOUT, THRUM_ETIMEDOUT, THRUM_ETIMEDOUT, 0, THRUM_ETIMEDOUT, 0, 0, THRUM_EINVAL};
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        if (errors[i] != expected[i])
            self->error = errors[i] ? errors[i] : 1;
    return NULL;
}

TEST(thread_queue, time_limits)
{
    worker one;
    item first = {0, 1};
    thrum_loop *loop = begin(1);
    CHECK_EQ(thrum_thread_queue_get_nowait(queue, &first), THRUM_EEMPTY);
    CHECK_EQ(thrum_thread_queue_get_blocking(queue, &first, SECONDS(1)), THRUM_ESTATE); /* who would put one in? */
    CHECK_EQ(thrum_thread_queue_put_nowait(queue, &first), 0);
    CHECK_EQ(thrum_thread_queue_put_nowait(queue, &first), THRUM_EFULL);
    start(&one, 1, waits_in_vain);
    pthread_join(one.thread, NULL);
    CHECK_EQ(one.error, 0);
    thrum_thread_queue_shutdown(queue, true);
    CHECK_EQ(thrum_thread_queue_get_nowait(queue, &first), THRUM_ESHUTDOWN);
    CHECK_EQ(thrum_thread_queue_put_nowait(queue, &first), THRUM_ESHUTDOWN);
    end(loop);
}

TEST(thread_queue, what_cannot_be)
{
    thrum_thread_queue *none;
    CHECK_EQ(thrum_thread_queue_new(&none, 1, 1), THRUM_ESTATE); /* no loop */
    CHECK_NULL(none);
    thrum_loop *loop = begin(0);
    CHECK_EQ(thrum_thread_queue_new(&none, 1, 0), THRUM_EINVAL);
    thrum_thread_queue_free(NULL);
    end(loop);
}

/* ---- cancelling: a task that was woken and does not come passes it on ---- */

static ASYNC(gets_one, ARGS_NONE, LOCALS(item item;))
{
    ASYNC_BEGIN;
    AWAIT(thrum_thread_queue_get(queue, &self->item));
    note((char)('0' + self->item.number));
    ASYNC_END;
}

static ASYNC(puts_one, ARGS((int, number)), LOCALS(item item;))
{
    ASYNC_BEGIN;
    self->item.number = self->number;
    AWAIT(thrum_thread_queue_put(queue, &self->item));
    note((char)('a' + self->number));
    ASYNC_END;
}

static ASYNC(joins_one, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_thread_queue_join(queue));
    ASYNC_END;
}

static int outcome(thrum_task *task)
{
    int error = thrum_task_result(task, NULL);
    thrum_task_release(task);
    return error;
}

static void settle(thrum_loop *loop)
{
    for (int i = 0; i < 6; i++)
        CHECK_EQ(thrum_loop_step(loop, 0), 0);
}

TEST(thread_queue, cancelling)
{
    item one = {0, 1};
    thrum_loop *loop = begin(1);
    note_clear();
    thrum_task *a = thrum_spawn(gets_one()), *b = thrum_spawn(gets_one()), *c = thrum_spawn(gets_one());
    settle(loop);
    thrum_task_cancel(a); /* parked */
    settle(loop);
    CHECK_EQ(outcome(a), THRUM_ECANCELED);
    CHECK_EQ(thrum_thread_queue_put_nowait(queue, &one), 0);
    while (!thrum_task_done(b)) {
        CHECK_EQ(thrum_loop_step(loop, 0), 0);
        thrum_task_cancel(b); /* woken, or about to be */
    }
    settle(loop);
    CHECK_EQ(outcome(b), THRUM_ECANCELED);
    CHECK_EQ(outcome(c), 0);
    CHECK_STR(noted.text, "1");

    CHECK_EQ(thrum_thread_queue_put_nowait(queue, &one), 0);
    a = thrum_spawn(puts_one(2)), b = thrum_spawn(puts_one(3));
    settle(loop);
    CHECK_EQ(thrum_thread_queue_get_nowait(queue, &one), 0);
    while (!thrum_task_done(a)) {
        CHECK_EQ(thrum_loop_step(loop, 0), 0);
        thrum_task_cancel(a);
    }
    settle(loop);
    CHECK_EQ(outcome(a), THRUM_ECANCELED);
    CHECK_EQ(outcome(b), 0);
    CHECK_STR(noted.text, "1d");
    CHECK_EQ(thrum_thread_queue_get_nowait(queue, &one), 0);
    CHECK_EQ(one.number, 3);
    end(loop);
}

/* ---- the end ---- */

/* Threads that wait, or come, when the loop closes are told. */
TEST(thread_queue, loop_closes_under_threads)
{
    for (int round = 0; round < 20; round++) {
        worker in[2], out;
        thrum_loop *loop = begin(round % 2 ? 1 : 0);
        start(in, 2, puts_each);
        start(&out, 1, gets_until_the_end);
        for (int i = 0; i < round; i++)
            CHECK_EQ(thrum_loop_step(loop, 0), 0);
        close_loop(loop);
        pthread_join(in[0].thread, NULL);
        pthread_join(in[1].thread, NULL);
        pthread_join(out.thread, NULL);
        CHECK_EQ(out.error, THRUM_ESHUTDOWN);
        for (int i = 0; i < 2; i++)
            CHECK(in[i].error == THRUM_ESHUTDOWN || in[i].error == 0);
        thrum_thread_queue_free(queue);
    }
}

/* Tasks that wait are told when the queue is freed, and look at it no more. */
TEST(thread_queue, freed_with_tasks)
{
    thrum_loop *loop = begin(1);
    item one = {0, 0};
    thrum_task *a = thrum_spawn(gets_one());
    settle(loop);
    thrum_thread_queue_free(queue);
    settle(loop);
    CHECK_EQ(outcome(a), THRUM_ESHUTDOWN);
    CHECK_EQ(thrum_thread_queue_new(&queue, 1, sizeof one), 0);
    CHECK_EQ(thrum_thread_queue_put_nowait(queue, &one), 0);
    a = thrum_spawn(puts_one(1));
    settle(loop);
    CHECK_EQ(thrum_thread_queue_get_nowait(queue, &one), 0); /* a post is on its way */
    thrum_thread_queue_free(queue);
    settle(loop);
    CHECK_EQ(outcome(a), THRUM_ESHUTDOWN);
    close_loop(loop);
}

/* Freed by a task in whose pass the queue's post is called: those that wait come after it, in whichever order. */
static ASYNC(frees, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    CHECK_EQ(thrum_thread_queue_put_nowait(queue, &(item){0, 1}), 0);
    AWAIT(thrum_yield());
    thrum_thread_queue_free(queue);
    ASYNC_END;
}

TEST(thread_queue, freed_while_a_post_is_on_its_way)
{
    thrum_loop *loop = begin(0);
    CHECK_EQ(thrum_thread_queue_put_nowait(queue, &(item){0, 1}), 0);
    CHECK_EQ(thrum_thread_queue_get_nowait(queue, &(item){0, 0}), 0); /* never done */
    thrum_task *waits[] = {thrum_spawn(gets_one()), thrum_spawn(gets_one()), thrum_spawn(joins_one())};
    settle(loop);
    thrum_task *ends = thrum_spawn(frees());
    settle(loop);
    CHECK_EQ(outcome(ends), 0);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(outcome(waits[i]), THRUM_ESHUTDOWN);
    close_loop(loop);
}

/* A task that was woken and is cancelled then looks at the queue, too. */
TEST(thread_queue, freed_and_those_who_wait_cancelled)
{
    thrum_loop *loop = begin(0);
    CHECK_EQ(thrum_thread_queue_put_nowait(queue, &(item){0, 1}), 0);
    thrum_task *joins = thrum_spawn(joins_one());
    settle(loop);
    CHECK_EQ(thrum_thread_queue_get_nowait(queue, &(item){0, 0}), 0);
    thrum_task *gets = thrum_spawn(gets_one());
    settle(loop);
    thrum_thread_queue_free(queue);
    thrum_task_cancel(gets);
    thrum_task_cancel(joins);
    settle(loop);
    CHECK_EQ(outcome(gets), THRUM_ECANCELED);
    CHECK_EQ(outcome(joins), THRUM_ECANCELED);
    close_loop(loop);
}

/* One wake-up for many items. */
TEST(thread_queue, posts_come_together)
{
    thrum_loop *loop = begin(0);
    note_clear();
    thrum_task *tasks[5];
    for (int i = 0; i < 5; i++)
        tasks[i] = thrum_spawn(gets_one());
    settle(loop);
    for (int i = 0; i < 5; i++)
        CHECK_EQ(thrum_thread_queue_put_nowait(queue, &(item){0, i}), 0);
    int steps = 0;
    for (; !thrum_task_done(tasks[0]); steps++)
        CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_LE(steps, 3);
    for (int i = 0; i < 5; i++)
        CHECK_EQ(outcome(tasks[i]), 0); /* all in the same pass */
    CHECK_STR(noted.text, "01234");
    end(loop);
}
