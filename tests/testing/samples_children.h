/* For the samples that start other programs: nothing may be left of those. */
#ifndef TEST_TESTING_SAMPLES_CHILDREN_H
#define TEST_TESTING_SAMPLES_CHILDREN_H

#include "samples.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

/* What a sample would say. */
#define fprintf(file, ...) ((void)snprintf(samples_text, sizeof samples_text, __VA_ARGS__))

static int descriptors_before;

static void children_begin(void)
{
    descriptors_before = dup(0);
    close(descriptors_before);
}

static int nothing_is_left(void *context, const thrum_test_options *run, const thrum_test_result *result)
{
    (void)context;
    (void)run;
    (void)result;
    int next = dup(0);
    close(next);
    return next != descriptors_before || waitpid(-1, NULL, WNOHANG) != -1 || errno != ECHILD;
}

/* In real time. How often tasks wait is up to the system, so that the numbers differ from run to run. */
static void explore_children(thrum_test_program *program, int expected, size_t least)
{
    const thrum_test_options run = {.size = sizeof run, .backend = THRUM_BACKEND_LIBEV, .most_time = SECONDS(20)};
    const thrum_test_explore_options options = {
        .size = sizeof options, .run = &run, .check = nothing_is_left, .seeds = 1, .most = 60, .expected = expected};
    explore_twice(program, NULL, &options, least);
}

#endif
