/* What gdb looks into: tasks that wait in every way there is. Says "ready" and waits to be ended. */
#include <stdio.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <thrum.h>

static thrum_future future;
static thrum_lock lock;

static ASYNC(await_future, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(&future);
    ASYNC_END;
}

static ASYNC(inner, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(await_future());
    ASYNC_END;
}

static ASYNC(sleeper, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_sleep(SECONDS(1000)));
    ASYNC_END;
}

static ASYNC(await_task, ARGS((thrum_task *, task)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(self->task);
    ASYNC_END;
}

static ASYNC(shields, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_shield(sleeper()));
    ASYNC_END;
}

static ASYNC(locks, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_lock_acquire(&lock));
    ASYNC_END;
}

static ASYNC(says, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_sleep(MILLISECONDS(1)));
    puts("ready");
    fflush(stdout);
    AWAIT(thrum_sleep(SECONDS(1000)));
    ASYNC_END;
}

static ASYNC(app, ARGS_NONE, LOCALS(thrum_group group; thrum_task * waits;))
{
    ASYNC_BEGIN;
    thrum_task_set_name(thrum_current_task(), "main");
    AWAIT(thrum_lock_acquire(&lock));
    WITH (self->group, thrum_group_open(&self->group)) {
        self->waits = thrum_group_spawn(&self->group, inner());
        thrum_task_set_name(self->waits, "waits for a future");
        thrum_group_spawn_detached(&self->group, await_task(self->waits));
        thrum_group_spawn_detached(&self->group, shields());
        thrum_group_spawn_detached(&self->group, locks());
        thrum_group_spawn_detached(&self->group, says());
    }
    ASYNC_END;
}

int main(void)
{
#ifdef PR_SET_PTRACER
    prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY); /* gdb is no ancestor of this process */
#endif
    return thrum_run(app());
}
