/* micro BENCH N on the floor (see floor.h). Each step function is what a protothread macro would have written. */
#include "floor.h"
#include "../support/bench.h"
#include "floor_sync.h"

#include <sys/epoll.h>

enum { BATCH = 100 };

static struct task *parent_task;
static long batch_left;

static void batch_done(struct task *task)
{
    if (--batch_left == 0)
        make_ready(parent_task);
    task_free(task);
}

/* create: BATCH tasks that end at once, then wait until the last has ended. */
static void create_step(struct task *task)
{
    switch (task->state) {
    case 0:
        for (; task->count > 0; task->count -= BATCH) {
            batch_left = BATCH;
            for (int i = 0; i < BATCH; i++)
                make_ready(task_new(batch_done, task, 0));
            task->state = 1;
            return;
        case 1:;
        }
    }
}

static int create(long unused, long count)
{
    (void)unused;
    parent_task = task_new(create_step, NULL, count);
    bench_begin();
    make_ready(parent_task);
    run_ready();
    bench_end(count);
    return 0;
}

/* yield: so many tasks, each goes to the tail of the queue again and again. */
static void yield_step(struct task *task)
{
    switch (task->state) {
    case 0:
        task->state = 1;
        while (task->count-- > 0) {
            make_ready(task);
            return;
        case 1:;
        }
    }
    task_free(task);
}

static int yield(long tasks, long count)
{
    bench_begin();
    for (long i = 0; i < tasks; i++)
        make_ready(task_new(yield_step, NULL, count / tasks));
    run_ready();
    bench_end(count);
    return 0;
}

/* nest: two chains of frames; the innermost yields and is resumed directly. */
enum { DEPTH_SHIFT = 40 };

static void nest_leaf(struct task *task)
{
    switch (task->state) {
    case 0:
        task->state = 1;
        while (task->count-- > 0) {
            make_ready(task);
            return;
        case 1:;
        }
    }
    make_ready(task->parent);
    task_free(task);
}

static void nest_step(struct task *task)
{
    switch (task->state) {
    case 0: {
        long depth = (task->count >> DEPTH_SHIFT) - 1, count = task->count & ((1l << DEPTH_SHIFT) - 1);
        struct task *child = task_new(depth ? nest_step : nest_leaf, task, depth << DEPTH_SHIFT | count);
        task->state = 1;
        child->step(child);
        return;
    }
    case 1:
        if (task->parent)
            make_ready(task->parent);
        task_free(task);
    }
}

static int nest(long depth, long count)
{
    bench_begin();
    for (int i = 0; i < 2; i++)
        make_ready(task_new(nest_step, NULL, depth << DEPTH_SHIFT | count / 2));
    run_ready();
    bench_end(count);
    return 0;
}

/* await0: a frame is made by one function, another runs it and finds it done, the frame is given back. */
static __attribute__((noinline)) struct task *frame_new(struct task *parent, long count)
{
    return task_new(batch_done, parent, count);
}

static __attribute__((noinline)) int done_at_once(struct task *task)
{
    task->count++;
    return 1;
}

static int await0(long unused, long count)
{
    struct task *caller = frame_new(NULL, 0);
    (void)unused;
    bench_begin();
    for (long i = 0; i < count; i++) {
        struct task *frame = frame_new(caller, i);
        if (done_at_once(frame))
            task_free(frame);
    }
    bench_end(count);
    return 0;
}

/* timeout: a timer started, one yield, the timer stopped. The clock is read once. */
static uint64_t loop_time;

static void timeout_step(struct task *task)
{
    switch (task->state) {
    case 0:
        task->state = 1;
        while (task->count-- > 0) {
            timer_start(task, loop_time + 10000000000u);
            make_ready(task);
            return;
        case 1:
            timer_stop(task);
        }
    }
}

static int timeout(long unused, long count)
{
    (void)unused;
    loop_time = bench_now();
    bench_begin();
    make_ready(task_new(timeout_step, NULL, count));
    run_ready();
    bench_end(count);
    return 0;
}

/* cancel: BATCH tasks block on a wait list, are taken off it and run to their ends. */
static struct task waiters;

