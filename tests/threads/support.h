/* What tests of threads share: loops, and gates that a call in a thread waits at, so that nothing depends on time. */
#ifndef THRUM_TEST_THREADS_H
#define THRUM_TEST_THREADS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include <test.h>
#include <thrum.h>

#include "../loop/support.h"

/* A gate: closed at first. */
typedef struct gate {
    pthread_mutex_t guard;
    pthread_cond_t changed;
    int opened; /* so many may pass */
    int waiting, passed;
} gate;

#define GATE_INIT                                                                                                      \
    {                                                                                                                  \
        PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0, 0                                                   \
    }

/* In a thread: wait until there is room. */
static inline void gate_pass(gate *self)
{
    pthread_mutex_lock(&self->guard);
    self->waiting++;
    pthread_cond_broadcast(&self->changed);
    while (self->passed >= self->opened)
        pthread_cond_wait(&self->changed, &self->guard);
    self->waiting--;
    self->passed++;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->guard);
}

static inline void gate_open(gate *self, int more)
{
    pthread_mutex_lock(&self->guard);
    self->opened += more;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->guard);
}

/* Wait until so many stand before it. */
static inline void gate_await_waiting(gate *self, int count)
{
    pthread_mutex_lock(&self->guard);
    while (self->waiting < count)
        pthread_cond_wait(&self->changed, &self->guard);
    pthread_mutex_unlock(&self->guard);
}

static inline void gate_await_passed(gate *self, int count)
{
    pthread_mutex_lock(&self->guard);
    while (self->passed < count)
        pthread_cond_wait(&self->changed, &self->guard);
    pthread_mutex_unlock(&self->guard);
}

#endif
