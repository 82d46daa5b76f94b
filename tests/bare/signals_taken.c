/* Signals that are taken back while others are outstanding. */
#include "bare_support.h"

static thrum_signal second = THRUM_SIGNAL_INIT;
static char order[8];

static void note(thrum_signal *signal, unsigned count)
{
    const size_t at = strlen(order);
    CHECK_LT(at + 2, sizeof order);
    order[at] = *(const char *)signal->context;
    order[at + 1] = (char)('0' + count);
}

static thrum_signal *to_cancel[2];

static void cancels_others(thrum_signal *signal, unsigned count)
{
    note(signal, count);
    for (int i = 0; i < 2; i++)
        CHECK(thrum_signal_cancel(to_cancel[i]));
    CHECK(!thrum_signal_cancel(to_cancel[0]));
}

static ASYNC(posts_four, ARGS((thrum_signal *, signals)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    for (int i = 0; i < 4; i++)
        thrum_signal_post_from_isr(&self->signals[i]);
    to_cancel[0] = &self->signals[1];
    to_cancel[1] = &self->signals[3];
    AWAIT(thrum_yield());
    CHECK_STR(order, "a1c1");
    thrum_signal_post_from_isr(&self->signals[1]); /* it can be used anew */
    AWAIT(thrum_yield());
    CHECK_STR(order, "a1c1b1");
    ASYNC_END;
}

TEST(signals_taken, a_function_takes_back_signals_whose_turn_was_next)
{
    thrum_signal all[4] = {THRUM_SIGNAL_CALLING(cancels_others, "a"), THRUM_SIGNAL_CALLING(note, "b"),
                           THRUM_SIGNAL_CALLING(note, "c"), THRUM_SIGNAL_CALLING(note, "d")};
    bare_memory_use(sizeof bare_memory);
    CHECK_EQ(thrum_bare_run(posts_four(all), NULL), 0);
}

static ASYNC(cancels_in_between, ARGS((thrum_signal *, signals)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    for (int i = 0; i < 3; i++)
        thrum_signal_post_from_isr(&self->signals[i]);
    CHECK(thrum_signal_cancel(&self->signals[1]));
    thrum_signal_post_from_isr(&self->signals[0]); /* still outstanding: counts */
    thrum_signal_post_from_isr(&self->signals[3]);
    AWAIT(thrum_yield());
    CHECK_STR(order, "a2c1d1");
    CHECK(!thrum_signal_cancel(&second));
    thrum_signal_post_from_isr(&second);
    AWAIT(thrum_yield());
    CHECK(thrum_signal_cancel(&second)); /* nobody had waited for it yet */
    CHECK(!thrum_signal_cancel(&second));
    ASYNC_END;
}

TEST(signals_taken, taking_one_back_leaves_the_others_in_order)
{
    thrum_signal all[4] = {THRUM_SIGNAL_CALLING(note, "a"), THRUM_SIGNAL_CALLING(note, "b"),
                           THRUM_SIGNAL_CALLING(note, "c"), THRUM_SIGNAL_CALLING(note, "d")};
    bare_memory_use(sizeof bare_memory);
    CHECK_EQ(thrum_bare_run(cancels_in_between(all), NULL), 0);
}

static ASYNC(cancels_the_last, ARGS((thrum_signal *, signals)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    for (int i = 0; i < 2; i++)
        thrum_signal_post_from_isr(&self->signals[i]);
    CHECK(thrum_signal_cancel(&self->signals[1]));
    thrum_signal_post_from_isr(&self->signals[2]); /* stands where the other one stood */
    AWAIT(thrum_yield());
    CHECK_STR(order, "a1c1");
    thrum_signal_post_from_isr(&self->signals[1]);
    CHECK(thrum_signal_cancel(&self->signals[1])); /* and now nobody is in line */
    AWAIT(thrum_sleep(1));
    thrum_signal_post_from_isr(&self->signals[3]);
    AWAIT(thrum_yield());
    CHECK_STR(order, "a1c1d1");
    ASYNC_END;
}

TEST(signals_taken, the_last_in_line_leaves_its_place_to_the_next_one)
{
    thrum_signal all[4] = {THRUM_SIGNAL_CALLING(note, "a"), THRUM_SIGNAL_CALLING(note, "b"),
                           THRUM_SIGNAL_CALLING(note, "c"), THRUM_SIGNAL_CALLING(note, "d")};
    bare_memory_use(sizeof bare_memory);
    CHECK_EQ(thrum_bare_run(cancels_the_last(all), NULL), 0);
}
