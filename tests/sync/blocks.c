/* Three blocks in one another, left in every way at every level and cancelled at every suspension: the same traces as
 * the same programs in Python give. blocks_reference.py describes the programs and made blocks_expected.inc; when a
 * test here names a program, `blocks_reference.py --show NUMBER` prints what its traces should be, and running this
 * with THRUM_TEST_SHOW=NUMBER in the environment prints what they are. */
/* Every way out is taken on purpose. thrum-check: ignore-file thrum-cancellation-swallowed thrum-jump-leaves-block */
#include <stdio.h>
#include <stdlib.h>

#include <sim.h>

enum how { END, RAISE, RETURN, BREAK, CONTINUE };

/* How a program is left, where, and what its exits and catches do. */
static struct plan {
    enum how how;
    int level, where;
    const char *exits;
} plan;

static char trace[512];
static size_t length;

static void put(const char *text)
{
    size_t more = strlen(text);
    CHECK_LT(length + more, sizeof trace);
    memcpy(trace + length, text, more + 1);
    length += more;
}

static void put_number(int n)
{
    char text[12];
    snprintf(text, sizeof text, "%d", n);
    put(text);
}

static void put_error(int error)
{
    if (error == THRUM_ECANCELED)
        put("C");
    else
        put_number(THRUM_EAPP(0) - error);
}

static bool here(enum how how, int level, int where)
{
    return plan.how == how && plan.level == level && plan.where == where;
}

/* ---- a block of our own ---- */

typedef struct own_block {
    thrum_scope scope;
    int level;
} own_block;

