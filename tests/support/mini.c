/* The reporter of our own: runs the tests one after the other in one process and prints a line for each, then
 * "N passed, N failed, N skipped". A test that overruns its limit is killed by SIGALRM with the whole process, so the
 * last line printed names it. */
#include "test.h"

#include <setjmp.h>

static struct test_case *first, **last = &first;
static jmp_buf leave;
enum { LEFT_FAILED = 1, LEFT_SKIPPED };

void test_register(struct test_case *test)
{
    *last = test;
    last = &test->next;
}

static void put_integer(long long value)
{
    char text[24];
    test_put_integer_(text, text + sizeof text - 1, value);
    test_put(text);
}

_Noreturn void test_fail(const char *file, int line, const char *message)
{
    test_put("FAILED\n    ");
    test_put(file);
    test_put(":");
    put_integer(line);
    test_put(": ");
    test_put(message);
    test_put("\n");
    longjmp(leave, LEFT_FAILED);
}

_Noreturn void test_skip(const char *reason)
{
    test_put("SKIPPED: ");
    test_put(reason);
    test_put("\n");
    longjmp(leave, LEFT_SKIPPED);
}

static bool wanted(const struct test_case *test, const char *pattern)
{
    char path[TEST_MESSAGE_SIZE_];
    const char *end = path + sizeof path - 1;
    char *at = test_put_text_(path, end, test->suite);
    at = test_put_text_(at, end, "/");
    test_put_text_(at, end, test->name);
    return !pattern || strstr(path, pattern);
}

#if defined(__unix__) || defined(__APPLE__)
#include <stdlib.h>
#include <unistd.h>

void test_put(const char *text)
{
    /* Straight to the descriptor: what was printed stays printed when the process is killed. */
    for (size_t left = strlen(text); left > 0;) {
        const ssize_t done = write(STDOUT_FILENO, text, left);
        if (done <= 0)
            abort();
        text += done;
        left -= (size_t)done;
    }
}

static void limit(unsigned seconds)
{
    alarm(seconds);
}

int main(int argc, char **argv)
{
    return test_run_all(argc > 1 ? argv[1] : NULL) > 0;
}
#else
static void limit(unsigned seconds)
{
    (void)seconds; /* firmware has its watchdog, or an emulator under a time limit */
}
#endif

int test_run_all(const char *pattern)
{
    static int passed, failed, skipped; /* static: they keep their values across longjmp */
    passed = failed = skipped = 0;
#ifdef THRUM_TEST_TABLE
    for (struct test_case *const *entry = test_table; *entry; entry++)
        test_register(*entry);
#endif
    static struct test_case *test;
    for (test = first; test; test = test->next) {
        if (!wanted(test, pattern))
            continue;
        test_put(test->suite);
        test_put("/");
        test_put(test->name);
        test_put(" ... ");
        limit(test->seconds);
        switch (setjmp(leave)) {
        case 0:
            test->run();
            test_put("ok\n");
            passed++;
            break;
        case LEFT_SKIPPED:
            skipped++;
            break;
        default:
            failed++;
            break;
        }
        limit(0);
    }
    put_integer(passed);
    test_put(" passed, ");
    put_integer(failed);
    test_put(" failed, ");
    put_integer(skipped);
    test_put(" skipped\n");
    return failed;
}
