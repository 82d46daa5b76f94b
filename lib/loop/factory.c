/* Who makes the loop's tasks, and who is told of them. */
#include "loop/loop.h"

#include <string.h>

#if THRUM_TASK_HOOKS

static thrum_task *call_factory(thrum_awaitable what, const thrum_spawn_options *options)
{
    thrum_loop *loop = loop_here();
    return loop->factory(loop, what, options, loop->factory_context);
}

void thrum_loop_set_task_factory(thrum_loop *loop, thrum_task_factory *factory, void *context)
{
    loop->factory = factory;
    loop->factory_context = context;
    thrum_core_set_factory(factory ? call_factory : NULL);
}

thrum_task_factory *thrum_loop_get_task_factory(const thrum_loop *loop, void **context)
{
    if (context)
        *context = loop->factory_context;
    return loop->factory;
}

thrum_task *thrum_eager_task_factory(thrum_loop *loop, thrum_awaitable what, const thrum_spawn_options *options,
                                     void *context)
{
    thrum_spawn_options eager = *options;
    (void)context;
    if (eager.start == THRUM_START_DEFAULT && loop->running)
        eager.start = THRUM_START_EAGER;
    return thrum_task_create(what, &eager);
}

int thrum_loop_set_task_hooks(thrum_loop *loop, const thrum_task_hooks *hooks)
{
    if (hooks && (hooks->size == 0 || hooks->size > sizeof *hooks))
        return THRUM_EINVAL;
    loop->hooks = (thrum_task_hooks){0};
    if (hooks)
        memcpy(&loop->hooks, hooks, hooks->size);
    thrum_core_hurry(); /* what runs now was begun without them, or with others */
    return thrum_core_set_hooks(hooks ? &loop->hooks : NULL) ? 0 : THRUM_ENOMEM;
}

#endif
