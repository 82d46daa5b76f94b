/* Channels: two ends that close independently. */
#include <stdio.h>

#include <sim.h>

static char trace[400];

static void note(char what, int number)
{
    size_t length = strlen(trace);
    snprintf(trace + length, sizeof trace - length, "%c%d ", what, number);
}

static thrum_channel channel;
static thrum_sender sender;
static thrum_receiver receiver;
static int storage[8];

/* A capacity below 0 is a growing one. */
static void begin(int capacity)
{
    trace[0] = '\0';
    sim_open();
    if (capacity >= 0)
        CHECK_EQ(thrum_channel_init(&channel, &sender, &receiver, storage, (size_t)capacity, sizeof *storage), 0);
    else
        CHECK_EQ(thrum_channel_init_growing(&channel, &sender, &receiver, 0, sizeof *storage), 0);
}

static void end(void)
{
    thrum_sender_close(&sender);
    thrum_receiver_close(&receiver);
    sim_finish();
    CHECK_EQ(sim.reports, 0);
    CHECK_EQ(channel.senders + channel.receivers, 0);
    CHECK_NULL(channel.sending.first);
    CHECK_NULL(channel.receiving.first);
    sim_close();
}

static int result(thrum_task *task)
{
    thrum_value value = 0;
    int error = thrum_task_result(task, &value);
    thrum_task_release(task);
    return error ? error : (int)value;
}

static ASYNC(sends, ARGS((thrum_sender *, to), (int, item)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_channel_send(self->to, &self->item));
    note('s', self->item);
    ASYNC_END;
}

static ASYNC(receives, ARGS((thrum_receiver *, from)), LOCALS(int item;))
{
    ASYNC_BEGIN;
    AWAIT(thrum_channel_receive(self->from, &self->item));
    note('r', self->item);
    ASYNC_RETURN(self->item);
    ASYNC_END;
}

static int send_now(int item)
{
    return thrum_channel_send_nowait(&sender, &item);
}

static int receive_now(void)
{
    int item;
    int error = thrum_channel_receive_nowait(&receiver, &item);
    return error ? error : item;
}

TEST(channels, what_cannot_be)
{
    CHECK_EQ(thrum_channel_init(&channel, &sender, &receiver, storage, 2, 0), THRUM_EINVAL);
    CHECK_EQ(thrum_channel_init(&channel, &sender, &receiver, NULL, 0, 0), THRUM_EINVAL);
    CHECK_EQ(thrum_channel_init(&channel, &sender, &receiver, NULL, 2, 1), THRUM_EINVAL);
    CHECK_EQ(thrum_channel_init_growing(&channel, &sender, &receiver, 0, 0), THRUM_EINVAL);
    CHECK_EQ(send_now(1), THRUM_ESTATE);
    CHECK_EQ(receive_now(), THRUM_ESTATE);
    thrum_sender_close(&sender);
    thrum_receiver_close(&receiver);
}

/* ---- a rendezvous ---- */

TEST(channels, rendezvous)
{
    begin(0);
    thrum_task *a = thrum_spawn(sends(&sender, 1));
    CHECK_EQ(sim_settle(), 1);
    CHECK(!thrum_task_done(a)); /* nobody has it */
    CHECK_EQ(send_now(2), THRUM_EFULL);
    thrum_task *b = thrum_spawn(receives(&receiver));
    CHECK_EQ(sim_settle(), 2);
    CHECK_STR(trace, "r1 s1 ");
    CHECK_EQ(result(a), 0);
    CHECK_EQ(result(b), 1);

    CHECK_EQ(receive_now(), THRUM_EEMPTY);
    b = thrum_spawn(receives(&receiver));
    sim_settle();
    CHECK_EQ(send_now(3), 0); /* somebody waits for it */
    CHECK_EQ(send_now(4), THRUM_EFULL);
    CHECK_EQ(sim_settle(), 1);
    CHECK_EQ(result(b), 3);

    a = thrum_spawn(sends(&sender, 5));
    sim_settle();
    CHECK_EQ(receive_now(), 5);
    CHECK_EQ(sim_settle(), 1);
    CHECK_EQ(result(a), 0);
    CHECK_EQ(thrum_channel_size(&channel), 0);
    end();
}

