/* A loop for an input, which must end with nothing left. */
#ifndef TEST_FUZZ_H
#define TEST_FUZZ_H

#include <thrum.h>

#include "check.h"

static inline int fuzz_run_on(thrum_backend_kind backend, thrum_awaitable what)
{
    thrum_loop_options options = {.size = sizeof options, .backend = backend};
    thrum_pool_stats stats;
    thrum_loop *loop;
    MUST(!thrum_loop_new(&loop, &options));
    MUST(!thrum_loop_run_until_complete(loop, what, NULL));
    MUST(!thrum_loop_close(loop));
    thrum_pool_stats_get(&stats);
    MUST(stats.blocks == 0);
    return 0;
}

/* In virtual time: what does not wait for descriptors. */
static inline int fuzz_run(thrum_awaitable what)
{
    return fuzz_run_on(THRUM_BACKEND_SIM, what);
}

#endif
