/* What tests of executors have their threads do. */
#ifndef TEST_THREADS_SUPPORT_EXECUTORS_H
#define TEST_THREADS_SUPPORT_EXECUTORS_H

#include "support.h"

static gate door = GATE_INIT;

static int pass_door(void *argument, thrum_value *value)
{
    (void)argument;
    (void)value;
    gate_pass(&door);
    return 0;
}

static int nothing(void *argument, thrum_value *value)
{
    (void)argument;
    (void)value;
    return 0;
}

static ASYNC(calls, ARGS((thrum_executor *, executor), (thrum_thread_function *, function), (void *, argument)),
             LOCALS(thrum_value value;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->value, thrum_run_in_executor(self->executor, self->function, self->argument));
    ASYNC_RETURN(self->value);
    ASYNC_END;
}

static thrum_executor *make(unsigned threads, const char *name)
{
    const thrum_executor_options options = {.size = sizeof options, .threads = threads, .name = name};
    thrum_executor *executor;
    CHECK_EQ(thrum_executor_new(&executor, &options), 0);
    return executor;
}

#endif
