/* Random producers, consumers, cancellations, time limits and shutdowns on queues and channels: nothing is lost or
 * doubled, and each producer's items come out in its order where the kind has one. What a cancelled put or get has done
 * is told by its error alone, so the accounts are exact. */
/* thrum-check: ignore-file thrum-cancellation-swallowed */
#include "queues.h"

enum { PRODUCERS = 4, CONSUMERS = 4, ITEMS = 12, CHANNEL = KINDS, SORTS };

typedef struct world {
    uint32_t random;
    int sort;
    struct storage storage;
    thrum_queue *queue; /* NULL: the channel */
    thrum_channel channel;
    thrum_sender sender;
    thrum_receiver receiver;
    thrum_task *tasks[PRODUCERS + CONSUMERS];
    bool in[PRODUCERS * ITEMS], out[PRODUCERS * ITEMS];
    int done; /* items taken out */
} world;

static world it;

static unsigned below(unsigned limit)
{
    it.random = it.random * 1664525u + 1013904223u;
    return (unsigned)(it.random >> 16) % limit;
}

static thrum_awaitable put_of(int *item, unsigned how)
{
    if (!it.queue)
        return thrum_channel_send(&it.sender, item);
    return how ? thrum_queue_put_value(it.queue, *item) : thrum_queue_put(it.queue, item);
}

static thrum_awaitable get_of(int *item)
{
    return it.queue ? thrum_queue_get(it.queue, item) : thrum_channel_receive(&it.receiver, item);
}

/* Puts its items one by one, each as often as it takes; ends when it is turned away. */
static ASYNC(produces, ARGS((int, number)), LOCALS(int i; int item; int error; unsigned how;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < ITEMS;) {
        self->item = self->number * ITEMS + self->i;
        self->how = below(6);
        if (self->how == 0)
            AWAIT_CATCH_ALL(self->error, thrum_sleep((thrum_time)below(4)));
        if (self->how <= 1)
            AWAIT_CATCH_ALL(self->error, thrum_timeout((thrum_time)below(3), put_of(&self->item, 0)));
        else if (self->how == 2 && it.queue)
            AWAIT_CATCH_ALL(self->error, put_of(&self->item, 1));
        else if (self->how == 3 && it.queue)
            self->error = thrum_queue_put_nowait(it.queue, &self->item);
        else if (self->how == 3)
            self->error = thrum_channel_send_nowait(&it.sender, &self->item);
        else
            AWAIT_CATCH_ALL(self->error, put_of(&self->item, 0));
        if (self->error == THRUM_ECANCELED)
            thrum_uncancel();
        if (self->error == 0) {
            CHECK(!it.in[self->item]);
            it.in[self->item] = true;
            self->i++;
        } else if (self->error == THRUM_ESHUTDOWN || self->error == THRUM_ECLOSED || self->error == THRUM_ESTATE) {
            break;
        } else if (self->error == THRUM_EFULL) {
            AWAIT_CATCH_ALL(self->error, thrum_yield());
            if (self->error)
                thrum_uncancel();
        }
    }
    ASYNC_END;
}

static ASYNC(consumes, ARGS((int, number)), LOCALS(int item; int error; unsigned how; int last[PRODUCERS];))
{
    ASYNC_BEGIN;
    memset(self->last, -1, sizeof self->last);
    for (;;) {
        self->how = below(5);
        if (self->how == 0)
            AWAIT_CATCH_ALL(self->error, thrum_sleep((thrum_time)below(4)));
        if (self->how == 1)
            AWAIT_CATCH_ALL(self->error, thrum_timeout((thrum_time)below(3), get_of(&self->item)));
        else
            AWAIT_CATCH_ALL(self->error, get_of(&self->item));
        if (self->error == THRUM_ECANCELED)
            thrum_uncancel();
        if (self->error == THRUM_ESHUTDOWN)
            break;
        if (self->error)
            continue;
        int from = self->item / ITEMS;
        CHECK(from >= 0 && from < PRODUCERS);
        CHECK(!it.out[self->item]); /* not doubled */
        it.out[self->item] = true;
        it.done++;
        if (it.sort == CHANNEL || (it.sort & ~GROWING) == FIFO)
            CHECK_GT(self->item, self->last[from]); /* in the producer's order */
        self->last[from] = self->item;
        if (it.queue)
            CHECK_EQ(thrum_queue_task_done(it.queue), 0);
    }
    ASYNC_END;
}