/* Everybody is served in the order of coming, and nobody gets in between. */
TEST(channels, order)
{
    for (int capacity = 0; capacity <= 2; capacity++) {
        thrum_task *from[6], *to[6];
        begin(capacity);
        for (int i = 0; i < 6; i++)
            from[i] = thrum_spawn(sends(&sender, i));
        sim_settle();
        CHECK_EQ(thrum_channel_size(&channel), (size_t)capacity);
        for (int i = 0; i < 6; i++)
            to[i] = thrum_spawn(receives(&receiver));
        sim_settle();
        for (int i = 0; i < 6; i++) {
            CHECK_EQ(result(from[i]), 0);
            CHECK_EQ(result(to[i]), i);
        }
        for (int i = 0; i < 6; i++)
            to[i] = thrum_spawn(receives(&receiver));
        sim_settle();
        for (int i = 0; i < 6; i++)
            CHECK_EQ(send_now(i), 0);
        CHECK_EQ(receive_now(), THRUM_EEMPTY); /* they all have an owner */
        sim_settle();
        for (int i = 0; i < 6; i++)
            CHECK_EQ(result(to[i]), i);
        end();
    }
}

TEST(channels, buffered)
{
    begin(2);
    CHECK_EQ(send_now(1), 0);
    CHECK_EQ(send_now(2), 0);
    CHECK_EQ(send_now(3), THRUM_EFULL);
    thrum_task *a = thrum_spawn(sends(&sender, 3));
    sim_settle();
    CHECK_EQ(receive_now(), 1);
    CHECK_EQ(thrum_channel_size(&channel), 2); /* what waited has its room at once */
    CHECK_EQ(send_now(4), THRUM_EFULL);
    CHECK_EQ(sim_settle(), 1);
    CHECK_EQ(result(a), 0);
    CHECK_EQ(receive_now(), 2);
    CHECK_EQ(receive_now(), 3);
    CHECK_EQ(receive_now(), THRUM_EEMPTY);
    end();
}

/* ---- closing ---- */

TEST(channels, senders_close)
{
    for (int capacity = -1; capacity <= 2; capacity += 3) {
        thrum_sender clone, another;
        begin(capacity);
        CHECK_EQ(thrum_sender_clone(&sender, &clone), 0);
        CHECK_EQ(send_now(1), 0);
        thrum_sender_close(&sender);
        thrum_sender_close(&sender); /* again: nothing */
        CHECK_EQ(send_now(2), THRUM_ESTATE);
        CHECK_EQ(thrum_sender_clone(&sender, &another), THRUM_ESTATE);
        thrum_task *a = thrum_spawn(sends(&sender, 2));
        sim_settle();
        CHECK_EQ(result(a), THRUM_ESTATE);
        CHECK_EQ(receive_now(), 1);
        CHECK_EQ(receive_now(), THRUM_EEMPTY); /* one is open */
        int item = 3;
        CHECK_EQ(thrum_channel_send_nowait(&clone, &item), 0);
        thrum_sender_close(&clone);
        CHECK_EQ(receive_now(), 3); /* what was sent comes out */
        CHECK_EQ(receive_now(), THRUM_ESHUTDOWN);
        a = thrum_spawn(receives(&receiver));
        sim_settle();
        CHECK_EQ(result(a), THRUM_ESHUTDOWN);
        end();
    }
}

/* Who waits to receive is told when the last sender goes. */
/* An end that was copied, not cloned, is one end: its second close does nothing. */
TEST(channels, copies_of_ends_count_once)
{
    begin(2);
    thrum_sender copied = sender;
    thrum_receiver taken = receiver;
    int item;
    thrum_sender_close(&sender);
    thrum_sender_close(&copied);
    CHECK_EQ(thrum_channel_receive_nowait(&receiver, &item), THRUM_ESHUTDOWN);
    thrum_receiver_close(&receiver);
    thrum_receiver_close(&taken);
    end();
}

TEST(channels, senders_close_while_others_wait)
{
    thrum_sender clone;
    begin(0);
    CHECK_EQ(thrum_sender_clone(&sender, &clone), 0);
    thrum_task *a = thrum_spawn(receives(&receiver)), *b = thrum_spawn(receives(&receiver));
    sim_settle();
    thrum_sender_close(&sender);
    CHECK_EQ(sim_settle(), 0);
    thrum_sender_close(&clone);
    thrum_task_cancel(b);
    CHECK_EQ(sim_settle(), 1);
    CHECK_EQ(result(a), THRUM_ESHUTDOWN);
    CHECK_EQ(result(b), THRUM_ECANCELED);
    end();
}

