/* What the tests of the samples share. A sample is compiled into its test, main() by another name and without what it
 * prints; every await of its async functions is cancelled once, and every block of the pool refused once. */
#ifndef TEST_TESTING_SAMPLES_H
#define TEST_TESTING_SAMPLES_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <test.h>
#include <thrum.h>
#include <thrum/testing.h>

/* What a sample would print. */
static char samples_text[1024];
#define printf(...) ((void)snprintf(samples_text, sizeof samples_text, __VA_ARGS__))

#define main sample_main
int sample_main(int argc, char **argv);

/* Looks at what a run has left of the sample's own. */
typedef int after_run(void *context, const thrum_test_options *run, const thrum_test_result *result);

/* As it is, and once more with a place at each await that would complete at once, too. */
static inline void explore_twice(thrum_test_program *program, void *context, const thrum_test_explore_options *options,
                                 size_t least)
{
    thrum_test_explored plain, every;
    CHECK_EQ(thrum_test_explore(program, context, options, &plain), 0);
    CHECK_GE(plain.waiting, least);
    CHECK_GE(plain.woken, least);
    CHECK_GE(plain.allocations, 1);
    thrum_test_options run = {.size = sizeof run};
    thrum_test_explore_options more = *options;
    if (options->run)
        run = *options->run;
    run.every_await = true;
    more.run = &run;
    more.no_allocations = true;
    CHECK_EQ(thrum_test_explore(program, context, &more, &every), 0);
    CHECK_GE(every.woken, least);
    if (run.backend == THRUM_BACKEND_SIM || run.backend == THRUM_BACKEND_DEFAULT)
        CHECK_GE(every.waiting, plain.waiting);
}

/* A program over memory, in virtual time. */
static inline void explore_sample(thrum_test_program *program, void *context, after_run *check, size_t least)
{
    const thrum_test_explore_options options = {.size = sizeof options, .check = check};
    explore_twice(program, context, &options, least);
}

/* The same over real sockets. How often its tasks wait is up to the kernel, so that the numbers differ from run to
 * run. */
static inline void explore_sockets(thrum_test_program *program, void *context, after_run *check, size_t least)
{
    const thrum_test_options run = {.size = sizeof run, .backend = THRUM_BACKEND_LIBEV};
    const thrum_test_explore_options options = {.size = sizeof options, .run = &run, .check = check, .most = 300};
    explore_twice(program, context, &options, least);
}

#endif
