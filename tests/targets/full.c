/* The pool's one array is used up, by spawning and by awaiting: the program is told, goes on, and once others have
 * ended all of it is there again. */
#include <board.h>
#include <thrum.h>

enum { MOST = 40 };

static uint64_t memory[90];
static thrum_task *tasks[MOST];

static ASYNC(sleeps, ARGS((thrum_time, ticks)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_sleep(self->ticks));
    ASYNC_END;
}

static ASYNC(large, ARGS_NONE, LOCALS(char room[80];))
{
    ASYNC_BEGIN;
    self->room[0] = 1;
    AWAIT(thrum_sleep(1));
    ASYNC_RETURN(self->room[0]);
    ASYNC_END;
}

static ASYNC(dig, ARGS((unsigned *, depth)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    ++*self->depth;
    AWAIT(dig(self->depth));
    ASYNC_END;
}

static void say(const char *what, unsigned count)
{
    board_put(what);
    board_put_number(count);
    board_put("\n");
}

static _Noreturn void wrong(const char *what)
{
    board_put(what);
    board_put("\n");
    board_exit(1);
}

/* Tasks until there is no memory for one more; and then there is none for an await. Gives how many there were. */
static ASYNC(fill, ARGS_NONE, LOCALS(unsigned count, i, depth; int error;))
{
    ASYNC_BEGIN;
    while (self->count < MOST && (tasks[self->count] = thrum_spawn(sleeps(20))))
        self->count++;
    if (self->count < 2 || self->count == MOST)
        wrong("the pool was never full");
    if (thrum_spawn_detached(sleeps(1)) != THRUM_ENOMEM)
        wrong("no error from spawning");
    AWAIT_CATCH(self->error, dig(&self->depth));
    if (self->error != THRUM_ENOMEM)
        wrong("no error from awaiting");
    AWAIT(thrum_sleep(1)); /* it goes on, and so do they */
    for (self->i = 0; self->i < self->count; self->i++) {
        AWAIT(thrum_task_wait(tasks[self->i]));
        if (thrum_task_result(tasks[self->i], NULL) != 0)
            wrong("a task failed");
        thrum_task_release(tasks[self->i]);
    }
    say("full after tasks: ", self->count);
    ASYNC_RETURN((thrum_value)self->count);
    ASYNC_END;
}

static ASYNC(app, ARGS_NONE, LOCALS(unsigned first, again, depth, deeper; int error, i;))
{
    ASYNC_BEGIN;
    AWAIT(large()); /* what was cut for a size serves that size, later, too */
    AWAIT_INTO(self->first, fill());
    AWAIT_CATCH(self->error, dig(&self->depth));
    if (self->error != THRUM_ENOMEM || self->depth < 3)
        wrong("no error from a recursion");
    say("full at depth: ", self->depth);
    for (self->i = 0; self->i < 20; self->i++) { /* nothing is left behind, however often */
        AWAIT_INTO(self->again, fill());
        self->deeper = 0;
        AWAIT_CATCH(self->error, dig(&self->deeper));
        if (self->again != self->first || self->deeper != self->depth)
            wrong("memory was lost");
    }
    AWAIT_INTO(self->i, large());
    if (self->i != 1)
        wrong("an await gave something else");
    ASYNC_END;
}

int main(void)
{
    thrum_pool_use_memory(memory, sizeof memory);
    return thrum_run(app());
}