TEST(channels, receivers_close)
{
    for (int capacity = 0; capacity <= 1; capacity++) {
        thrum_receiver clone, another;
        begin(capacity);
        CHECK_EQ(thrum_receiver_clone(&receiver, &clone), 0);
        thrum_task *a = thrum_spawn(sends(&sender, 1)), *b = thrum_spawn(sends(&sender, 2)),
                   *c = thrum_spawn(sends(&sender, 3));
        sim_settle();
        thrum_receiver_close(&receiver);
        thrum_receiver_close(&receiver);
        CHECK_EQ(receive_now(), THRUM_ESTATE);
        CHECK_EQ(thrum_receiver_clone(&receiver, &another), THRUM_ESTATE);
        CHECK_EQ(sim_settle(), 0); /* one is open */
        thrum_receiver_close(&clone);
        CHECK_EQ(sim_settle(), 1);
        CHECK_EQ(result(a), capacity ? 0 : THRUM_ECLOSED);
        CHECK_EQ(result(b), THRUM_ECLOSED);
        CHECK_EQ(result(c), THRUM_ECLOSED);
        CHECK_EQ(send_now(4), THRUM_ECLOSED);
        a = thrum_spawn(sends(&sender, 5));
        sim_settle();
        CHECK_EQ(result(a), THRUM_ECLOSED);
        CHECK_EQ(thrum_channel_size(&channel), 0);
        end();
    }
}

/* Closing an end turns away who waits through it, and nobody else. */
TEST(channels, ends_close_under_those_who_wait)
{
    thrum_sender second;
    thrum_receiver other;
    begin(0);
    CHECK_EQ(thrum_sender_clone(&sender, &second), 0);
    thrum_task *a = thrum_spawn(sends(&sender, 1)), *b = thrum_spawn(sends(&second, 2)),
               *c = thrum_spawn(sends(&sender, 3)), *d = thrum_spawn(sends(&second, 4));
    sim_settle();
    thrum_sender_close(&sender);
    CHECK_EQ(sim_settle(), 1);
    CHECK_EQ(result(a), THRUM_ESTATE);
    CHECK_EQ(result(c), THRUM_ESTATE);
    CHECK_EQ(receive_now(), 2);
    CHECK_EQ(receive_now(), 4);
    sim_settle();
    CHECK_EQ(result(b) | result(d), 0);

    CHECK_EQ(thrum_receiver_clone(&receiver, &other), 0);
    a = thrum_spawn(receives(&receiver)), b = thrum_spawn(receives(&other)), c = thrum_spawn(receives(&receiver));
    sim_settle();
    thrum_receiver_close(&receiver);
    thrum_task_cancel(c); /* woken: there is nothing to hand on */
    CHECK_EQ(sim_settle(), 1);
    CHECK_EQ(result(a), THRUM_ESTATE);
    CHECK_EQ(result(c), THRUM_ECANCELED);
    int item = 6;
    CHECK_EQ(thrum_channel_send_nowait(&second, &item), 0);
    sim_settle();
    CHECK_EQ(result(b), 6);
    thrum_sender_close(&second);
    thrum_receiver_close(&other);
    end();
}

/* ---- cancelling ---- */

TEST(channels, cancelled_while_waiting)
{
    begin(0);
    thrum_task *a = thrum_spawn(sends(&sender, 1)), *b = thrum_spawn(sends(&sender, 2));
    sim_settle();
    thrum_task_cancel(a);
    CHECK_EQ(receive_now(), 2); /* at once: it has left the line */
    sim_settle();
    CHECK_EQ(result(a), THRUM_ECANCELED);
    CHECK_EQ(result(b), 0);
    a = thrum_spawn(receives(&receiver)), b = thrum_spawn(receives(&receiver));
    sim_settle();
    thrum_task_cancel(a);
    CHECK_EQ(send_now(7), 0);
    sim_settle();
    CHECK_EQ(result(a), THRUM_ECANCELED);
    CHECK_EQ(result(b), 7);
    end();
}

static ASYNC(sends_then_waits, ARGS_NONE, LOCALS(int item; bool sent;))
{
    ASYNC_BEGIN;
    self->item = 1;
    AWAIT(thrum_channel_send(&sender, &self->item));
    note('s', 1);
    AWAIT(thrum_yield());
    FAIL("cancelled");
    ASYNC_END;
}

static ASYNC(receives_then_waits, ARGS_NONE, LOCALS(int item;))
{
    ASYNC_BEGIN;
    AWAIT(thrum_channel_receive(&receiver, &self->item));
    note('r', self->item);
    AWAIT(thrum_yield());
    FAIL("cancelled");
    ASYNC_END;
}

/* What has moved has moved: the cancellation comes at the next await. */
TEST(channels, cancelled_when_served)
{
    begin(0);
    thrum_task *a = thrum_spawn(sends_then_waits());
    sim_settle();
    CHECK_EQ(receive_now(), 1);
    thrum_task_cancel(a);
    sim_settle();
    CHECK_EQ(result(a), THRUM_ECANCELED);
    a = thrum_spawn(receives_then_waits());
    sim_settle();
    CHECK_EQ(send_now(2), 0);
    thrum_task_cancel(a);
    sim_settle();
    CHECK_EQ(result(a), THRUM_ECANCELED);
    CHECK_STR(trace, "s1 r2 ");
    end();
}

