/* What interrupts say to the loop. */
#include "machine.h"

static thrum_signal pin = THRUM_SIGNAL_INIT, other = THRUM_SIGNAL_INIT;

static void post_pin(void)
{
    thrum_signal_post_from_isr(&pin);
}

static void post_pin_thrice(void)
{
    post_pin();
    post_pin();
    post_pin();
}

static ASYNC(wait_for, ARGS((thrum_signal *, signal), (int *, seen)), LOCALS(int posts;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->posts, thrum_signal_wait(self->signal));
    *self->seen = self->posts;
    ASYNC_RETURN(self->posts);
    ASYNC_END;
}

TEST(signals, wake_a_task)
{
    thrum_value posts;
    int seen;
    machine_memory(2048);
    machine_interrupt_at(7, post_pin);
    CHECK_EQ(thrum_bare_run(wait_for(&pin, &seen), &posts), 0);
    CHECK_EQ(posts, 1);
    CHECK_EQ(thrum_port_now(), 7);
    CHECK_EQ(machine_sleeps, 1);
}

TEST(signals, count_what_was_posted_meanwhile)
{
    thrum_value posts;
    int seen;
    machine_memory(2048);
    machine_interrupt_at(7, post_pin_thrice);
    CHECK_EQ(thrum_bare_run(wait_for(&pin, &seen), &posts), 0);
    CHECK_EQ(posts, 3);
}

TEST(signals, are_kept_for_who_comes_later)
{
    thrum_value posts;
    int seen;
    machine_memory(2048);
    post_pin_thrice();
    CHECK_EQ(thrum_bare_run(thrum_sleep(MILLISECONDS(3)), NULL), 0);
    post_pin();
    CHECK_EQ(thrum_bare_run(wait_for(&pin, &seen), &posts), 0);
    CHECK_EQ(posts, 4);
}

/* Between the last look at what was posted and the sleep there is no time at which a post is lost. */
TEST(signals, are_not_lost_at_any_mask)
{
    for (unsigned n = 1; n < 12; n++) {
        thrum_value posts;
        int seen;
        machine_memory(2048);
        machine_interrupt_after_masks(n, post_pin);
        machine_interrupt_at(thrum_port_now() + 100, post_pin);
        CHECK_EQ(thrum_bare_run(wait_for(&pin, &seen), &posts), 0);
        thrum_bare_open();
        while (thrum_bare_step())
            continue;
        thrum_bare_close();
        CHECK_GE(posts, 1);
        thrum_signal_cancel(&pin);
        machine_interrupt_after_masks(0, NULL);
        CHECK_EQ(thrum_bare_run(thrum_sleep(200), NULL), 0); /* the second post, when the first was the one */
        thrum_signal_cancel(&pin);
    }
}

static ASYNC(two_wait, ARGS((int, cancel)), LOCALS(thrum_task *tasks[2]; int seen[2];))
{
    ASYNC_BEGIN;
    self->tasks[0] = thrum_spawn(wait_for(&pin, &self->seen[0]));
    self->tasks[1] = thrum_spawn(wait_for(&pin, &self->seen[1]));
    AWAIT(thrum_sleep(MILLISECONDS(1)));
    post_pin_thrice();
    if (self->cancel == 1 || self->cancel == 3) {
        AWAIT(thrum_sleep(0)); /* handed over, but not taken yet */
        thrum_task_cancel(self->tasks[0]);
        if (self->cancel == 3) /* what it gave back is not given back again */
            thrum_task_cancel(self->tasks[0]);
    } else if (self->cancel == 2) {
        thrum_task_cancel(self->tasks[0]);
    }
    while (!thrum_task_done(self->tasks[0]))
        AWAIT(thrum_sleep(0));
    AWAIT(thrum_sleep(MILLISECONDS(1)));
    if (!self->cancel) {
        CHECK_EQ(self->seen[0], 3);
        CHECK(!thrum_task_done(self->tasks[1]));
        post_pin();
        AWAIT(thrum_sleep(MILLISECONDS(1)));
        CHECK_EQ(self->seen[1], 1);
    } else {
        CHECK(thrum_task_cancelled(self->tasks[0]));
        CHECK_EQ(self->seen[1], 3);
    }
    CHECK(thrum_task_done(self->tasks[1]));
FINALLY:
    thrum_task_release(self->tasks[0]);
    thrum_task_release(self->tasks[1]);
    ASYNC_END;
}

TEST(signals, go_to_who_has_waited_longest)
{
    machine_memory(4096);
    CHECK_EQ(thrum_bare_run(two_wait(0), NULL), 0);
}

TEST(signals, pass_a_cancelled_waiter_by)
{
    machine_memory(4096);
    CHECK_EQ(thrum_bare_run(two_wait(1), NULL), 0);
    CHECK_EQ(thrum_bare_run(two_wait(2), NULL), 0);
    CHECK_EQ(thrum_bare_run(two_wait(3), NULL), 0);
}

static char order[8];
static unsigned called;

static void note(thrum_signal *signal, unsigned count)
{
    order[called++] = *(const char *)signal->context;
    CHECK_EQ(count, 1);
}

static thrum_signal a = THRUM_SIGNAL_CALLING(note, (void *)(uintptr_t) "a");
static thrum_signal b = THRUM_SIGNAL_CALLING(note, (void *)(uintptr_t) "b");
static thrum_signal c = THRUM_SIGNAL_CALLING(note, (void *)(uintptr_t) "c");

static void post_three(void)
{
    thrum_signal_post_from_isr(&b);
    thrum_signal_post_from_isr(&c);
    thrum_signal_post_from_isr(&a);
}

TEST(signals, call_functions_in_the_order_of_posting)
{
    machine_memory(2048);
    machine_interrupt_at(3, post_three);
    CHECK_EQ(thrum_bare_run(thrum_sleep(5), NULL), 0);
    CHECK_STR(order, "bca");
}

static thrum_event event;

static void set_event(thrum_signal *signal, unsigned count)
{
    (void)count;
    thrum_event_set((thrum_event *)signal->context);
}

static thrum_signal sets;

static void post_sets(void)
{
    thrum_signal_post_from_isr(&sets);
}

TEST(signals, set_events)
{
    machine_memory(2048);
    thrum_event_init(&event);
    thrum_signal_init(&sets, set_event, &event);
    machine_interrupt_at(9, post_sets);
    CHECK_EQ(thrum_bare_run(thrum_event_wait(&event), NULL), 0);
    CHECK_EQ(thrum_port_now(), 9);
}

static void post_again(thrum_signal *signal, unsigned count)
{
    (void)count;
    if (++called < 5)
        thrum_signal_post_from_isr(signal);
}

/* One that posts itself gets its turn in each pass, and does not keep others from theirs. */
TEST(signals, may_be_posted_by_what_they_call)
{
    thrum_signal again;
    machine_memory(2048);
    thrum_signal_init(&again, post_again, NULL);
    thrum_signal_post_from_isr(&again);
    CHECK_EQ(thrum_bare_run(thrum_sleep(1), NULL), 0);
    CHECK_EQ(called, 5);
}

TEST(signals, are_taken_back)
{
    machine_memory(2048);
    post_three();
    CHECK(thrum_signal_cancel(&c));
    CHECK(!thrum_signal_cancel(&c));
    CHECK_EQ(thrum_bare_run(thrum_sleep(1), NULL), 0);
    CHECK_STR(order, "ba");
    thrum_signal_post_from_isr(&c);
    CHECK_EQ(thrum_bare_run(thrum_sleep(1), NULL), 0);
    CHECK_STR(order, "bac");
    CHECK(!thrum_signal_cancel(&other));
}
