/* Async functions written in C++17 (in_cplusplus.cpp) run and are called like any other. */
#include <sim.h>

#include "plain.h"

#ifdef THRUM_TEST_CXX

TEST(cplusplus, everything)
{
    thrum_value value = 0;
    CHECK_EQ(sim_run(cxx_everything(4, "A"), &value), 0);
    CHECK_EQ(value, 8 + 'A');
}

TEST(cplusplus, cancelled_at_every_pass)
{
    for (int passes = 0; passes < 60; passes++) {
        sim_open();
        thrum_task *task = thrum_spawn(cxx_everything(3, "A"));
        for (int i = 0; i < passes && !thrum_task_done(task); i++)
            CHECK_EQ(sim_step_(true), 0);
        bool cancelled = thrum_task_cancel(task);
        CHECK_EQ(sim_until(task), 0);
        /* Only a cancellation inside its CATCH_ALL is swallowed. */
        CHECK(thrum_task_cancelled(task) || thrum_task_result(task, NULL) == 0 || cancelled);
        thrum_task_release(task);
        sim_close();
    }
}

#else
TEST(cplusplus, everything)
{
    SKIP("there is no C++ compiler");
}
#endif
