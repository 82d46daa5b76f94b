/* The floor: the least that tasks can cost in C. A task is a function with a switch on a saved state; the scheduler is
 * a ring of ready tasks, a free list and a 4-ary timer heap. There are no errors, no cancellation, no results, no owner
 * of anything: what is left is what every scheduler must pay, and what thrum's figures are divided by. */
#ifndef FLOOR_H
#define FLOOR_H

#include <stdint.h>
#include <stdlib.h>

struct task {
    void (*step)(struct task *task);
    struct task *parent;          /* made ready when this one ends */
    struct task *next, *previous; /* wait list; `next` also links the free list */
    uint32_t state, timer;        /* where to go on; place in the timer heap plus one, 0 when in none */
    long count;
};

static struct task **ring, *free_tasks;
static unsigned ring_head, ring_tail, ring_mask;

static void floor_init(long tasks)
{
    for (ring_mask = 4095; (long)ring_mask < tasks;)
        ring_mask = ring_mask * 2 + 1;
    ring = malloc((ring_mask + 1ul) * sizeof *ring);
    if (!ring)
        abort();
}

static inline void make_ready(struct task *task)
{
    ring[ring_tail++ & ring_mask] = task;
}

static __attribute__((noinline)) void more_tasks(void)
{
    enum { CHUNK = 256 };
    struct task *chunk = malloc(CHUNK * sizeof *chunk);
    if (!chunk)
        abort();
    for (int i = CHUNK; i--;) {
        chunk[i].next = free_tasks;
        free_tasks = &chunk[i];
    }
}

static inline struct task *task_new(void (*step)(struct task *), struct task *parent, long count)
{
    struct task *task;
    if (__builtin_expect(!free_tasks, 0))
        more_tasks();
    task = free_tasks;
    free_tasks = task->next;
    task->step = step;
    task->parent = parent;
    task->state = task->timer = 0;
    task->count = count;
    return task;
}

static inline void task_free(struct task *task)
{
    task->next = free_tasks;
    free_tasks = task;
}

/* Runs one ready task; false when there is none. */
static __attribute__((noinline)) int run_one(void)
{
    struct task *task;
    if (ring_head == ring_tail)
        return 0;
    task = ring[ring_head++ & ring_mask];
    task->step(task);
    return 1;
}

static inline void run_ready(void)
{
    while (run_one()) {
    }
}

/* Timers: deadline and task side by side, so that sifting reads the heap alone. */
struct timer {
    uint64_t at;
    struct task *task;
};

static struct timer *timers;
static size_t timer_count, timer_room;

static inline void timer_place(size_t i, struct timer timer)
{
    timers[i] = timer;
    timer.task->timer = (uint32_t)i + 1;
}

static inline void timer_up(size_t i, struct timer timer)
{
    while (i) {
        size_t parent = (i - 1) / 4;
        if (timers[parent].at <= timer.at)
            break;
        timer_place(i, timers[parent]);
        i = parent;
    }
    timer_place(i, timer);
}

static inline void timer_down(size_t i, struct timer timer)
{
    for (;;) {
        size_t least = 4 * i + 1, end = least + 4 < timer_count ? least + 4 : timer_count;
        if (least >= timer_count)
            break;
        for (size_t child = least + 1; child < end; child++)
            if (timers[child].at < timers[least].at)
                least = child;
        if (timers[least].at >= timer.at)
            break;
        timer_place(i, timers[least]);
        i = least;
    }
    timer_place(i, timer);
}

static void timer_start(struct task *task, uint64_t at)
{
    if (timer_count == timer_room) {
        timer_room = timer_room ? timer_room * 2 : 1024;
        timers = realloc(timers, timer_room * sizeof *timers);
        if (!timers)
            abort();
    }
    timer_up(timer_count++, (struct timer){at, task});
}

static void timer_stop(struct task *task)
{
    size_t i = task->timer - 1;
    struct timer last = timers[--timer_count];
    task->timer = 0;
    if (i == timer_count)
        return;
    if (i && timers[(i - 1) / 4].at > last.at)
        timer_up(i, last);
    else
        timer_down(i, last);
}

#endif
