/* Every test of thrum includes this header and no other of a test framework. It maps to Criterion, or with
 * -DTHRUM_TEST_MINI to the small reporter in mini.c, which also runs under ThreadSanitizer, in firmware and against the
 * two-file build. On hosts each test has a process of its own.
 *
 *     TEST(queue, keeps_order)                 a test; TEST_LIMIT(queue, slow_one, 30) may take 30 s instead of 10
 *     {
 *         CHECK(condition);                    a check that fails ends the test
 *         CHECK_EQ(value, expected);           integers: CHECK_EQ, CHECK_NE, CHECK_LT, CHECK_LE, CHECK_GT, CHECK_GE
 *         CHECK_STR(text, "expected");         strings, either may be NULL
 *         CHECK_MEM(bytes, expected, count);
 *         CHECK_PTR(pointer, expected);        CHECK_NULL(pointer), CHECK_NOT_NULL(pointer)
 *         FAIL("this line must not be reached");
 *         SKIP("why this cannot run here");
 *     }
 *
 * Checks belong to the thread that runs the test; they may stand in helpers, callbacks and async functions. */
#ifndef THRUM_TEST_H
#define THRUM_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Slow builds (sanitizers, valgrind) stretch every limit by this factor. */
#ifndef THRUM_TEST_SCALE
#define THRUM_TEST_SCALE 1
#endif

#ifdef THRUM_TEST_MINI
#include "mini.h"
#else
#include <criterion/criterion.h>
#define TEST_LIMIT(suite, name, limit) Test(suite, name, .timeout = THRUM_TEST_SCALE * (limit))
#define TEST_FAIL_(message) cr_assert_fail("%s", message)
#define SKIP(reason) cr_skip_test("%s", reason)
#endif

#define TEST(suite, name) TEST_LIMIT(suite, name, 10)

#define FAIL(message) TEST_FAIL_(message)
#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            TEST_FAIL_("CHECK(" #condition ")");                                                                       \
    } while (0)

#define CHECK_EQ(a, b) TEST_COMPARE_(a, ==, b)
#define CHECK_NE(a, b) TEST_COMPARE_(a, !=, b)
#define CHECK_LT(a, b) TEST_COMPARE_(a, <, b)
#define CHECK_LE(a, b) TEST_COMPARE_(a, <=, b)
#define CHECK_GT(a, b) TEST_COMPARE_(a, >, b)
#define CHECK_GE(a, b) TEST_COMPARE_(a, >=, b)
#define TEST_COMPARE_(a, relation, b)                                                                                  \
    do {                                                                                                               \
        const long long test_a_ = (long long)(a), test_b_ = (long long)(b);                                            \
        if (!(test_a_ relation test_b_))                                                                               \
            TEST_FAIL_(test_integers_(#a " " #relation " " #b, test_a_, test_b_));                                     \
    } while (0)

#define CHECK_STR(a, b)                                                                                                \
    do {                                                                                                               \
        const char *const test_a_ = (a), *const test_b_ = (b);                                                         \
        if (test_a_ != test_b_ && (!test_a_ || !test_b_ || strcmp(test_a_, test_b_) != 0))                             \
            TEST_FAIL_(test_strings_(#a " is " #b, test_a_, test_b_));                                                 \
    } while (0)

#define CHECK_MEM(a, b, count)                                                                                         \
    do {                                                                                                               \
        const size_t test_at_ = test_differ_((a), (b), (count));                                                       \
        if (test_at_ < (count))                                                                                        \
            TEST_FAIL_(                                                                                                \
                test_integers_(#a " and " #b ": first different byte, of", (long long)test_at_, (long long)(count)));  \
    } while (0)

#define CHECK_PTR(a, b)                                                                                                \
    do {                                                                                                               \
        if ((const void *)(a) != (const void *)(b))                                                                    \
            TEST_FAIL_("CHECK_PTR(" #a ", " #b ")");                                                                   \
    } while (0)
#define CHECK_NULL(p) CHECK((p) == NULL)
#define CHECK_NOT_NULL(p) CHECK((p) != NULL)

/* Messages are put together without stdio, which firmware lacks. The text lives until the next failure. */
static inline char *test_put_text_(char *at, const char *end, const char *text)
{
    if (!text)
        text = "(null)";
    while (*text && at < end)
        *at++ = *text++;
    *at = '\0';
    return at;
}

static inline char *test_put_integer_(char *at, const char *end, long long value)
{
    char digits[24];
    size_t i = sizeof digits - 1;
    unsigned long long rest = value < 0 ? 0ull - (unsigned long long)value : (unsigned long long)value;
    digits[i] = '\0';
    do
        digits[--i] = (char)('0' + (int)(rest % 10));
    while ((rest /= 10) != 0);
    if (value < 0)
        digits[--i] = '-';
    return test_put_text_(at, end, digits + i);
}

enum { TEST_MESSAGE_SIZE_ = 400 };

static inline const char *test_integers_(const char *what, long long a, long long b)
{
    static char message[TEST_MESSAGE_SIZE_];
    const char *end = message + sizeof message - 1;
    char *at = test_put_text_(message, end, what);
    at = test_put_text_(at, end, ": ");
    at = test_put_integer_(at, end, a);
    at = test_put_text_(at, end, ", ");
    test_put_integer_(at, end, b);
    return message;
}

static inline const char *test_strings_(const char *what, const char *a, const char *b)
{
    static char message[TEST_MESSAGE_SIZE_];
    const char *end = message + sizeof message - 1;
    char *at = test_put_text_(message, end, what);
    at = test_put_text_(at, end, ": \"");
    at = test_put_text_(at, end, a);
    at = test_put_text_(at, end, "\", \"");
    at = test_put_text_(at, end, b);
    test_put_text_(at, end, "\"");
    return message;
}

static inline size_t test_differ_(const void *a, const void *b, size_t count)
{
    const unsigned char *const x = (const unsigned char *)a, *const y = (const unsigned char *)b;
    size_t i = 0;
    while (i < count && x[i] == y[i])
        i++;
    return i;
}

#endif
