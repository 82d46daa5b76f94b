/* The firmware with a queue between two tasks, with everything that can come in between. */
#include "samples.h"

/* Its loop is the test's. */
#define thrum_bare_open() ((void)0)
#define thrum_bare_step() true
#define thrum_bare_sleep() ((void)0)
#undef main
#define main producer_consumer_main
int producer_consumer_main(void);
#include "../../samples/bare/producer-consumer.c"
#undef main

/* What its main() starts. The producer may be cancelled alone: then nothing comes any more. */
static ASYNC(use_up, ARGS((void *, context)), LOCALS(thrum_group group;))
{
    ASYNC_BEGIN;
    (void)samples_text; /* firmware does not print */
    thrum_queue_init(&queue, slots, sizeof slots / sizeof *slots, sizeof *slots);
    WITH (self->group, thrum_group_open(&self->group)) {
        if (!thrum_group_spawn(&self->group, blink()) || !thrum_group_spawn(&self->group, produce()))
            ASYNC_RAISE(THRUM_ENOMEM);
        AWAIT(thrum_timeout(SECONDS(10), consume()));
        thrum_group_cancel(&self->group);
    }
    ASYNC_END;
}

TEST_LIMIT(testing_samples, producer_consumer, 60)
{
    explore_sample(use_up, NULL, NULL, 40);
}
