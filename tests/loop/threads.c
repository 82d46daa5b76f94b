/* Posts from other threads, from signal handlers and from the loop's own thread. Numbers are asyncio's corner
 * semantics. Runs under ThreadSanitizer. */
#include "support.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>

/* ---- 18: a loop that sleeps for ever is woken ---- */

static void post_stop(thrum_post *post)
{
    note('p');
    thrum_loop_stop((thrum_loop *)post->context);
}

typedef struct poster {
    pthread_t thread;
    thrum_loop *loop;
    thrum_post post;
} poster;

static void *post_once(void *argument)
{
    poster *self = argument;
    thrum_call_soon_threadsafe(self->loop, &self->post);
    return NULL;
}

static void start_poster(thrum_handle *handle)
{
    poster *self = handle->context;
    CHECK_EQ(pthread_create(&self->thread, NULL, post_once, self), 0);
}

TEST(posts, wake_a_loop_that_sleeps)
{
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    note_clear();
    for (int i = 0; i < 50; i++) {
        poster one = {.loop = loop, .post = {.call = post_stop, .context = loop}};
        thrum_handle starts = THRUM_HANDLE_INIT(start_poster, &one);
        thrum_call_soon(&starts);
        CHECK_EQ(thrum_loop_run_forever(loop), 0);
        pthread_join(one.thread, NULL);
    }
    CHECK_EQ(noted.count, 50);
    close_loop(loop);
}

/* ---- order, idempotence, and many threads ---- */

enum { THREADS = 4, EACH = 2000, POSTS = 16 };

typedef struct counted {
    thrum_post post;
    struct sender *sender;
    long number;
} counted;

typedef struct sender {
    pthread_t thread;
    thrum_loop *loop;
    counted posts[POSTS];
    atomic_int free[POSTS];
    long next, seen;
    bool in_order;
} sender;

static long all_seen;

static void count_post(thrum_post *post)
{
    counted *one = (counted *)(void *)post;
    sender *from = one->sender;
    if (one->number != from->seen)
        from->in_order = false;
    from->seen++;
    atomic_store(&from->free[one - from->posts], 1);
    if (++all_seen == (long)THREADS * EACH)
        thrum_loop_stop((thrum_loop *)post->context);
}

static void *send_many(void *argument)
{
    sender *self = argument;
    for (long i = 0; i < EACH; i++) {
        counted *one = &self->posts[i % POSTS];
        while (!atomic_load(&self->free[i % POSTS]))
            sched_yield();
        atomic_store(&self->free[i % POSTS], 0);
        one->number = i;
        thrum_call_soon_threadsafe(self->loop, &one->post);
    }
    return NULL;
}

TEST(posts, of_many_threads_arrive_all_and_in_each_ones_order)
{
    static sender senders[THREADS];
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    all_seen = 0;
    for (int t = 0; t < THREADS; t++) {
        sender *self = &senders[t];
        memset(self, 0, sizeof *self);
        self->loop = loop;
        self->in_order = true;
        for (int i = 0; i < POSTS; i++) {
            self->posts[i].post.call = count_post;
            self->posts[i].post.context = loop;
            self->posts[i].sender = self;
            atomic_init(&self->free[i], 1);
        }
        CHECK_EQ(pthread_create(&self->thread, NULL, send_many, self), 0);
    }
    CHECK_EQ(thrum_loop_run_forever(loop), 0);
    for (int t = 0; t < THREADS; t++) {
        pthread_join(senders[t].thread, NULL);
        CHECK_EQ(senders[t].seen, EACH);
        CHECK(senders[t].in_order);
    }
    close_loop(loop);
}

static void note_post(thrum_post *post)
{
    note(*(const char *)post->context);
}

/* ---- 20: from the loop's own thread ---- */

typedef struct self_poster {
    thrum_loop *loop;
    thrum_post one, two;
} self_poster;

static void post_to_self(thrum_handle *handle)
{
    self_poster *self = handle->context;
    CHECK_EQ(thrum_call_soon_threadsafe(self->loop, &self->one), 0);
    CHECK_EQ(thrum_call_soon_threadsafe(self->loop, &self->two), 0);
    CHECK_EQ(thrum_call_soon_threadsafe(self->loop, &self->one), 0); /* is on its way already */
    note('s');
}

