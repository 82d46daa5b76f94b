/* Taking posts back, and posts under load. Numbers are asyncio's corner semantics; names that of its tests. Runs under
 * ThreadSanitizer. */
#include "support_loops.h"

#include <sched.h>

#include "loop/inbox.h"

static void note_post(thrum_post *post)
{
    note(*(const char *)post->context);
}

static thrum_post posting(const char *letter)
{
    return (thrum_post){.call = note_post, .context = (void *)(uintptr_t)letter};
}

/* ---- in the loop's own thread ---- */

LOOP_TEST(post_cancel, takes_one_out_and_leaves_the_rest_in_order)
{
    static const char letters[] = "abcde";
    thrum_post posts[5];
    note_clear();
    for (int i = 0; i < 5; i++) {
        posts[i] = posting(&letters[i]);
        CHECK_EQ(thrum_call_soon_threadsafe(loop, &posts[i]), 0);
        if (i == 2) {
            CHECK(thrum_post_cancel(loop, &posts[1]));
            CHECK(!thrum_post_cancel(loop, &posts[1]));
        }
    }
    CHECK(thrum_post_cancel(loop, &posts[4]));
    CHECK_EQ(thrum_loop_next_deadline(loop), 0);
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_STR(noted.text, "acd");
    CHECK_EQ(thrum_call_soon_threadsafe(loop, &posts[1]), 0); /* it can be used again */
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_STR(noted.text, "acdb");
    CHECK(!thrum_post_cancel(loop, &posts[0]));
    CHECK_EQ(thrum_call_soon_threadsafe(loop, &posts[0]), 0);
    CHECK(thrum_post_cancel(loop, &posts[0]));
    CHECK_EQ(thrum_loop_next_deadline(loop), THRUM_NEVER);
}

typedef struct chain {
    thrum_post post;
    thrum_loop *loop;
    thrum_post *other;
    bool cancelled_self, cancelled_other;
} chain;

static void cancel_both(thrum_post *post)
{
    chain *mine = (chain *)(void *)post;
    note('x');
    mine->cancelled_self = thrum_post_cancel(mine->loop, post);
    mine->cancelled_other = thrum_post_cancel(mine->loop, mine->other);
}

/* From a call of the same drain: the next one is not called, and nothing waits for itself. */
LOOP_TEST(post_cancel, works_from_inside_a_call)
{
    thrum_post after = posting("a"), last = posting("l");
    chain mine = {.post = {.call = cancel_both}, .loop = loop, .other = &after};
    note_clear();
    CHECK_EQ(thrum_call_soon_threadsafe(loop, &mine.post), 0);
    CHECK_EQ(thrum_call_soon_threadsafe(loop, &after), 0);
    CHECK_EQ(thrum_call_soon_threadsafe(loop, &last), 0);
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_STR(noted.text, "xl");
    CHECK(!mine.cancelled_self);
    CHECK(mine.cancelled_other);
}

TEST(post_cancel, after_the_loop_closed_finds_nothing)
{
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    thrum_post post = posting("a");
    CHECK_EQ(thrum_call_soon_threadsafe(loop, &post), 0);
    close_loop(loop);
    CHECK(!thrum_post_cancel(loop, &post));
}

/* ---- 21: from another thread ---- */

typedef struct slow {
    thrum_post post;
    gate inside;
    atomic_int ended;
} slow;

static void run_slowly(thrum_post *post)
{
    slow *mine = (slow *)(void *)post;
    gate_pass(&mine->inside);
    for (int i = 0; i < 50; i++)
        sched_yield();
    atomic_store(&mine->ended, 1);
}

/* test_events.call_soon_threadsafe_handle_block_cancellation: it waits while the call is being made. */
TEST(post_cancel, from_another_thread_waits_for_the_call)
{
    loop_thread other;
    loop_thread_start(&other, NULL);
    for (int i = 0; i < 20; i++) {
        slow mine = {.post = {.call = run_slowly}, .inside = GATE_INIT};
        CHECK_EQ(thrum_call_soon_threadsafe(other.loop, &mine.post), 0);
        gate_await_waiting(&mine.inside, 1);
        gate_open(&mine.inside, 1);
        CHECK(!thrum_post_cancel(other.loop, &mine.post));
        CHECK_EQ(atomic_load(&mine.ended), 1);
    }
    loop_thread_end(&other);
}

static atomic_int count;

static void count_post(thrum_post *post)
{
    (void)post;
    atomic_fetch_add(&count, 1);
}

/* test_events.call_soon_threadsafe_handle_cancel_other_thread: before the call, it is not made. */
TEST(post_cancel, from_another_thread_before_the_call)
{
    loop_thread other;
    slow blocks = {.post = {.call = run_slowly}, .inside = GATE_INIT};
    thrum_post post = {.call = count_post}, after = {.call = count_post};
    loop_thread_start(&other, NULL);
    atomic_store(&count, 0);
    CHECK_EQ(thrum_call_soon_threadsafe(other.loop, &blocks.post), 0);
    gate_await_waiting(&blocks.inside, 1);
    CHECK_EQ(thrum_call_soon_threadsafe(other.loop, &post), 0);
    CHECK_EQ(thrum_call_soon_threadsafe(other.loop, &after), 0);
    CHECK(thrum_post_cancel(other.loop, &post)); /* although another call is being made */
    CHECK(!thrum_post_cancel(other.loop, &post));
    gate_open(&blocks.inside, 1);
    while (!atomic_load(&count))
        sched_yield();
    loop_thread_end(&other);
    CHECK_EQ(atomic_load(&count), 1);
}

