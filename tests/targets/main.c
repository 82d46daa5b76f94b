/* Runs the tests of a firmware, those of test_table (support/table writes it). Each begins on a machine that was just
 * reset, as on hosts each has a process of its own; how far we are and the counts outlive that.
 *
 * Arguments: from=N  begins with the N-th test (the runner goes on so behind one that hung or faulted)
 *            only=N  runs that one
 *            clock=N the clock of sim.h begins there
 *            then=N  and once more all tests, with the clock beginning there */
#include <board.h>
#include <stdlib.h>
#include <test.h>
#include <thrum.h>
#include <thrum/port.h>

enum { BEGUN = 0x7e57, PASSED = 0, FAILED, SKIPPED };

static struct {
    unsigned begun;
    unsigned next, end; /* tests */
    unsigned long counts[3];
    unsigned long clock, then;
    bool again;
} run __attribute__((section(".noinit")));

/* Where the pool has one array and no allocator. */
#define TEST_POOL_ 400000

unsigned long test_clock;

/* Debug builds ask; tests of core and sync have no port. */
bool thrum_port_in_isr(void)
{
    return false;
}

void test_put(const char *text)
{
    board_put(text);
}

static void put_count(unsigned long count, const char *what)
{
    board_put_number(count);
    board_put(what);
}

static _Noreturn void end(int how)
{
    run.counts[how]++;
    run.next++;
    board_restart();
}

_Noreturn void test_end(int how, const char *file, int line, const char *why)
{
    board_put(how == FAILED ? "FAILED\n    " : "SKIPPED: ");
    board_put(file);
    board_put(":");
    put_count((unsigned long)line, ": ");
    board_put(why);
    board_put("\n");
    end(how);
}

/* Decimal or 0x... behind NAME=; `otherwise` where the arguments do not say. */
static unsigned long argument(const char *name, unsigned long otherwise)
{
    const char *at = strstr(board_arguments(), name);
    return at ? strtoul(at + strlen(name), NULL, 0) : otherwise;
}

#if THRUM_ALLOCATORS
static void *take(void *context, size_t size)
{
    (void)context;
    return malloc(size);
}

static void give(void *context, void *memory, size_t size)
{
    (void)context;
    (void)size;
    free(memory);
}

static int feed_pool(void)
{
    static const thrum_allocator allocator = {take, give, NULL, false};
#if defined(__AVR__)
    __malloc_heap_start = (char *)((((uintptr_t)__malloc_heap_start + 1) | 3) - 1); /* clock.h */
    __malloc_margin = 1500;
#endif
    return thrum_pool_use_allocator(&allocator);
}
#else
static int feed_pool(void)
{
    static _Alignas(16) char memory[TEST_POOL_] __attribute__((section(".noinit")));
    return thrum_pool_use_memory(memory, sizeof memory);
}
#endif

int main(void)
{
    if (run.begun != BEGUN) {
        run.begun = BEGUN;
        run.next = (unsigned)argument("from=", 0);
        run.end = test_table_count;
        if (strstr(board_arguments(), "only=")) {
            run.next = (unsigned)argument("only=", 0);
            run.end = run.next + 1;
        }
        run.clock = argument("clock=", 0);
        run.again = strstr(board_arguments(), "then=") != NULL;
        run.then = argument("then=", 0);
        for (int i = 0; i < 3; i++)
            run.counts[i] = 0;
    }
    while (run.next < run.end && !test_table[run.next])
        run.next++;
    if (run.next >= run.end) {
        put_count(run.counts[PASSED], " passed, ");
        put_count(run.counts[FAILED], " failed, ");
        put_count(run.counts[SKIPPED], " skipped\n");
        if (!run.again)
            return run.counts[FAILED] != 0;
        run.again = false;
        run.clock = run.then;
        run.next = 0;
        board_restart();
    }
    test_clock = run.clock;
    const struct test_case *test = test_table[run.next];
    put_count(run.next, " ");
    board_put(test->path);
    board_put(" ... ");
    if (feed_pool() != 0)
        FAIL("the pool is in use before the test");
    test->run();
    board_put("ok\n");
    end(PASSED);
}
