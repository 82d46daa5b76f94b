/* wake pingpong|post N over thrum's public headers. pingpong: two threads with a loop each wake one another in turn, N
 * round trips. post: a thread has the loop make N calls, each by a post of its own. */
#include "../support/bench.h"

#include <pthread.h>
#include <thrum/events.h>

static thrum_loop *loops[2];
static thrum_post balls[2];
static thrum_post *posts;
static long count, made;

static void fail(const char *what)
{
    fprintf(stderr, "wake: %s\n", what);
    exit(1);
}

static thrum_loop *open_loop(void)
{
    thrum_loop *loop;
    if (thrum_loop_new(&loop, NULL))
        fail("no loop");
    return loop;
}

/* ---- post ---- */

static void call(thrum_post *post)
{
    if (++made == count)
        thrum_loop_stop((thrum_loop *)post->context);
}

static void *feed(void *nothing)
{
    for (long i = 0; i < count; i++)
        if (thrum_call_soon_threadsafe(loops[0], &posts[i]))
            fail("refused");
    return nothing;
}

/* ---- pingpong ---- */

static void return_it(thrum_post *post)
{
    static long returned;
    (void)post;
    thrum_call_soon_threadsafe(loops[0], &balls[0]);
    if (++returned == count)
        thrum_loop_stop(loops[1]);
}

static void serve(thrum_post *post)
{
    (void)post;
    if (++made == count)
        thrum_loop_stop(loops[0]);
    else
        thrum_call_soon_threadsafe(loops[1], &balls[1]);
}

static void *play(void *barrier)
{
    loops[1] = open_loop();
    pthread_barrier_wait((pthread_barrier_t *)barrier);
    thrum_loop_run_forever(loops[1]);
    thrum_loop_close(loops[1]);
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t thread;
    if (argc != 3 || (count = atol(argv[2])) <= 0)
        fail("usage: wake pingpong|post N");
    loops[0] = open_loop();
    if (strcmp(argv[1], "post") == 0) {
        posts = (thrum_post *)calloc((size_t)count, sizeof *posts);
        if (!posts)
            fail("no memory");
        for (long i = 0; i < count; i++) {
            posts[i].call = call;
            posts[i].context = loops[0];
        }
        bench_begin();
        pthread_create(&thread, NULL, feed, NULL);
    } else {
        pthread_barrier_t barrier;
        pthread_barrier_init(&barrier, NULL, 2);
        balls[0].call = serve;
        balls[1].call = return_it;
        pthread_create(&thread, NULL, play, &barrier);
        pthread_barrier_wait(&barrier);
        bench_begin();
        thrum_call_soon_threadsafe(loops[1], &balls[1]);
    }
    thrum_loop_run_forever(loops[0]);
    pthread_join(thread, NULL);
    bench_end(count);
    free(posts);
    return thrum_loop_close(loops[0]) != 0;
}