/* What is left behind a post that was taken back wakes a loop that sleeps. */
TEST(post_cancel, leaves_the_loop_to_be_woken)
{
    loop_thread other;
    loop_thread_start(&other, NULL);
    for (int i = 0; i < 200; i++) {
        thrum_post first = {.call = count_post}, second = {.call = count_post};
        atomic_store(&count, 0);
        CHECK_EQ(thrum_call_soon_threadsafe(other.loop, &first), 0);
        CHECK_EQ(thrum_call_soon_threadsafe(other.loop, &second), 0);
        bool cancelled = thrum_post_cancel(other.loop, &first);
        while (atomic_load(&count) < (cancelled ? 1 : 2))
            sched_yield();
        thrum_post_cancel(other.loop, &second); /* has it returned? */
    }
    loop_thread_end(&other);
}

/* ---- many posts take one wake-up ---- */

static int wakes;

static void count_wake(thrum_loop *loop)
{
    (void)loop;
    wakes++;
}

TEST(posts, many_take_one_wake_up)
{
    enum { MANY = 1000 };
    static thrum_post many[MANY];
    thrum_inbox inbox;
    memset(&inbox, 0, sizeof inbox);
    thrum_inbox_open(&inbox);
    wakes = 0;
    for (int round = 0; round < 3; round++) {
        atomic_store(&count, 0);
        CHECK(thrum_inbox_sleep(&inbox));
        for (int i = 0; i < MANY; i++) {
            many[i].call = count_post;
            CHECK_EQ(thrum_inbox_post(&inbox, &many[i], false, count_wake, NULL), 0);
        }
        CHECK_EQ(wakes, round + 1);
        CHECK(!thrum_inbox_sleep(&inbox));
        thrum_inbox_wake(&inbox);
        thrum_inbox_drain(&inbox);
        CHECK_EQ(atomic_load(&count), MANY);
        /* While it is awake, none at all. */
        CHECK_EQ(thrum_inbox_post(&inbox, &many[0], false, count_wake, NULL), 0);
        CHECK_EQ(wakes, round + 1);
        thrum_inbox_drain(&inbox);
    }
    CHECK_NULL(thrum_inbox_close(&inbox));
}

/* ---- 8 threads post and take back: each post is either called or taken back, and never touched afterwards ---- */

enum { THREADS = 8, EACH = 400, AT_ONCE = 4 };

typedef struct marked {
    thrum_post post;
    atomic_int calls;
} marked;

typedef struct poster {
    pthread_t thread;
    thrum_loop *loop;
    long called, cancelled, wrong, refused;
} poster;

static void mark(thrum_post *post)
{
    atomic_fetch_add(&((marked *)(void *)post)->calls, 1);
}

static void *post_and_cancel(void *argument)
{
    poster *self = argument;
    for (long i = 0; i < EACH; i++) {
        marked *mine = calloc(AT_ONCE, sizeof *mine);
        bool refused[AT_ONCE];
        for (int j = 0; j < AT_ONCE; j++) {
            mine[j].post.call = mark;
            refused[j] = thrum_call_soon_threadsafe(self->loop, &mine[j].post) != 0;
        }
        if (i % 3 == 0)
            sched_yield();
        for (int j = AT_ONCE - 1; j >= 0; j--) {
            bool cancelled = thrum_post_cancel(self->loop, &mine[j].post);
            int calls = atomic_load(&mine[j].calls);
            if (refused[j])
                self->refused++;
            else if (cancelled && calls == 0)
                self->cancelled++;
            else if (!cancelled && calls == 1)
                self->called++;
            else
                self->wrong++;
        }
        free(mine); /* whoever touched it now would be told by the sanitizers */
    }
    return NULL;
}

TEST_LIMIT(posts, of_many_threads_are_called_or_taken_back, 30)
{
    loop_thread other;
    poster posters[THREADS];
    memset(posters, 0, sizeof posters);
    loop_thread_start(&other, NULL);
    for (int i = 0; i < THREADS; i++) {
        posters[i].loop = other.loop;
        CHECK_EQ(pthread_create(&posters[i].thread, NULL, post_and_cancel, &posters[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(posters[i].thread, NULL);
        CHECK_EQ(posters[i].wrong, 0);
        CHECK_EQ(posters[i].refused, 0);
        CHECK_EQ(posters[i].called + posters[i].cancelled, EACH * AT_ONCE);
    }
    loop_thread_end(&other);
}

/* 19: the same while the loop closes: what was queued then is forgotten. */
TEST_LIMIT(posts, of_many_threads_while_the_loop_closes, 30)
{
    loop_thread other;
    poster posters[THREADS];
    memset(posters, 0, sizeof posters);
    loop_thread_start(&other, NULL);
    for (int i = 0; i < THREADS; i++) {
        posters[i].loop = other.loop;
        CHECK_EQ(pthread_create(&posters[i].thread, NULL, post_and_cancel, &posters[i]), 0);
    }
    for (int i = 0; i < 200; i++)
        sched_yield();
    loop_thread_end(&other);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(posters[i].thread, NULL);
        CHECK_LE(posters[i].wrong, AT_ONCE); /* not called, and nothing to take back */
    }
}
