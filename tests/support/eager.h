/* With TEST_EAGER in the environment tasks begin eagerly. Whatever makes loops for tests calls eager_prepare() of
 * each. */
#ifndef THRUM_TEST_EAGER_H
#define THRUM_TEST_EAGER_H

#include <stdlib.h>

#include <thrum.h>

/* A test's means to have tasks begin lazily after all: it asserts when they begin. */
static bool eager_refused_;

static inline void eager_refuse(void)
{
    eager_refused_ = true;
}

static inline bool eager_wanted(void)
{
    return !eager_refused_ && getenv("TEST_EAGER") != NULL;
}

static inline void eager_prepare(thrum_loop *loop)
{
    if (eager_wanted())
        thrum_loop_set_task_factory(loop, thrum_eager_task_factory, NULL);
}

#endif
