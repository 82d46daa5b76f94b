/* wake pingpong|post N, but for what is measured: two loops, each of which calls what is posted to it.
 *
 * pingpong: two threads with a loop each post to one another in turn, N round trips. post: a thread has the loop make N
 * calls, each by a post of its own. The file that includes this has `struct loop` with `posts` in it, and four
 * functions: loop_open, loop_wake (from any thread), loop_run and, in its thread, loop_stop. */
#ifndef WAKE_H
#define WAKE_H

#include "../support/bench.h"

#include <pthread.h>

static struct loop loops[2];
static struct post balls[2], *calls;
static long count, made;

static void post_to(struct loop *loop, struct post *post)
{
    if (posts_push(&loop->posts, post))
        loop_wake(loop);
}

static void call(struct post *post)
{
    if (++made == count)
        loop_stop(post->context);
}

static void *feed(void *nothing)
{
    for (long i = 0; i < count; i++)
        post_to(&loops[0], &calls[i]);
    return nothing;
}

static void return_it(struct post *post)
{
    static long returned;
    (void)post;
    post_to(&loops[0], &balls[0]);
    if (++returned == count)
        loop_stop(&loops[1]);
}

static void serve(struct post *post)
{
    (void)post;
    if (++made == count)
        loop_stop(&loops[0]);
    else
        post_to(&loops[1], &balls[1]);
}

static void *play(void *nothing)
{
    loop_run(&loops[1]);
    return nothing;
}

int main(int argc, char **argv)
{
    pthread_t thread;
    if (argc != 3 || (count = atol(argv[2])) <= 0)
        return 2;
    loop_open(&loops[0]);
    loop_open(&loops[1]);
    if (strcmp(argv[1], "post") == 0) {
        calls = calloc((size_t)count, sizeof *calls);
        if (!calls)
            abort();
        for (long i = 0; i < count; i++) {
            calls[i].call = call;
            calls[i].context = &loops[0];
        }
        bench_begin();
        pthread_create(&thread, NULL, feed, NULL);
    } else {
        balls[0].call = serve;
        balls[1].call = return_it;
        pthread_create(&thread, NULL, play, NULL);
        bench_begin();
        post_to(&loops[1], &balls[1]);
    }
    loop_run(&loops[0]);
    pthread_join(thread, NULL);
    bench_end(count);
    return 0;
}

#endif
