/* Tests that are wrong on purpose. tests/selftest/run expects that each of them turns a run red. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <test.h>

TEST(good, passes)
{
    CHECK(1);
}

/* Also when the run was started by `&`. */
TEST(good, hears_of_ctrl_c)
{
    struct sigaction action;
    CHECK_EQ(sigaction(SIGINT, NULL, &action), 0);
    CHECK(action.sa_handler != SIG_IGN);
    CHECK_EQ(sigaction(SIGHUP, NULL, &action), 0);
    CHECK(action.sa_handler != SIG_IGN);
}

#ifdef BAD_FAILS
TEST(bad, fails)
{
    CHECK_EQ(1 + 1, 3);
}
#endif

#ifdef BAD_LEAKS
TEST(bad, leaks)
{
    void *volatile lost = malloc(123);
    CHECK_NOT_NULL(lost);
    lost = NULL;
}
#endif

#ifdef BAD_OVERRUNS
TEST_LIMIT(bad, overruns, 1)
{
    for (;;)
        pause();
}
#endif

#ifdef BAD_RACES
static int shared;

static void *add(void *unused)
{
    for (int i = 0; i < 1000; i++)
        shared++;
    return unused;
}

TEST(bad, races)
{
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, add, NULL), 0);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
}
#endif

#ifdef BAD_OVERFLOWS
TEST(bad, overflows)
{
    volatile int most = 0x7fffffff;
    most = most + 1;
    CHECK_NE(most, 0);
}
#endif

#ifdef BAD_WRITES_OUTSIDE
TEST(bad, writes_outside)
{
    char *volatile block = malloc(8);
    block[8] = 1;
    free(block);
}
#endif

#ifdef BAD_CRASHES
TEST(bad, crashes)
{
    abort();
}
#endif

#ifdef BAD_SKIPS
TEST(bad, skips)
{
    SKIP("on purpose");
}
#endif

#ifdef BAD_LEAVES_A_PROCESS
TEST(bad, leaves_a_process)
{
    if (fork() == 0) {
        for (int descriptor = 0; descriptor < 64; descriptor++)
            close(descriptor);
        sleep(60);
        _exit(0);
    }
}
#endif
