/* The reporter of our own: runs the tests one after the other in one process and prints a line for each, then
 * "N passed, N failed, N skipped". A test that overruns its limit is killed by SIGALRM with the whole process, so the
 * last line printed names it. */
#include "test.h"

#include <setjmp.h>

static struct test_case *first, **last = &first;
static int passed, failed, skipped, *outcome;
static jmp_buf leave;

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
    outcome = &failed;
    longjmp(leave, 1);
}

_Noreturn void test_skip(const char *reason)
{
    test_put("SKIPPED: ");
    test_put(reason);
    test_put("\n");
    outcome = &skipped;
    longjmp(leave, 1);
}

#if defined(__unix__) || defined(__APPLE__)
#include <stdlib.h>
#include <unistd.h>

void test_put(const char *text)
{
    /* Straight to the descriptor: what was printed stays printed when the process is killed. */
    if (write(STDOUT_FILENO, text, strlen(text)) < 0)
        abort();
}

#define limit(seconds) alarm(seconds)

int main(int argc, char **argv)
{
    return test_run_all(argc > 1 ? argv[1] : NULL) > 0;
}
#else
#define limit(seconds) ((void)0) /* firmware has its watchdog, or an emulator under a time limit */
#endif

int test_run_all(const char *pattern)
{
    static struct test_case *test; /* static: it keeps its value across longjmp */
#ifdef THRUM_TEST_TABLE
    for (struct test_case *const *entry = test_table; *entry; entry++)
        test_register(*entry);
#endif
    for (test = first; test; test = test->next) {
        char path[160], *at = test_put_text_(path, path + sizeof path - 1, test->suite);
        at = test_put_text_(at, path + sizeof path - 1, "/");
        test_put_text_(at, path + sizeof path - 1, test->name);
        if (pattern && !strstr(path, pattern))
            continue;
        test_put(path);
        test_put(" ... ");
        outcome = &passed;
        limit(test->seconds);
        if (setjmp(leave) == 0) {
            test->run();
            test_put("ok\n");
        }
        limit(0);
        ++*outcome;
    }
    put_integer(passed);
    test_put(" passed, ");
    put_integer(failed);
    test_put(" failed, ");
    put_integer(skipped);
    test_put(" skipped\n");
    return failed;
}
