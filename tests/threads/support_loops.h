/* Loops in threads of their own. */
#ifndef THRUM_TEST_LOOPS_H
#define THRUM_TEST_LOOPS_H

#include "support.h"

/* A loop that runs in a thread until it is told to end. */
typedef struct loop_thread {
    pthread_t thread;
    thrum_loop *loop;
    thrum_post stop;
    gate ready;
    thrum_exception_handler *handler;
} loop_thread;

static inline void loop_thread_stop(thrum_post *post)
{
    thrum_loop_stop((thrum_loop *)post->context);
}

static inline void *loop_thread_run(void *argument)
{
    loop_thread *self = argument;
    thrum_loop_options options = {.size = sizeof options};
    if (thrum_loop_new(&self->loop, &options) != 0)
        abort();
    eager_prepare(self->loop);
    if (self->handler)
        thrum_loop_set_exception_handler(self->loop, self->handler, self);
    gate_open(&self->ready, 1);
    gate_pass(&self->ready);
    thrum_loop_run_forever(self->loop);
    thrum_loop_close(self->loop);
    thrum_pool_clear();
    return NULL;
}

static inline void loop_thread_start(loop_thread *self, thrum_exception_handler *handler)
{
    memset(self, 0, sizeof *self);
    self->ready = (gate)GATE_INIT;
    self->handler = handler;
    CHECK_EQ(pthread_create(&self->thread, NULL, loop_thread_run, self), 0);
    gate_await_passed(&self->ready, 1);
    self->stop.call = loop_thread_stop;
    self->stop.context = self->loop;
}

static inline void loop_thread_end(loop_thread *self)
{
    CHECK_EQ(thrum_call_soon_threadsafe(self->loop, &self->stop), 0);
    pthread_join(self->thread, NULL);
}

#endif