static ASYNC(disturbs, ARGS_NONE, LOCALS(int n; int error;))
{
    ASYNC_BEGIN;
    for (self->n = 0; self->n < 40; self->n++) {
        if (below(3))
            AWAIT(thrum_yield());
        else
            AWAIT(thrum_sleep((thrum_time)below(3)));
        thrum_task_cancel(it.tasks[below(PRODUCERS + CONSUMERS)]);
    }
    ASYNC_END;
}

/* Whenever nothing is ready nobody waits beside an item, or beside room. */
static int until(const thrum_task *task)
{
    while (!thrum_task_done(task)) {
        int error = sim_step_(true);
        if (error)
            return error;
        if (!sim_ready() && it.queue) {
            CHECK(!it.queue->getters.first || thrum_queue_empty(it.queue));
            CHECK(!it.queue->putters.first || thrum_queue_full(it.queue));
        }
    }
    return 0;
}

static void run(unsigned seed, int sort)
{
    memset(&it, 0, sizeof it);
    it.random = seed;
    it.sort = sort;
    size_t capacity = 1 + below(3);
    sim_open();
    thrum_task *disturber = NULL;
    if (sort == CHANNEL)
        CHECK_EQ(
            thrum_channel_init(&it.channel, &it.sender, &it.receiver, it.storage.items_, capacity - 1, sizeof(int)), 0);
    else
        it.queue = make(&it.storage, sort, sort & GROWING && capacity == 3 ? 0 : capacity);
    for (int i = 0; i < PRODUCERS; i++)
        it.tasks[i] = thrum_spawn(produces(i));
    for (int i = 0; i < CONSUMERS; i++)
        it.tasks[PRODUCERS + i] = thrum_spawn(consumes(i));
    disturber = thrum_spawn(disturbs());
    CHECK_EQ(until(disturber), 0);
    bool early = below(4) == 0;
    for (int i = 0; i < PRODUCERS && !early; i++)
        CHECK_EQ(until(it.tasks[i]), 0); /* nobody is left waiting beside room and consumers */
    if (it.queue)
        thrum_queue_shutdown(it.queue, false);
    else
        thrum_sender_close(&it.sender);
    for (int i = 0; i < PRODUCERS + CONSUMERS; i++) {
        CHECK_EQ(until(it.tasks[i]), 0);
        int error = thrum_task_result(it.tasks[i], NULL); /* cancelled where nothing was to be waited for any more */
        CHECK(error == 0 || error == THRUM_ECANCELED);
        thrum_task_release(it.tasks[i]);
    }
    thrum_task_release(disturber);
    for (int i = 0; i < PRODUCERS * ITEMS; i++)
        CHECK_EQ(it.in[i], it.out[i]); /* not lost, and nothing that was not put */
    if (!early)
        CHECK_EQ(it.done, PRODUCERS * ITEMS);
    if (it.queue) {
        CHECK_EQ(thrum_queue_task_done(it.queue), THRUM_EINVAL);
        CHECK_NULL(it.queue->getters.first);
        CHECK_NULL(it.queue->putters.first);
        thrum_queue_close(it.queue);
    } else {
        CHECK_NULL(it.channel.sending.first);
        CHECK_NULL(it.channel.receiving.first);
        thrum_receiver_close(&it.receiver);
    }
    sim_finish();
    sim_close();
}

TEST_LIMIT(queue_random, nothing_is_lost_or_doubled, 60)
{
    for (unsigned seed = 1; seed <= (THRUM_HOSTED ? 4000 / THRUM_TEST_SCALE : 15); seed++)
        for (int sort = 0; sort < SORTS; sort++)
            run(seed, sort);
}