LOOP_TEST(posts, of_the_loops_own_thread_run_in_the_next_pass_in_order)
{
    static char letters[] = "12";
    self_poster mine = {loop, {.call = note_post, .context = &letters[0]}, {.call = note_post, .context = &letters[1]}};
    thrum_handle posts = THRUM_HANDLE_INIT(post_to_self, &mine), also = noting("a");
    note_clear();
    thrum_call_soon(&posts);
    thrum_call_soon(&also);
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_STR(noted.text, "sa");
    CHECK_EQ(thrum_loop_next_deadline(loop), 0);
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_STR(noted.text, "sa12");
    CHECK_EQ(thrum_loop_next_deadline(loop), THRUM_NEVER);
    CHECK_EQ(thrum_call_soon_threadsafe(loop, &mine.one), 0);
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_STR(noted.text, "sa121");
}

static void post_again(thrum_post *post)
{
    thrum_loop *loop = post->context;
    note('p');
    if (noted.count < 3)
        CHECK_EQ(thrum_call_soon_threadsafe(loop, post), 0);
    else
        thrum_loop_stop(loop);
}

LOOP_TEST(posts, may_be_posted_again_by_their_call)
{
    thrum_post post = {.call = post_again, .context = loop};
    note_clear();
    CHECK_EQ(thrum_call_soon_threadsafe(loop, &post), 0);
    CHECK_EQ(thrum_loop_run_forever(loop), 0);
    CHECK_STR(noted.text, "ppp");
}

/* ---- from a signal handler ---- */

static thrum_loop *signalled;
static thrum_post signal_post;

static void on_alarm(int number)
{
    (void)number;
    thrum_call_soon_threadsafe(signalled, &signal_post);
}

TEST(posts, from_a_signal_handler_wake_the_loop)
{
    struct sigaction action, old;
    thrum_loop *loop = signalled = open_loop(THRUM_BACKEND_LIBEV);
    note_clear();
    memset(&action, 0, sizeof action);
    action.sa_handler = on_alarm;
    action.sa_flags = SA_RESTART;
    CHECK_EQ(sigaction(SIGALRM, &action, &old), 0);
    signal_post = (thrum_post){.call = post_stop, .context = loop};
    ualarm(2000, 0);
    CHECK_EQ(thrum_loop_run_forever(loop), 0);
    CHECK_STR(noted.text, "p");
    sigaction(SIGALRM, &old, NULL);
    close_loop(loop);
}

/* ---- 19: posts while the loop closes ---- */

typedef struct racer {
    pthread_t thread;
    thrum_loop *loop;
    thrum_post post;
    atomic_bool going, refused;
    atomic_long calls;
} racer;

static void count_call(thrum_post *post)
{
    atomic_fetch_add(&((racer *)post->context)->calls, 1);
}

static void *post_until_refused(void *argument)
{
    racer *self = argument;
    while (thrum_call_soon_threadsafe(self->loop, &self->post) == 0)
        atomic_store(&self->going, true);
    atomic_store(&self->refused, true);
    return NULL;
}

TEST(posts, while_the_loop_closes_are_queued_or_refused)
{
    for (int round = 0; round < 30; round++) {
        thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
        racer racers[2];
        memset(racers, 0, sizeof racers);
        for (int i = 0; i < 2; i++) {
            racers[i].loop = loop;
            racers[i].post = (thrum_post){.call = count_call, .context = &racers[i]};
            CHECK_EQ(pthread_create(&racers[i].thread, NULL, post_until_refused, &racers[i]), 0);
        }
        for (int i = 0; i < 2; i++)
            while (!atomic_load(&racers[i].going))
                thrum_loop_step(loop, 0);
        close_loop(loop);
        for (int i = 0; i < 2; i++) {
            pthread_join(racers[i].thread, NULL);
            CHECK(atomic_load(&racers[i].refused));
            CHECK_EQ(racers[i].post.state, 0);
        }
    }
}
