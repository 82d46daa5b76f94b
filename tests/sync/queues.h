/* What tests of queues share: queues of ints of every kind, and a trace. */
#ifndef TEST_QUEUES_H
#define TEST_QUEUES_H

#include <stdarg.h>
#include <stdio.h>

#include <sim.h>

enum { FIFO, LIFO, PRIORITY, GROWING = 4, KINDS = 7, ROOM = 40 };

/* Also a typed queue. */
struct storage {
    thrum_queue queue;
    int items_[ROOM];
    uint32_t order_[ROOM];
};

static int by_thousands(const void *a, const void *b)
{
    int x = *(const int *)a, y = *(const int *)b;
    if (x >= 1000) /* the priority is what stands before */
        x /= 1000, y /= 1000;
    return (x > y) - (x < y);
}

/* A queue of one of the kinds; 3, which is none, is one more FIFO. */
static inline thrum_queue *make(struct storage *storage, int kind, size_t capacity)
{
    thrum_queue *queue = &storage->queue;
    int *items = storage->items_;
    switch (kind) {
    case LIFO:
        CHECK_EQ(thrum_lifo_queue_init(queue, items, capacity, sizeof *items), 0);
        break;
    case PRIORITY:
        CHECK_EQ(thrum_priority_queue_init(queue, items, storage->order_, capacity, sizeof *items, by_thousands), 0);
        break;
    case FIFO | GROWING:
        CHECK_EQ(thrum_queue_init_growing(queue, capacity, sizeof *items), 0);
        break;
    case LIFO | GROWING:
        CHECK_EQ(thrum_lifo_queue_init_growing(queue, capacity, sizeof *items), 0);
        break;
    case PRIORITY | GROWING:
        CHECK_EQ(thrum_priority_queue_init_growing(queue, capacity, sizeof *items, by_thousands), 0);
        break;
    default:
        CHECK_EQ(thrum_queue_init(queue, items, capacity, sizeof *items), 0);
    }
    return queue;
}

static char trace[400];

static inline void note(const char *format, ...)
{
    size_t length = strlen(trace);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(trace + length, sizeof trace - length, format, arguments);
    va_end(arguments);
}

static inline void begin(void)
{
    trace[0] = '\0';
    sim_open();
}

static inline void end(void)
{
    sim_finish();
    CHECK_EQ(sim.reports, 0);
    sim_close();
}

THRUM_UNUSED_ static ASYNC(putter, ARGS((thrum_queue *, queue), (int, item)), LOCALS_NONE)
{
    ASYNC_BEGIN;
#ifdef TEST_INLINE
    AWAIT_PUT((struct storage *)(void *)self->queue, &self->item);
#else
    AWAIT(thrum_queue_put(self->queue, &self->item));
#endif
    note("p%d ", self->item);
    ASYNC_END;
}

THRUM_UNUSED_ static ASYNC(getter, ARGS((thrum_queue *, queue), (int, mark)), LOCALS(int item;))
{
    ASYNC_BEGIN;
#ifdef TEST_INLINE
    AWAIT_GET((struct storage *)(void *)self->queue, &self->item);
#else
    AWAIT(thrum_queue_get(self->queue, &self->item));
#endif
    note(self->mark ? "%c%d " : "", self->mark, self->item);
    ASYNC_RETURN(self->item);
    ASYNC_END;
}

static inline int put_now(thrum_queue *queue, int item)
{
    return thrum_queue_put_nowait(queue, &item);
}

/* The item; an error is an error. */
static inline int get_now(thrum_queue *queue)
{
    int item;
    int error = thrum_queue_get_nowait(queue, &item);
    return error ? error : item;
}

static inline int result(thrum_task *task)
{
    thrum_value value = 0;
    int error = thrum_task_result(task, &value);
    thrum_task_release(task);
    return error ? error : (int)value;
}

#endif
