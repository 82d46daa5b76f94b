/* Datagrams through memory: what the weather does to them. */
#include "support.h"

enum { MANY = 2000 };

/* How often each number arrived, and how many came after a higher one. */
struct tally {
    int count[MANY];
    int total, overtaken;
};

static ASYNC(collect, ARGS((thrum_test_datagrams *, end), (struct tally *, tally)),
             LOCALS(int number; int last; int error;))
{
    ASYNC_BEGIN;
    for (;;) {
        AWAIT_CATCH(self->error, thrum_timeout(SECONDS(60), thrum_test_datagram_receive(self->end, &self->number,
                                                                                        sizeof self->number)));
        if (self->error)
            break;
        self->tally->count[self->number]++;
        self->tally->total++;
        self->tally->overtaken += self->number < self->last;
        self->last = self->number;
    }
    CHECK_EQ(self->error, THRUM_ETIMEDOUT);
    ASYNC_END;
}

static ASYNC(send_many, ARGS((const thrum_test_weather *, weather), (struct tally *, tally)),
             LOCALS(thrum_test_datagrams *a; thrum_test_datagrams * b; thrum_task * task; int i;))
{
    ASYNC_BEGIN;
    CHECK_EQ(thrum_test_datagram_pair(&self->a, &self->b, self->weather), 0);
    self->task = thrum_spawn(collect(self->b, self->tally));
    for (self->i = 0; self->i < MANY; self->i++) {
        AWAIT(thrum_test_datagram_send(self->a, &self->i, sizeof self->i));
        AWAIT(thrum_sleep(MILLISECONDS(1)));
    }
    AWAIT(self->task);
    thrum_task_release(self->task);
    thrum_test_datagram_release(self->a);
    thrum_test_datagram_release(self->b);
    ASYNC_END;
}

static struct tally counted, again;

TEST(testing_datagrams, fair_weather)
{
    CHECK_EQ(thrum_test_run(send_many(NULL, &counted), NULL), 0);
    for (int i = 0; i < MANY; i++)
        CHECK_EQ(counted.count[i], 1);
    CHECK_EQ(counted.overtaken, 0);
}

TEST(testing_datagrams, foul_weather)
{
    const thrum_test_weather weather = {
        .size = sizeof weather, .seed = 11, .lost = 100, .doubled = 50, .late = 200, .latency = MILLISECONDS(20)};
    int lost = 0, doubled = 0;
    CHECK_EQ(thrum_test_run(send_many(&weather, &counted), NULL), 0);
    for (int i = 0; i < MANY; i++) {
        lost += counted.count[i] == 0;
        doubled += counted.count[i] == 2;
    }
    CHECK(lost > MANY / 20 && lost < MANY / 5);
    CHECK(doubled > MANY / 50 && doubled < MANY / 10);
    CHECK_GT(counted.overtaken, MANY / 20);
    /* The same seed, the same weather. */
    CHECK_EQ(thrum_test_run(send_many(&weather, &again), NULL), 0);
    CHECK_MEM(&again, &counted, sizeof counted);
}

static ASYNC(details, ARGS_NONE,
             LOCALS(thrum_test_datagrams *a; thrum_test_datagrams * b; char text[8]; size_t n; int error;
                    thrum_task * waiting;))
{
    const thrum_test_weather weather = {.size = sizeof weather, .latency = SECONDS(2), .most = 2};
    ASYNC_BEGIN;
    CHECK_EQ(thrum_test_datagram_pair(&self->a, &self->b, &weather), 0);
    /* Boundaries stay; what has no room is cut, and what finds no place is lost. */
    AWAIT(thrum_test_datagram_send(self->a, "first", 5));
    AWAIT(thrum_test_datagram_send(self->a, "", 0));
    AWAIT(thrum_test_datagram_send(self->a, "third", 5));
    AWAIT_INTO(self->n, thrum_test_datagram_receive(self->b, self->text, 3));
    CHECK_EQ(self->n, 5);
    CHECK_MEM(self->text, "fir", 3);
    CHECK_EQ(thrum_now(), SECONDS(2));
    AWAIT_INTO(self->n, thrum_test_datagram_receive(self->b, self->text, 8));
    CHECK_EQ(self->n, 0);
    /* A cancelled receive takes nothing. */
    AWAIT(thrum_test_datagram_send(self->a, "later", 5));
    AWAIT_CATCH(self->error, thrum_timeout(SECONDS(1), thrum_test_datagram_receive(self->b, self->text, 8)));
    CHECK_EQ(self->error, THRUM_ETIMEDOUT);
    /* One at a time. */
    self->waiting = thrum_spawn(thrum_test_datagram_receive(self->b, self->text, 8));
    AWAIT(thrum_sleep(0));
    AWAIT_CATCH(self->error, thrum_test_datagram_receive(self->b, self->text, 8));
    CHECK_EQ(self->error, THRUM_EBUSY);
    /* What was sent before the other end went still arrives. */
    thrum_test_datagram_release(self->a);
    AWAIT_INTO(self->n, self->waiting);
    CHECK_MEM(self->text, "later", 5);
    thrum_task_release(self->waiting);
    AWAIT_CATCH(self->error, thrum_test_datagram_receive(self->b, self->text, 8));
    CHECK_EQ(self->error, THRUM_ECLOSED);
    AWAIT_INTO(self->n, thrum_test_datagram_send(self->b, "void", 4));
    CHECK_EQ(self->n, 4);
    thrum_test_datagram_release(self->b);
    thrum_test_datagram_release(NULL);
    ASYNC_END;
}

TEST(testing_datagrams, details)
{
    CHECK_EQ(thrum_test_run(details(), NULL), 0);
}