static ASYNC(block_exit_run, ARGS((own_block *, block)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    put(")");
    put_number(self->block->level);
    if (self->block->scope.error)
        put_error((int)self->block->scope.error);
    AWAIT(thrum_yield());
    if (plan.exits[self->block->level - 1] == 'R')
        ASYNC_RAISE(THRUM_EAPP(20 + self->block->level));
    put(".");
FINALLY:
    put(";");
    AWAIT(thrum_yield());
    put(",");
    if (plan.exits[self->block->level - 1] == 'S')
        self->block->scope.error = 0;
    ASYNC_END;
}

static thrum_awaitable block_exit(thrum_scope *scope)
{
    return block_exit_run((own_block *)(void *)scope);
}

static ASYNC(enter, ARGS((own_block *, block), (int, level)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    self->block->level = self->level;
    self->block->scope.exit = block_exit;
    put("(");
    AWAIT(thrum_yield());
    if (plan.exits[self->level - 1] == 'E')
        ASYNC_RAISE(THRUM_EAPP(30 + self->level));
    put_number(self->level);
    ASYNC_END;
}

/* ---- the programs ---- */

#define LEAVE(l, where)                                                                                                \
    if (here(RAISE, l, where))                                                                                         \
        ASYNC_RAISE(THRUM_EAPP((l)*2 + (where)));                                                                      \
    if (here(RETURN, l, where))                                                                                        \
        ASYNC_RETURN((l)*10 + (where));                                                                                \
    if (here(BREAK, l, where))                                                                                         \
        break;                                                                                                         \
    if (here(CONTINUE, l, where))                                                                                      \
        continue;

#define BODY(l, ...)                                                                                                   \
    put("<");                                                                                                          \
    AWAIT(thrum_yield());                                                                                              \
    LEAVE(l, 0)                                                                                                        \
    __VA_ARGS__                                                                                                        \
    put("=");                                                                                                          \
    AWAIT(thrum_yield());                                                                                              \
    LEAVE(l, 1)                                                                                                        \
    put(">");

#define CAUGHT(l)                                                                                                      \
    put("!");                                                                                                          \
    put_error(self->error[l]);                                                                                         \
    AWAIT(thrum_yield());                                                                                              \
    put("?");                                                                                                          \
    if (plan.exits[(l)-1] == 'S')                                                                                      \
        ASYNC_RAISE(self->error[l]);                                                                                   \
    if (plan.exits[(l)-1] == 'R')                                                                                      \
        ASYNC_RAISE(THRUM_EAPP(50 + (l)));                                                                             \
    if (plan.exits[(l)-1] == 'E')                                                                                      \
        ASYNC_RETURN(70 + (l));

#define BLOCK_W(l, ...)                                                                                                \
    WITH (self->block[l], enter(&self->block[l], l)) {                                                                 \
        __VA_ARGS__                                                                                                    \
    }
#define BLOCK_T(l, ...)                                                                                                \
    TRY (self->attempt[l]) {                                                                                           \
        __VA_ARGS__                                                                                                    \
    }                                                                                                                  \
    CATCH (self->error[l], self->attempt[l]) {                                                                         \
        CAUGHT(l)                                                                                                      \
    }
#define BLOCK_A(l, ...)                                                                                                \
    TRY (self->attempt[l]) {                                                                                           \
        __VA_ARGS__                                                                                                    \
    }                                                                                                                  \
    CATCH_ALL (self->error[l], self->attempt[l]) {                                                                     \
        CAUGHT(l)                                                                                                      \
    }

#define PROGRAM(x, y, z)                                                                                               \
    static ASYNC(program_##x##y##z, ARGS_NONE,                                                                         \
                 LOCALS(own_block block[4]; thrum_try attempt[4]; int error[4]; int turn;))                            \
    {                                                                                                                  \
        ASYNC_BEGIN;                                                                                                   \
        BLOCK_##x(1, BODY(1, BLOCK_##y(2, BODY(2, for (self->turn = 0; self->turn < 2;                                 \
                                                       self->turn++){BLOCK_##z(3, BODY(3, ))})))) put("e");            \
        ASYNC_RETURN(0);                                                                                               \
    FINALLY:                                                                                                           \
        put("f");                                                                                                      \
        AWAIT(thrum_yield());                                                                                          \
        if (plan.exits[3])                                                                                             \
            ASYNC_RAISE(THRUM_EAPP(40));                                                                               \
        put("g");                                                                                                      \
        ASYNC_END;                                                                                                     \
    }

#define PROGRAMS_1(x, y) PROGRAM(x, y, W) PROGRAM(x, y, T) PROGRAM(x, y, A)
#define PROGRAMS_2(x) PROGRAMS_1(x, W) PROGRAMS_1(x, T) PROGRAMS_1(x, A)
PROGRAMS_2(W)
PROGRAMS_2(T)
PROGRAMS_2(A)

#define NAMES_1(x, y) program_##x##y##W, program_##x##y##T, program_##x##y##A
#define NAMES_2(x) NAMES_1(x, W), NAMES_1(x, T), NAMES_1(x, A)
static thrum_awaitable (*const programs[27])(void) = {NAMES_2(W), NAMES_2(T), NAMES_2(A)};

static const char *const exits[] = {"NNN", "SNN", "NSN", "NNS", "RNN", "NRN", "RRR", "NEN", "SEE", "NNNf", "NRNf"};

enum { HOWS = 25, EXITS = sizeof exits / sizeof *exits };

static const uint32_t expected[27 * EXITS * HOWS] = {
#include "blocks_expected.inc"
};

/* ---- running them ---- */

static void pass_until(thrum_task *task, size_t until)
{
    while (sim.passes < until && !thrum_task_done(task))
        sim_pass();
}

/* One run, cancelled before the given passes; false when it has ended before. */
static bool run(thrum_awaitable (*program)(void), const size_t *cancels, unsigned count)
{
    length = 0;
    trace[0] = '\0';
    sim.passes = 0;
    thrum_task *task = thrum_spawn(program());
    bool in_time = true;
    for (unsigned i = 0; i < count && in_time; i++) {
        pass_until(task, cancels[i]);
        in_time = thrum_task_cancel(task);
    }
    CHECK_EQ(sim_until(task), 0);
    thrum_value value = 0;
    int error = thrum_task_result(task, &value);
    put("=");
    if (error && error != THRUM_ECANCELED)
        put("E");
    if (error)
        put_error(error);
    else
        put_number((int)value);
    thrum_task_release(task);
    CHECK_EQ(sim_blocks(), 0);
    return in_time;
}

static uint32_t hash;
static bool show;

static void note(const size_t *cancels, unsigned count)
{
#if THRUM_HOSTED
    if (show) {
        for (unsigned i = 0; i < count; i++)
            printf("%zu\t", cancels[i]);
        printf("%s\n", trace);
    }
#else
    (void)cancels, (void)count;
#endif
    for (const char *c = trace; *c; c++)
        hash = (hash ^ (unsigned char)*c) * 16777619u;
    hash = (hash ^ '\n') * 16777619u;
}

static uint32_t all_traces(thrum_awaitable (*program)(void))
{
    size_t cancels[2] = {0, 0};
    hash = 2166136261u;
    run(program, cancels, 0);
    note(cancels, 0);
    for (cancels[0] = 1; run(program, cancels, 1); cancels[0]++) {
        note(cancels, 1);
        if (plan.how == END)
            for (cancels[1] = cancels[0]; cancels[1] < cancels[0] + 4; cancels[1]++)
                if (run(program, cancels, 2))
                    note(cancels, 2);
    }
    return hash;
}

static void structure(unsigned number)
{
    const char *shown = getenv("THRUM_TEST_SHOW");
    sim_open();
    for (unsigned e = 0; e < EXITS; e++)
        for (unsigned h = 0; h < HOWS; h++) {
            unsigned index = (number * EXITS + e) * HOWS + h;
            plan.how = h ? (enum how)((h - 1) / 6 + 1) : END;
            plan.level = h ? (int)((h - 1) / 2 % 3 + 1) : 0;
            plan.where = h ? (int)((h - 1) % 2) : 0;
            plan.exits = exits[e];
            show = shown && (unsigned)atoi(shown) == index;
            if (all_traces(programs[number]) != expected[index]) {
                char text[64];
                snprintf(text, sizeof text, "program %u: not the traces that Python gives", index);
                FAIL(text);
            }
        }
    sim_close();
}

static void structures(unsigned first)
{
    for (unsigned i = first; i < first + 9; i += THRUM_HOSTED ? 1 : 3)
        structure(i);
}

TEST_LIMIT(blocks, with_outermost, 30)
{
    structures(0);
}

TEST_LIMIT(blocks, try_outermost, 30)
{
    structures(9);
}

TEST_LIMIT(blocks, try_all_outermost, 30)
{
    structures(18);
}
