/* Firmware that is built from thrum.h and thrum.c alone: two tasks and a queue between them, and a time limit. */
#include <thrum.h>

#if defined(__unix__) /* over the port for POSIX */
#include <stdio.h>
#define board_put(text) (void)fputs(text, stderr)
#else
#include "board.h"
#endif

static int items[2];
static thrum_queue queue;

static ASYNC(producer, ARGS_NONE, LOCALS(int item;))
{
    ASYNC_BEGIN;
    for (self->item = 1; self->item <= 10; self->item++) {
        AWAIT(thrum_queue_put(&queue, &self->item));
        AWAIT(thrum_sleep(MILLISECONDS(5)));
    }
    ASYNC_END;
}

static ASYNC(app, ARGS_NONE, LOCALS(thrum_task *task; int item, sum, error;))
{
    ASYNC_BEGIN;
    self->task = thrum_spawn(producer());
    while (self->item < 10) {
        AWAIT(thrum_queue_get(&queue, &self->item));
        self->sum += self->item;
    }
    AWAIT_CATCH(self->error, thrum_timeout(MILLISECONDS(50), thrum_queue_get(&queue, &self->item)));
    board_put(self->sum == 55 && self->error == THRUM_ETIMEDOUT ? "55, and then nothing\n" : "wrong\n");
FINALLY:
    thrum_task_release(self->task);
    ASYNC_END;
}

static uint64_t memory[160];

int main(void)
{
    thrum_pool_use_memory(memory, sizeof memory);
    if (thrum_queue_init(&queue, items, 2, sizeof items[0]) != 0)
        return 1;
    return thrum_run(app());
}
