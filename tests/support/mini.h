/* The small reporter behind test.h; include test.h instead. Tests register themselves by constructors, which gcc and
 * clang have on hosts. A bare-metal start-up may not run them: with -DTHRUM_TEST_TABLE nothing registers itself, and
 * the output of `tests/support/table FILE.c...` is compiled in. */
#ifndef THRUM_TEST_MINI_H
#define THRUM_TEST_MINI_H

struct test_case {
    const char *path; /* suite/name */
    void (*run)(void);
    unsigned seconds;
    struct test_case *next;
};

/* Runs every test whose "suite/name" contains `pattern` (NULL: all); gives the number that failed. Firmware calls it
 * from its own main, and supplies test_put(), where reports go; on hosts mini.c has both. */
int test_run_all(const char *pattern);
void test_put(const char *text);

void test_register(struct test_case *test);
_Noreturn void test_end(int how, const char *file, int line, const char *why);

#ifdef THRUM_TEST_TABLE
extern struct test_case *const test_table[]; /* NULL: left out by the preprocessor */
extern const unsigned test_table_count;
#define TEST_REGISTERED_(id) struct test_case test_case_##id
#else
#define TEST_REGISTERED_(id)                                                                                           \
    static struct test_case test_case_##id;                                                                            \
    __attribute__((constructor)) static void test_register_##id(void)                                                  \
    {                                                                                                                  \
        test_register(&test_case_##id);                                                                                \
    }                                                                                                                  \
    static struct test_case test_case_##id
#endif

#define TEST_LIMIT(suite, name, limit)                                                                                 \
    static void test_run_##suite##_##name(void);                                                                       \
    TEST_REGISTERED_(suite##_##name) = {#suite "/" #name, test_run_##suite##_##name, THRUM_TEST_SCALE * (limit), 0};   \
    static void test_run_##suite##_##name(void)

#define TEST_FAIL_(message) test_end(1, __FILE__, __LINE__, message)
#define SKIP(reason) test_end(2, __FILE__, __LINE__, reason)

#endif