static void wait_step(struct task *task)
{
    switch (task->state) {
    case 0:
        task->state = 1;
        task->next = waiters.next;
        task->previous = &waiters;
        if (task->next)
            task->next->previous = task;
        waiters.next = task;
        return;
    case 1:
        batch_done(task);
    }
}

static void cancel_waiter(struct task *task)
{
    task->previous->next = task->next;
    if (task->next)
        task->next->previous = task->previous;
    make_ready(task);
}

static void cancel_step(struct task *task)
{
    static struct task *victims[BATCH];
    switch (task->state) {
    case 0:
        for (; task->count > 0; task->count -= BATCH) {
            batch_left = BATCH;
            for (int i = 0; i < BATCH; i++)
                make_ready(victims[i] = task_new(wait_step, task, 0));
            task->state = 1;
            make_ready(task);
            return;
        case 1:
            for (int i = 0; i < BATCH; i++)
                cancel_waiter(victims[i]);
            task->state = 2;
            return;
        case 2:;
        }
    }
}

static int cancel(long unused, long count)
{
    (void)unused;
    parent_task = task_new(cancel_step, NULL, count);
    bench_begin();
    make_ready(parent_task);
    run_ready();
    bench_end(count);
    return 0;
}

/* timers: tasks that sleep 1 to 1000 ms each, and the loop that wakes them. */
static void sleep_step(struct task *task)
{
    switch (task->state) {
    case 0:
        task->state = 1;
        timer_start(task, (uint64_t)task->count);
        return;
    case 1:
        task_free(task);
    }
}

static int sleepers(long unused, long count)
{
    int poller = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event;
    uint64_t now;
    (void)unused;

    bench_begin();
    now = bench_now();
    for (long i = 0; i < count; i++)
        make_ready(task_new(sleep_step, NULL, (long)now + bench_random(1000) * 1000000));
    run_ready();
    while (timer_count) {
        int64_t rest;
        now = bench_now();
        while (timer_count && timers[0].at <= now) {
            struct task *task = timers[0].task;
            timer_stop(task);
            make_ready(task);
        }
        run_ready();
        if (timer_count) {
            rest = (int64_t)(timers[0].at - bench_now());
            epoll_wait(poller, &event, 1, rest > 0 ? (int)((rest + 999999) / 1000000) : 0);
        }
    }
    bench_end(count);
    return 0;
}

static int timers_cancelled(long unused, long count)
{
    struct task **tasks = malloc((size_t)count * sizeof *tasks);
    uint64_t now;
    (void)unused;

    bench_begin();
    now = bench_now();
    for (long i = 0; i < count; i++)
        timer_start(tasks[i] = task_new(sleep_step, NULL, 0), now + (uint64_t)bench_random(1000) * 1000000000u);
    for (long i = 0; i < count; i++) {
        timer_stop(tasks[i]);
        task_free(tasks[i]);
    }
    bench_end(count);
    return 0;
}

static int memory(long unused, long count)
{
    long before = bench_resident();
    uint64_t now = bench_now();
    (void)unused;

    for (long i = 0; i < count; i++)
        make_ready(task_new(sleep_step, NULL, (long)now + 3600000000000));
    run_ready();
    bench_bytes(bench_resident() - before, count);
    return 0;
}

static const struct bench_case cases[] = {
    {"create", create, 0},
    {"join", create, 0},
    {"yield2", yield, 2},
    {"yield1000", yield, 1000},
    {"nest1", nest, 1},
    {"nest10", nest, 10},
    {"nest100", nest, 100},
    {"await0", await0, 0},
    {"timeout", timeout, 0},
    {"wait_for", timeout, 0},
    {"cancel", cancel, 0},
    {"timers", sleepers, 0},
    {"tcancel", timers_cancelled, 0},
    {"mem", memory, 0},
    {"mutex", mutex, 0},
    {"queue", queue, 64},
    {"queue1", queue, 1},
    {"gather", gather, 0},
    {"generator", generator, 0},
    {"broadcast", broadcast, 0},
    {"inherit", inherit, 0},
    {"post", post, 0},
};

int main(int argc, char **argv)
{
    floor_init(argc == 3 && (!strcmp(argv[1], "timers") || !strcmp(argv[1], "mem")) ? atol(argv[2]) : 0);
    return bench_main(argc, argv, cases, sizeof cases / sizeof *cases);
}
