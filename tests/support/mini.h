/* The small reporter behind test.h; include test.h instead.
 *
 * Tests register themselves by constructors, which gcc and clang have on hosts. A bare-metal start-up may not run them:
 * with -DTHRUM_TEST_TABLE nothing registers itself, and the output of `tests/support/table FILE.c...` is compiled in.
 */
#ifndef THRUM_TEST_MINI_H
#define THRUM_TEST_MINI_H

struct test_case {
    const char *suite, *name;
    void (*run)(void);
    unsigned seconds;
    struct test_case *next;
};

/* Runs every test whose "suite/name" contains `pattern` (NULL: all); gives the number that failed. Firmware calls it
 * from its own main; on hosts mini.c has a main that does. */
int test_run_all(const char *pattern);

/* Firmware supplies this: where reports go. */
void test_put(const char *text);

void test_register(struct test_case *test);
_Noreturn void test_fail(const char *file, int line, const char *message);
_Noreturn void test_skip(const char *reason);

#ifdef THRUM_TEST_TABLE
extern struct test_case *const test_table[]; /* ends with NULL */
#define TEST_REGISTER_(suite, name)
#define TEST_LINKAGE_
#else
#define TEST_REGISTER_(suite, name)                                                                                    \
    __attribute__((constructor)) static void test_register_##suite##_##name(void)                                      \
    {                                                                                                                  \
        test_register(&test_case_##suite##_##name);                                                                    \
    }
#define TEST_LINKAGE_ static
#endif

#define TEST_LIMIT(suite, name, limit)                                                                                 \
    static void test_run_##suite##_##name(void);                                                                       \
    TEST_LINKAGE_ struct test_case test_case_##suite##_##name = {#suite, #name, test_run_##suite##_##name,             \
                                                                 THRUM_TEST_SCALE * (limit), NULL};                    \
    TEST_REGISTER_(suite, name)                                                                                        \
    static void test_run_##suite##_##name(void)

#define TEST_FAIL_(message) test_fail(__FILE__, __LINE__, message)
#define SKIP(reason) test_skip(reason)

#endif
