/* Channels that know the type of their items, ends that a block closes, and memory that runs out on every way through
 * channels and queues. */
#include <stdio.h>

#include "combine.h"

struct job {
    int number;
    char text[12];
};

typedef CHANNEL_OF(struct job, 2) job_channel;
typedef SENDER_OF(struct job) job_sender;
typedef RECEIVER_OF(struct job) job_receiver;

static void describe(struct job *job, int number)
{
    job->number = number;
    snprintf(job->text, sizeof job->text, "job %d", number % 1000);
}

/* ---- from task to task ---- */

static ASYNC(sends, ARGS((job_sender *, to), (int, count)), LOCALS(thrum_end_hold hold; struct job job; int i;))
{
    ASYNC_BEGIN;
    WITH (self->hold, thrum_sender_hold(&self->hold, &self->to->end)) {
        for (self->i = 0; self->i < self->count; self->i++) {
            describe(&self->job, self->i);
            AWAIT(CHANNEL_SEND(self->to, &self->job));
        }
    }
    ASYNC_END;
}

static ASYNC(receives, ARGS((job_receiver *, from), (int, first)),
             LOCALS(thrum_end_hold hold; thrum_iteration each; struct job job; struct job * at; int seen;))
{
    ASYNC_BEGIN;
    WITH (self->hold, thrum_receiver_hold(&self->hold, &self->from->end)) {
        for (; self->seen < self->first; self->seen++)
            AWAIT(CHANNEL_RECEIVE(self->from, &self->job));
        ASYNC_FOR (self->at, self->each, CHANNEL_ITEMS(self->from, &self->job)) {
            char text[12];
            snprintf(text, sizeof text, "job %d", self->seen);
            CHECK_STR(self->at->text, text);
            CHECK_EQ(self->at->number, self->seen++);
        }
    }
    ASYNC_RETURN(self->seen);
    ASYNC_END;
}

/* What a channel of each kind is prepared by, and its ends. */
static job_channel with_room;
static RENDEZVOUS_OF(struct job) without;
static GROWING_CHANNEL_OF(struct job) growing;
static job_sender out;
static job_receiver in;

static thrum_channel *prepare(int kind)
{
    CHECK_EQ(kind == 0   ? CHANNEL_INIT(&with_room, &out, &in)
             : kind == 1 ? RENDEZVOUS_INIT(&without, &out, &in)
                         : GROWING_CHANNEL_INIT(&growing, &out, &in, 0),
             0);
    return kind == 0 ? &with_room.channel : kind == 1 ? &without.channel : &growing.channel;
}

static bool is_closed(const thrum_channel *channel)
{
    return channel->senders + channel->receivers == 0;
}

TEST(channels_typed, from_task_to_task)
{
    for (int kind = 0; kind < 3; kind++) {
        thrum_value seen = 0;
        begin();
        const thrum_channel *channel = prepare(kind);
        thrum_task *sender = thrum_spawn(sends(&out, 20)), *receiver = thrum_spawn(receives(&in, 1));
        CHECK_EQ(end_of(sender, NULL), 0);
        CHECK_EQ(end_of(receiver, &seen), 0);
        CHECK_EQ(seen, 20);
        CHECK(is_closed(channel));
        sim_close();
    }
}

TEST(channels_typed, at_once)
{
    job_sender more;
    job_receiver other;
    struct job job;
    begin();
    const thrum_channel *channel = prepare(0);
    CHECK_EQ(SENDER_CLONE(&out, &more), 0);
    CHECK_EQ(RECEIVER_CLONE(&in, &other), 0);
    describe(&job, 3);
    CHECK_EQ(CHANNEL_SEND_NOWAIT(&more, &job), 0);
    describe(&job, 4);
    CHECK_EQ(CHANNEL_SEND_NOWAIT(&out, &job), 0);
    CHECK_EQ(CHANNEL_SEND_NOWAIT(&out, &job), THRUM_EFULL);
    CHECK_EQ(thrum_channel_size(channel), 2);
    CHECK_EQ(CHANNEL_RECEIVE_NOWAIT(&other, &job), 0);
    CHECK_STR(job.text, "job 3");
    CHECK_EQ(CHANNEL_RECEIVE_NOWAIT(&in, &job), 0);
    CHECK_STR(job.text, "job 4");
    thrum_sender_close(&out.end);
    thrum_sender_close(&more.end);
    CHECK_EQ(CHANNEL_RECEIVE_NOWAIT(&in, &job), THRUM_ESHUTDOWN);
    thrum_receiver_close(&in.end);
    thrum_receiver_close(&other.end);
    CHECK(is_closed(channel));
    sim_close();
}

/* ---- ends that a block closes ---- */

/* The block is left by an error of the sender, by a cancellation, by a return: the end is closed, and the other side
 * told, each time. */
static ASYNC(leaves, ARGS((int, how)), LOCALS(thrum_end_hold hold; struct job job;))
{
    ASYNC_BEGIN;
    WITH (self->hold, thrum_sender_hold(&self->hold, &out.end)) {
        describe(&self->job, 0);
        AWAIT(CHANNEL_SEND(&out, &self->job));
        if (self->how == 0)
            ASYNC_RETURN(1);
        if (self->how == 1)
            ASYNC_RAISE(THRUM_EAPP(1));
        AWAIT(thrum_sleep(SECONDS(1000)));
    }
    ASYNC_END;
}

