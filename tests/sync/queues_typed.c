/* Queues that know the type of their items, and the inline ways in and out. */
#include "queues.h"

struct job {
    int priority;
    char text[16];
};

typedef QUEUE_OF(struct job, 3) job_queue;

static int by_priority(const void *a, const void *b)
{
    return ((const struct job *)a)->priority - ((const struct job *)b)->priority;
}

static ASYNC(producer, ARGS((job_queue *, jobs), (int, count)), LOCALS(struct job job; int i;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < self->count; self->i++) {
        self->job.priority = self->i;
        snprintf(self->job.text, sizeof self->job.text, "job %d", self->i);
        AWAIT_PUT(self->jobs, &self->job);
    }
    thrum_queue_shutdown(&self->jobs->queue, false);
    ASYNC_END;
}

static ASYNC(consumer, ARGS((job_queue *, jobs)), LOCALS(struct job job; int seen; thrum_try attempt; int error;))
{
    ASYNC_BEGIN;
    TRY (self->attempt) {
        for (;;) {
            char text[16];
            AWAIT_GET(self->jobs, &self->job);
            snprintf(text, sizeof text, "job %d", self->seen);
            CHECK_STR(self->job.text, text);
            CHECK_EQ(self->job.priority, self->seen++);
        }
    }
    CATCH (self->error, self->attempt) {
        CHECK_EQ(self->error, THRUM_ESHUTDOWN);
    }
    ASYNC_RETURN(self->seen);
    ASYNC_END;
}

TEST(queues_typed, from_task_to_task)
{
    job_queue jobs;
    CHECK_EQ(QUEUE_INIT(&jobs), 0);
    CHECK_EQ(thrum_queue_capacity(&jobs.queue), 3);
    begin();
    thrum_task *from = thrum_spawn(producer(&jobs, 1000)), *to = thrum_spawn(consumer(&jobs));
    CHECK_EQ(sim_until(to), 0);
    CHECK_EQ(result(from), 0);
    CHECK_EQ(result(to), 1000);
    end();
}

static int evaluations;

static job_queue *counted(job_queue *jobs)
{
    evaluations++;
    return jobs;
}

static struct job *counted_item(struct job *job)
{
    evaluations++;
    return job;
}

static ASYNC(evaluates, ARGS((job_queue *, jobs)), LOCALS(struct job job;))
{
    ASYNC_BEGIN;
    AWAIT_GET(counted(self->jobs), counted_item(&self->job));
    CHECK_EQ(self->job.priority, 5);
    CHECK_EQ(evaluations, 2);
    AWAIT_PUT(counted(self->jobs), counted_item(&self->job));
    CHECK_EQ(evaluations, 4);
    AWAIT(QUEUE_GET(counted(self->jobs), counted_item(&self->job)));
    CHECK_EQ(evaluations, 6);
    ASYNC_END;
}

/* Also when the wait takes several turns. */
TEST(queues_typed, arguments_are_evaluated_once)
{
    static job_queue jobs;
    struct job job = {5, "x"};
    CHECK_EQ(QUEUE_INIT(&jobs), 0);
    begin();
    thrum_task *task = thrum_spawn(evaluates(&jobs));
    for (int i = 0; i < 3; i++) {
        sim_settle();
        CHECK_EQ(QUEUE_PUT_NOWAIT(&jobs, &job), 0);
        CHECK_EQ(QUEUE_GET_NOWAIT(&jobs, &job), 0); /* it is woken, and finds nothing */
    }
    sim_settle();
    CHECK_EQ(QUEUE_PUT_NOWAIT(&jobs, &job), 0);
    sim_settle();
    CHECK_EQ(result(task), 0);
    end();
}

static ASYNC(cancels_itself, ARGS((job_queue *, jobs), (bool, full)), LOCALS(struct job job;))
{
    ASYNC_BEGIN;
    thrum_task_cancel(thrum_current_task());
    if (self->full) {
        AWAIT_PUT(self->jobs, &self->job); /* does not suspend: the cancellation comes at the next one that does */
        AWAIT_PUT(self->jobs, &self->job);
        AWAIT_PUT(self->jobs, &self->job);
        note("p");
        AWAIT_PUT(self->jobs, &self->job);
    } else {
        AWAIT_GET(self->jobs, &self->job);
    }
    FAIL("cancelled");
FINALLY:
    note("f");
    ASYNC_END;
}

TEST(queues_typed, cancelled_before_the_wait)
{
    job_queue jobs;
    CHECK_EQ(QUEUE_INIT(&jobs), 0);
    begin();
    thrum_task *task = thrum_spawn(cancels_itself(&jobs, false));
    sim_settle();
    CHECK_EQ(result(task), THRUM_ECANCELED);
    CHECK_NULL(jobs.queue.getters.first);
    task = thrum_spawn(cancels_itself(&jobs, true));
    sim_settle();
    CHECK_EQ(result(task), THRUM_ECANCELED);
    CHECK_NULL(jobs.queue.putters.first);
    CHECK_EQ(thrum_queue_size(&jobs.queue), 3);
    CHECK_STR(trace, "fpf");
    end();
}

TEST(queues_typed, other_kinds)
{
    PRIORITY_QUEUE_OF(struct job, 3) least;
    GROWING_QUEUE_OF(void *) pointers;
    QUEUE_OF(char, 2) bytes;
    struct job jobs[] = {{3, "c"}, {1, "a"}, {2, "b"}}, job;
    CHECK_EQ(PRIORITY_QUEUE_INIT(&least, by_priority), 0);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(QUEUE_PUT_NOWAIT(&least, &jobs[i]), 0);
    CHECK_EQ(QUEUE_PUT_NOWAIT(&least, &jobs[0]), THRUM_EFULL);
    for (int i = 1; i <= 3; i++) {
        CHECK_EQ(QUEUE_GET_NOWAIT(&least, &job), 0);
        CHECK_EQ(job.priority, i);
    }
    for (int kind = 0; kind < 2; kind++) {
        void *pointer;
        CHECK_EQ(kind ? GROWING_LIFO_QUEUE_INIT(&pointers, 0) : GROWING_QUEUE_INIT(&pointers, 0), 0);
        for (int i = 0; i < 20; i++) {
            pointer = &jobs[i % 3];
            CHECK_EQ(QUEUE_PUT_NOWAIT(&pointers, &pointer), 0);
        }
        for (int i = 0; i < 20; i++) {
            CHECK_EQ(QUEUE_GET_NOWAIT(&pointers, &pointer), 0);
            CHECK_PTR(pointer, &jobs[(kind ? 19 - i : i) % 3]);
        }
        thrum_queue_close(&pointers.queue);
    }
    char byte = 'x';
    CHECK_EQ(LIFO_QUEUE_INIT(&bytes), 0);
    CHECK_EQ(QUEUE_PUT_NOWAIT(&bytes, &byte), 0);
    byte = 'y';
    CHECK_EQ(QUEUE_PUT_NOWAIT(&bytes, &byte), 0);
    CHECK_EQ(QUEUE_GET_NOWAIT(&bytes, &byte), 0);
    CHECK_EQ(byte, 'y');
}