static ASYNC(limited, ARGS((bool, send)), LOCALS(int item; int error;))
{
    ASYNC_BEGIN;
    if (self->send)
        AWAIT_CATCH(self->error, thrum_timeout(MILLISECONDS(5), thrum_channel_send(&sender, &self->item)));
    else
        AWAIT_CATCH(self->error, thrum_timeout(MILLISECONDS(5), thrum_channel_receive(&receiver, &self->item)));
    ASYNC_RETURN(self->error);
    ASYNC_END;
}

TEST(channels, time_limit)
{
    begin(0);
    for (int i = 0; i < 2; i++) {
        thrum_task *a = thrum_spawn(limited(i));
        CHECK_EQ(sim_until(a), 0);
        CHECK_EQ(result(a), THRUM_ETIMEDOUT);
        CHECK_NULL(channel.sending.first);
        CHECK_NULL(channel.receiving.first);
    }
    end();
}

/* ---- one after the other ---- */

static ASYNC(sends_many, ARGS((int, count)), LOCALS(int i;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < self->count; self->i++)
        AWAIT(thrum_channel_send(&sender, &self->i));
FINALLY:
    thrum_sender_close(&sender);
    ASYNC_END;
}

static ASYNC(adds_up, ARGS((int, most)), LOCALS(thrum_iteration each; int item; int *at; int sum; int count;))
{
    ASYNC_BEGIN;
    ASYNC_FOR (self->at, self->each, thrum_channel_items(&receiver, &self->item)) {
        CHECK_PTR(self->at, &self->item);
        self->sum += *self->at;
        if (++self->count == self->most)
            break;
    }
    note('=', self->sum);
FINALLY:
    thrum_receiver_close(&receiver);
    ASYNC_END;
}

TEST(channels, items)
{
    for (int capacity = -1; capacity <= 3; capacity++) {
        for (int first = 0; first < 2; first++) {
            begin(capacity);
            thrum_task *a = first ? thrum_spawn(sends_many(100)) : NULL;
            thrum_task *b = thrum_spawn(adds_up(0));
            if (!first)
                a = thrum_spawn(sends_many(100));
            CHECK_EQ(sim_until(b), 0);
            CHECK_EQ(result(a) | result(b), 0);
            CHECK_STR(trace, "=4950 ");
            end();
        }
    }
}

/* The receiver leaves: the sender is told. */
TEST(channels, receiver_leaves_early)
{
    for (int capacity = 0; capacity <= 3; capacity++) {
        begin(capacity);
        thrum_task *a = thrum_spawn(sends_many(100)), *b = thrum_spawn(adds_up(10));
        CHECK_EQ(sim_until(a), 0);
        CHECK_EQ(result(a), THRUM_ECLOSED);
        CHECK_EQ(result(b), 0);
        CHECK_STR(trace, "=45 ");
        end();
    }
}

/* Queues are looped over in the same way. */
static ASYNC(takes_all, ARGS((thrum_queue *, queue)), LOCALS(thrum_iteration each; int item; int *at; int sum;))
{
    ASYNC_BEGIN;
    ASYNC_FOR (self->at, self->each, thrum_queue_items(self->queue, &self->item)) {
        self->sum += *self->at;
        CHECK_EQ(thrum_queue_task_done(self->queue), 0);
    }
    ASYNC_RETURN(self->sum);
    ASYNC_END;
}

static ASYNC(puts_many, ARGS((thrum_queue *, queue)), LOCALS(int i;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < 100; self->i++)
        AWAIT(thrum_queue_put(self->queue, &self->i));
    AWAIT(thrum_queue_join(self->queue));
    thrum_queue_shutdown(self->queue, false);
    ASYNC_END;
}

TEST(channels, items_of_a_queue)
{
    thrum_queue queue;
    begin(0);
    CHECK_EQ(thrum_queue_init(&queue, storage, 3, sizeof *storage), 0);
    thrum_task *a = thrum_spawn(takes_all(&queue)), *b = thrum_spawn(takes_all(&queue)),
               *c = thrum_spawn(puts_many(&queue));
    CHECK_EQ(sim_until(c), 0);
    sim_settle();
    CHECK_EQ(result(a) + result(b), 4950);
    CHECK_EQ(result(c), 0);

    CHECK_EQ(thrum_queue_init(&queue, storage, 3, sizeof *storage), 0);
    a = thrum_spawn(takes_all(&queue)), b = thrum_spawn(takes_all(&queue));
    sim_settle();
    CHECK_EQ(thrum_queue_put_nowait(&queue, &(int){7}), 0);
    thrum_task_cancel(a); /* woken: the item is the other one's */
    sim_settle();
    thrum_queue_shutdown(&queue, false);
    sim_settle();
    CHECK_EQ(result(a), THRUM_ECANCELED);
    CHECK_EQ(result(b), 7);
    end();
}
