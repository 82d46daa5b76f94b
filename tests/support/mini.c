/* The reporter of our own: a line for each test, then "N passed, N failed, N skipped". On hosts each test has a process
 * of its own; in firmware they run one after the other, and one that fails is left by longjmp. */
#include "test.h"

static struct test_case *first, **last = &first;
enum { PASSED, FAILED, SKIPPED }; /* how a test ends; on hosts the status of its process */

void test_register(struct test_case *test)
{
    *last = test;
    last = &test->next;
}

static void put(const char *before, long long number, const char *after)
{
    char text[24];
    test_put(before);
    test_put_integer_(text, text + sizeof text - 1, number);
    test_put(text);
    test_put(after);
}

#if defined(__unix__) || defined(__APPLE__)
#include <fnmatch.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

void test_put(const char *text)
{
    /* Straight to the descriptor: what was printed stays printed when the process is killed. */
    if (write(STDOUT_FILENO, text, strlen(text)) < 0)
        abort();
}

#define leave(how) exit(how)

static int attempt(const struct test_case *test)
{
    int status;
    const pid_t child = fork();
    if (child == 0) {
        alarm(test->seconds); /* kills it */
        test->run();
        exit(PASSED);
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        abort();
    const bool exited = WIFEXITED(status);
    const int number = exited ? WEXITSTATUS(status) : WTERMSIG(status);
    if (exited && number <= SKIPPED)
        return number;
    put(exited ? "FAILED: ended with status " : "FAILED: ended by signal ", number,
        !exited && number == SIGALRM ? ", it overran its limit" : "");
    return FAILED;
}

static char **left_out; /* patterns, up to NULL */

static bool leaves_out(const char *path)
{
    for (char **pattern = left_out; pattern && *pattern; pattern++)
        if (fnmatch(*pattern, path, 0) == 0)
            return true;
    return false;
}

/* The first argument is a part of the names of those that run; each further one a pattern of those that do not. */
int main(int argc, char **argv)
{
    left_out = argc > 2 ? argv + 2 : NULL;
    return test_run_all(argc > 1 ? argv[1] : NULL) > 0;
}
#else
#include <setjmp.h>
static jmp_buf back;
static int outcome;

#define leave(how) (outcome = (how), longjmp(back, 1))
#define leaves_out(path) false

static int attempt(const struct test_case *test)
{
    outcome = PASSED;
    if (setjmp(back) == 0)
        test->run();
    return outcome;
}
#endif

_Noreturn void test_end(int how, const char *file, int line, const char *why)
{
    test_put(how == FAILED ? "FAILED\n    " : "SKIPPED: ");
    test_put(file);
    put(":", line, ": ");
    test_put(why);
    leave(how);
}

int test_run_all(const char *pattern)
{
    static int counts[3];
#ifdef THRUM_TEST_TABLE
    for (unsigned i = 0; i < test_table_count; i++)
        if (test_table[i])
            test_register(test_table[i]);
#endif
    for (const struct test_case *test = first; test; test = test->next) {
        if ((pattern && !strstr(test->path, pattern)) || leaves_out(test->path))
            continue;
        test_put(test->path);
        test_put(" ... ");
        const int how = attempt(test);
        test_put(how == PASSED ? "ok\n" : "\n");
        counts[how]++;
    }
    put("", counts[PASSED], " passed, ");
    put("", counts[FAILED], " failed, ");
    put("", counts[SKIPPED], " skipped\n");
    return counts[FAILED];
}
