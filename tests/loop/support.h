/* What the tests of the loop share: loops of both kinds, a note of the order in which things happen, and of the log. */
#ifndef TEST_LOOP_SUPPORT_H
#define TEST_LOOP_SUPPORT_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <eager.h>
#include <test.h>
#include <thrum.h>

static inline thrum_loop *open_loop(thrum_backend_kind kind)
{
    thrum_loop_options options = {.size = sizeof options, .backend = kind, .start = SECONDS(1000)};
    thrum_loop *loop;
    CHECK_EQ(thrum_loop_new(&loop, &options), 0);
    eager_prepare(loop);
    return loop;
}

static inline void close_loop(thrum_loop *loop)
{
    thrum_pool_stats stats;
    CHECK_EQ(thrum_loop_close(loop), 0);
    thrum_pool_stats_get(&stats);
    CHECK_EQ(stats.blocks, 0);
}

/* A test that runs on libev and on virtual time; `loop` is open. */
#define LOOP_TEST(suite, name)                                                                                         \
    static void suite##_##name##_on(thrum_loop *loop);                                                                 \
    TEST(suite, name##_libev)                                                                                          \
    {                                                                                                                  \
        thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);                                                             \
        suite##_##name##_on(loop);                                                                                     \
        close_loop(loop);                                                                                              \
    }                                                                                                                  \
    TEST(suite, name##_sim)                                                                                            \
    {                                                                                                                  \
        thrum_loop *loop = open_loop(THRUM_BACKEND_SIM);                                                               \
        suite##_##name##_on(loop);                                                                                     \
        close_loop(loop);                                                                                              \
    }                                                                                                                  \
    static void suite##_##name##_on(thrum_loop *loop)

/* ---- the order of things, as a string: note('a') ---- */

typedef struct notes {
    char text[256];
    size_t count;
} notes;

static notes noted;

static inline void note_clear(void)
{
    memset(&noted, 0, sizeof noted);
}

static inline void note(char what)
{
    CHECK_LT(noted.count, sizeof noted.text - 1);
    noted.text[noted.count++] = what;
}

/* A handle that notes a letter, which is its context. */
static inline void note_letter(thrum_handle *handle)
{
    note(*(const char *)handle->context);
}

static inline thrum_handle noting(const char *letter)
{
    thrum_handle handle;
    thrum_handle_init(&handle, note_letter, (void *)(uintptr_t)letter);
    return handle;
}

static inline void stop_loop(thrum_handle *handle)
{
    (void)handle;
    thrum_loop_stop(thrum_loop_running());
}

/* ---- the log ---- */

static char logged[8192];

static inline void log_line(void *context, const char *line)
{
    (void)context;
    size_t used = strlen(logged);
    snprintf(logged + used, sizeof logged - used, "%s\n", line);
}

static inline void log_begin(void)
{
    logged[0] = '\0';
    thrum_log_set(log_line, NULL);
}

static inline bool log_has(const char *text)
{
    return strstr(logged, text) != NULL;
}

/* ---- functions that several tests use ---- */

#define WAITS_FOR(name)                                                                                                \
    static ASYNC(name, ARGS((thrum_event *, event)), LOCALS_NONE)                                                      \
    {                                                                                                                  \
        ASYNC_BEGIN;                                                                                                   \
        AWAIT(self->event);                                                                                            \
        ASYNC_END;                                                                                                     \
    }

#endif