TEST(channels_typed, block_closes_a_sender_however_it_is_left)
{
    static const int ends[] = {0, THRUM_EAPP(1), THRUM_ECANCELED};
    for (int how = 0; how < 3; how++) {
        thrum_value seen = 0;
        begin();
        const thrum_channel *channel = prepare(how);
        thrum_task *sender = thrum_spawn(leaves(how)), *receiver = thrum_spawn(receives(&in, 0));
        sim_settle();
        CHECK_EQ(thrum_task_done(receiver), how < 2);
        if (how == 2)
            thrum_task_cancel(sender);
        CHECK_EQ(end_of(sender, NULL), ends[how]);
        CHECK_EQ(end_of(receiver, &seen), 0);
        CHECK_EQ(seen, 1);
        CHECK(is_closed(channel));
        sim_close();
    }
}

static ASYNC(waits_in_vain, ARGS_NONE, LOCALS(thrum_end_hold hold; struct job job;))
{
    ASYNC_BEGIN;
    WITH (self->hold, thrum_receiver_hold(&self->hold, &in.end))
        AWAIT(thrum_timeout(SECONDS(1), CHANNEL_RECEIVE(&in, &self->job)));
    ASYNC_END;
}

TEST(channels_typed, block_closes_a_receiver)
{
    struct job job = {0, ""};
    begin();
    prepare(1);
    CHECK_EQ(end_of(thrum_spawn(waits_in_vain()), NULL), THRUM_ETIMEDOUT);
    CHECK_EQ(CHANNEL_SEND_NOWAIT(&out, &job), THRUM_ECLOSED);
    /* One that is closed is no end to hold: the block does not begin. */
    CHECK_EQ(end_of(thrum_spawn(waits_in_vain()), NULL), THRUM_ESTATE);
    thrum_sender_close(&out.end);
    CHECK_EQ(end_of(thrum_spawn(leaves(0)), NULL), THRUM_ESTATE);
    sim_close();
}

/* ---- memory runs out ---- */

static int put_in, taken_out;

/* What could not be sent for want of memory is sent again: nothing is lost, and nothing comes twice. */
static ASYNC(feeds, ARGS((thrum_queue *, queue)), LOCALS(thrum_end_hold hold; struct job job; int error; int lacked;))
{
    ASYNC_BEGIN;
    WITH (self->hold, thrum_sender_hold(&self->hold, &out.end)) {
        while (self->job.number < 40) {
            AWAIT_CATCH(self->error, self->job.number % 2 ? thrum_timeout(SECONDS(1), CHANNEL_SEND(&out, &self->job))
                                                          : CHANNEL_SEND(&out, &self->job));
            if (!self->error)
                AWAIT_CATCH(self->error, thrum_queue_put(self->queue, &self->job));
            else if (self->error != THRUM_ENOMEM)
                ASYNC_RAISE(self->error);
            else
                self->lacked++;
            if (self->error)
                continue;
            put_in++;
            describe(&self->job, self->job.number + 1);
        }
    }
    thrum_queue_shutdown(self->queue, false);
    ASYNC_END;
}

static ASYNC(drains, ARGS((thrum_queue *, queue)),
             LOCALS(thrum_iteration each; struct job job; struct job * at; int next;))
{
    ASYNC_BEGIN;
    AWAIT(thrum_sleep(SECONDS(2))); /* until they have grown */
    ASYNC_FOR (self->at, self->each, thrum_queue_items(self->queue, &self->job)) {
        CHECK_EQ(self->at->number, self->next++);
        taken_out++;
    }
    self->next = 0;
    ASYNC_FOR (self->at, self->each, CHANNEL_ITEMS(&in, &self->job)) {
        CHECK_GE(self->at->number, self->next);
        self->next = self->at->number;
    }
FINALLY:
    thrum_receiver_close(&in.end);
    ASYNC_END;
}

static ASYNC(moves, ARGS_NONE, LOCALS(thrum_queue queue; int error;))
{
    ASYNC_BEGIN;
    put_in = taken_out = 0;
    CHECK_EQ(thrum_queue_init_growing(&self->queue, 0, sizeof(struct job)), 0);
    CHECK_EQ(GROWING_CHANNEL_INIT(&growing, &out, &in, 0), 0);
    AWAIT_CATCH_ALL(self->error, thrum_gather(NULL, feeds(&self->queue), drains(&self->queue)));
    thrum_sender_close(&out.end); /* what was to close them may not have begun */
    thrum_receiver_close(&in.end);
    if (!self->error)
        CHECK_EQ(taken_out, put_in);
    CHECK(is_closed(&growing.channel));
    thrum_queue_close(&self->queue);
    if (self->error)
        ASYNC_RAISE(self->error);
    ASYNC_END;
}

TEST(channels_typed, every_allocation_fails_once)
{
    CHECK_GE(every_allocation_fails(moves, 0), 3);
}
