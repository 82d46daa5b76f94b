/* Sleep, time limit, group, lock, event, semaphore and queue, each used as programs use it: what all seven take. It
 * runs, too, and gives 0 when everything came out as it must. */
#include <board.h>
#include <thrum.h>

enum { WORKERS = 3 };

static uint64_t memory[192];
static thrum_event begin = THRUM_EVENT_INIT;
static thrum_semaphore places = THRUM_SEMAPHORE_INIT(2);
static thrum_lock lock = THRUM_LOCK_INIT;
static thrum_queue results;
static uint32_t slots[2];
static uint32_t sum;

static ASYNC(work, ARGS((uint32_t, number)), LOCALS(thrum_semaphore_hold place; thrum_lock_hold hold; uint32_t before;))
{
    ASYNC_BEGIN;
    AWAIT(thrum_event_wait(&begin));
    WITH (self->place, thrum_semaphore_hold(&self->place, &places))
        WITH (self->hold, thrum_lock_hold(&self->hold, &lock)) {
            self->before = sum;
            AWAIT(thrum_sleep(MILLISECONDS(5)));
            sum = self->before + self->number;
        }
    AWAIT(thrum_queue_put(&results, &self->number));
    ASYNC_END;
}

static ASYNC(app, ARGS_NONE, LOCALS(thrum_group group; uint32_t number, got, i; int error;))
{
    ASYNC_BEGIN;
    WITH (self->group, thrum_group_open(&self->group)) {
        for (self->i = 1; self->i <= WORKERS; self->i++)
            thrum_group_spawn(&self->group, work(self->i));
        AWAIT(thrum_sleep(MILLISECONDS(10)));
        thrum_event_set(&begin);
        for (self->i = 0; self->i < WORKERS; self->i++) {
            AWAIT(thrum_timeout(MILLISECONDS(100), thrum_queue_get(&results, &self->number)));
            self->got += self->number;
        }
        AWAIT_CATCH(self->error, thrum_timeout(MILLISECONDS(20), thrum_queue_get(&results, &self->number)));
    }
    if (self->error != THRUM_ETIMEDOUT || self->got != 6 || sum != 6)
        ASYNC_RAISE(THRUM_ESTATE);
    ASYNC_END;
}

int main(void)
{
    thrum_pool_use_memory(memory, sizeof memory);
    thrum_queue_init(&results, slots, sizeof slots / sizeof *slots, sizeof *slots);
    return thrum_run(app());
}
