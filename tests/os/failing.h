/* System calls that make children, which fail when a test says so (failing.c). */
#ifndef TEST_OS_FAILING_H
#define TEST_OS_FAILING_H

typedef struct failing_plan {
    int count; /* calls so far */
    int nth;   /* this one fails, from 0; -1: none */
    int error;
} failing_plan;

/* pipe2() and pipe(), clone() and fork(), open() of the null device. */
extern failing_plan failing_pipe, failing_fork, failing_open;

#endif
