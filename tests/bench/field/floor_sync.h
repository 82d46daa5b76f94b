/* The second half of floor.c: what tasks do together. */
#ifndef FLOOR_SYNC_H
#define FLOOR_SYNC_H

#include "../support/bench.h"
#include "floor.h"
#include "posts.h"

enum { MANY = 1000 };

static long sum;

/* mutex: a lock that nobody else wants. The compiler may not see through it. */
static struct {
    int held;
    struct task *waiter;
} mutex_state;

static int mutex(long unused, long count)
{
    (void)unused;
    bench_begin();
    for (long i = 0; i < count; i++) {
        if (mutex_state.held)
            return 1;
        mutex_state.held = 1;
        __asm__ volatile("" ::: "memory");
        mutex_state.held = 0;
        if (mutex_state.waiter)
            make_ready(mutex_state.waiter);
        __asm__ volatile("" ::: "memory");
    }
    bench_end(count);
    return 0;
}

/* queue, queue1: items from one task to another. */
static long items[64];
static unsigned item_room, first_item, end_of_items;
static struct task *getter, *putter;

static void produce_step(struct task *task)
{
    switch (task->state) {
    case 0:
        task->state = 1;
        while (task->count > 0) {
            while (end_of_items - first_item == item_room) {
                putter = task;
                return;
            case 1:;
            }
            items[end_of_items++ % item_room] = task->count--;
            if (getter) {
                make_ready(getter);
                getter = NULL;
            }
        }
    }
    task_free(task);
}

static void consume_step(struct task *task)
{
    switch (task->state) {
    case 0:
        task->state = 1;
        while (task->count > 0) {
            while (end_of_items == first_item) {
                getter = task;
                return;
            case 1:;
            }
            sum += items[first_item++ % item_room];
            task->count--;
            if (putter) {
                make_ready(putter);
                putter = NULL;
            }
        }
    }
    task_free(task);
}

static int queue(long capacity, long count)
{
    item_room = (unsigned)capacity;
    bench_begin();
    make_ready(task_new(produce_step, NULL, count));
    make_ready(task_new(consume_step, NULL, count));
    run_ready();
    bench_end(count);
    return sum == count * (count + 1) / 2 ? 0 : 1;
}

/* gather: MANY tasks that end at once; each puts its result in its place, and the last one wakes their maker. */
static long results[MANY], gather_left;

static void answer_step(struct task *task)
{
    results[task->count % MANY] = task->count;
    if (--gather_left == 0)
        make_ready(task->parent);
    task_free(task);
}

static void gather_step(struct task *task)
{
    switch (task->state) {
    case 0:
        for (; task->count > 0; task->count -= MANY) {
            gather_left = MANY;
            for (int i = 0; i < MANY; i++)
                make_ready(task_new(answer_step, task, i));
            task->state = 1;
            return;
        case 1:;
        }
    }
}

static int gather(long unused, long count)
{
    (void)unused;
    bench_begin();
    make_ready(task_new(gather_step, NULL, count));
    run_ready();
    bench_end(count);
    return results[MANY - 1] == MANY - 1 ? 0 : 1;
}

/* generator: a frame that is entered for every item. */
static int numbers_step(struct task *task, long *item)
{
    switch (task->state) {
    case 0:
        task->state = 1;
        while (task->count-- > 0) {
            *item = task->count;
            return 1;
        case 1:;
        }
    }
    return 0;
}

static int generator(long unused, long count)
{
    static int (*volatile step)(struct task *, long *) = numbers_step;
    struct task *numbers = task_new(NULL, NULL, count);
    long item;
    (void)unused;
    bench_begin();
    while (step(numbers, &item))
        sum += item;
    bench_end(count);
    task_free(numbers);
    return sum == count * (count - 1) / 2 ? 0 : 1;
}

/* broadcast: MANY tasks on a wait list, all made ready, which wait again. */
static struct task *listeners, **last_listener = &listeners;

static void listen_step(struct task *task)
{
    switch (task->state) {
    case 0:
        task->state = 1;
        while (task->count-- > 0) {
            task->next = NULL;
            *last_listener = task;
            last_listener = &task->next;
            return;
        case 1:;
        }
    }
    task_free(task);
}

static void broadcast_step(struct task *task)
{
    switch (task->state) {
    case 0:
        task->state = 1;
        while (task->count-- > 0) {
            for (struct task *listener = listeners; listener; listener = listener->next)
                make_ready(listener);
            last_listener = &listeners;
            listeners = NULL;
            make_ready(task);
            return;
        case 1:;
        }
    }
    task_free(task);
}

static int broadcast(long unused, long count)
{
    (void)unused;
    for (int i = 0; i < MANY; i++)
        make_ready(task_new(listen_step, NULL, count / MANY));
    run_ready();
    bench_begin();
    make_ready(task_new(broadcast_step, NULL, count / MANY));
    run_ready();
    bench_end(count);
    return listeners ? 1 : 0;
}

/* inherit: `create`, with a counted pointer to what all of them read. */
static struct context {
    long references, value;
} context = {1, 3};

static struct task *inherit_maker;
static long inherit_left;

static void heir_step(struct task *task)
{
    struct context *mine = (struct context *)task->previous;
    sum += mine->value;
    mine->references--;
    if (--inherit_left == 0)
        make_ready(inherit_maker);
    task_free(task);
}

static void inherit_step(struct task *task)
{
    enum { BATCH_OF_HEIRS = 100 };
    switch (task->state) {
    case 0:
        for (; task->count > 0; task->count -= BATCH_OF_HEIRS) {
            inherit_left = BATCH_OF_HEIRS;
            for (int i = 0; i < BATCH_OF_HEIRS; i++) {
                struct task *heir = task_new(heir_step, task, 0);
                heir->previous = (struct task *)(void *)&context;
                context.references++;
                make_ready(heir);
            }
            task->state = 1;
            return;
        case 1:;
        }
    }
}

static int inherit(long unused, long count)
{
    (void)unused;
    inherit_maker = task_new(inherit_step, NULL, count);
    bench_begin();
    make_ready(inherit_maker);
    run_ready();
    bench_end(count);
    return context.references == 1 ? 0 : 1;
}

/* post: calls from other threads, posted and made by one thread. */
static void count_post(struct post *post)
{
    (void)post;
    sum++;
}

static int post(long unused, long count)
{
    enum { BATCH_OF_POSTS = 100 };
    static struct post calls[BATCH_OF_POSTS];
    static struct posts posts;
    (void)unused;
    for (int i = 0; i < BATCH_OF_POSTS; i++)
        calls[i].call = count_post;
    bench_begin();
    for (long done = 0; done < count; done += BATCH_OF_POSTS) {
        for (int i = 0; i < BATCH_OF_POSTS; i++)
            posts_push(&posts, &calls[i]);
        posts_call(&posts);
    }
    bench_end(count);
    return sum >= count ? 0 : 1;
}

#endif
