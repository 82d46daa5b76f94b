/* A program that is compiled so that what it takes inline are awaits like others: places for injections. */
#define THRUM_INLINE_AWAITS 0
#include "support.h"

static thrum_lock lock;
static thrum_semaphore semaphore;
static QUEUE_OF(int, 2) queue;

static ASYNC(takes_what_is_free, ARGS((void *, context)), LOCALS(int item;))
{
    ASYNC_BEGIN;
    AWAIT_LOCK(&lock);
    AWAIT_SEMAPHORE(&semaphore);
    self->item = 7;
    AWAIT_PUT(&queue, &self->item);
    AWAIT_GET(&queue, &self->item);
    CHECK_EQ(self->item, 7);
    thrum_lock_release(&lock);
    thrum_semaphore_release(&semaphore);
    ASYNC_END;
}

static thrum_awaitable with_all_of_it(void *context)
{
    thrum_lock_init(&lock);
    thrum_semaphore_init(&semaphore, 1);
    QUEUE_INIT(&queue);
    return takes_what_is_free(context);
}

TEST(testing_inline_awaits, are_places_when_told)
{
    for (int eager = 0; eager < 2; eager++) {
        const thrum_test_options run = {.size = sizeof run, .eager = eager, .every_await = true};
        const thrum_test_explore_options options = {
            .size = sizeof options, .run = &run, .no_seeds = true, .no_allocations = true};
        thrum_test_explored explored;
        thrum_test_result result;
        CHECK_EQ(thrum_test_run_program(with_all_of_it, NULL, &run, &result), 0);
        CHECK_EQ(result.suspensions, 4);
        CHECK_EQ(thrum_test_explore(with_all_of_it, NULL, &options, &explored), 0);
        CHECK_EQ(explored.waiting, 4);
        CHECK_EQ(explored.woken, 5);
    }
}

TEST(testing_inline_awaits, do_what_they_did)
{
    const thrum_test_options run = {.size = sizeof run};
    thrum_test_result result;
    CHECK_EQ(thrum_test_run_program(with_all_of_it, NULL, &run, &result), 0);
    CHECK_EQ(result.suspensions, 0);
}
