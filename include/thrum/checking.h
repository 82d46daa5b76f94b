/**
 * @file checking.h
 * The macros of async.h as the checker reads them. `thrum-check` defines THRUM_CHECKING; nobody else includes this.
 *
 * Here an async function is ordinary structured C: a block is a loop, FINALLY is a label, and each await is a call of a
 * marker, whose first argument is the name of the macro that stands in the program. Nothing of it is ever compiled.
 */
#ifndef THRUM_CHECKING_H
#define THRUM_CHECKING_H

#ifdef THRUM_CHECKING

THRUM_BEGIN_DECLS
int thrum_checking_body_(void);                        /* head of the loop that stands for BEGIN ... END */
int thrum_checking_await_(const char *macro, ...);     /* what; where the result goes */
int thrum_checking_catch_(const char *macro, ...);     /* what; the error; where the result goes */
int thrum_checking_catch_all_(const char *macro, ...); /* the same */
int thrum_checking_with_(const char *macro, ...);      /* scope; enter: head of the loop that stands for the block */
int thrum_checking_for_(const char *macro, ...);       /* iteration; iterable; where items go: head of ASYNC_FOR */
int thrum_checking_try_(const char *macro, ...);       /* scope: the same for TRY; the `if` in it is TRY and CATCH */
int thrum_checking_caught_(const char *macro, ...);    /* the error; scope */
int thrum_checking_caught_all_(const char *macro, ...);
int thrum_checking_inside_(void);
int thrum_checking_return_(const char *macro, ...);
int thrum_checking_raise_(const char *macro, ...);
THRUM_END_DECLS

#define THRUM_ASYNC(...) THRUM_ASYNC_PAD_(ASYNC_, __VA_ARGS__, NONE_, NONE_, NONE_, )
#define THRUM_ASYNC_GEN(...) THRUM_ASYNC_PAD_(GEN_, __VA_ARGS__, NONE_, NONE_, NONE_, )
#define THRUM_ASYNC_PAD_(kind, name, args, locals, o1, o2, o3, ...)                                                    \
    THRUM_FUNCTION_(kind, name, args, locals, o1, o2, o3)

/* The body gives an int, so that a stray `return` of any kind is there to be found. */
#define THRUM_FUNCTION_(kind, name, args, locals, o1, o2, o3)                                                          \
    THRUM_GIVES_##kind name(THRUM_PARAMS_##args) THRUM_MUST_USE_;                                                      \
    struct name##_frame {                                                                                              \
        thrum_coro coro_;                                                                                              \
        THRUM_HEAD_##kind THRUM_FIELDS_##args THRUM_DECLS_##locals THRUM_BUFFERS_##o1 THRUM_BUFFERS_##o2               \
            THRUM_BUFFERS_##o3                                                                                         \
    };                                                                                                                 \
    static inline int name##_body_(struct name##_frame *self, thrum_task *task_);                                      \
    static inline void name##_drop_(struct name##_frame *self)                                                         \
    {                                                                                                                  \
        (void)self;                                                                                                    \
        THRUM_DROP_##o1 THRUM_DROP_##o2 THRUM_DROP_##o3                                                                \
    }                                                                                                                  \
    THRUM_GIVES_##kind name(THRUM_PARAMS_##args)                                                                       \
    {                                                                                                                  \
        THRUM_GIVES_##kind made_ = {thrum_awaitable_failing(THRUM_ENOMEM).word};                                       \
        (void)name##_body_;                                                                                            \
        return made_;                                                                                                  \
    }                                                                                                                  \
    static inline int name##_body_(struct name##_frame *self, thrum_task *task_)

#define THRUM_ASYNC_BEGIN                                                                                              \
    (void)self;                                                                                                        \
    (void)task_;                                                                                                       \
    for (thrum_checking_body_();;) {
#define THRUM_ASYNC_END }
#define THRUM_FINALLY thrum_checking_finally_

#define THRUM_AWAIT(x) ((void)thrum_checking_await_("AWAIT", x))
#define THRUM_AWAIT_INTO(lvalue, x) ((void)thrum_checking_await_("AWAIT_INTO", x, lvalue))
#define THRUM_AWAIT_CATCH(err, x) ((void)thrum_checking_catch_("AWAIT_CATCH", x, err))
#define THRUM_AWAIT_CATCH_INTO(err, lvalue, x) ((void)thrum_checking_catch_("AWAIT_CATCH_INTO", x, err, lvalue))
#define THRUM_AWAIT_CATCH_ALL(err, x) ((void)thrum_checking_catch_all_("AWAIT_CATCH_ALL", x, err))
#define THRUM_AWAIT_CATCH_ALL_INTO(err, lvalue, x)                                                                     \
    ((void)thrum_checking_catch_all_("AWAIT_CATCH_ALL_INTO", x, err, lvalue))
#define THRUM_AWAIT_UNTIL(condition, event)                                                                            \
    do {                                                                                                               \
        while (!(condition))                                                                                           \
            (void)thrum_checking_await_("AWAIT_UNTIL", event);                                                         \
    } while (0)
#define THRUM_AWAIT_PUT(queue, item) ((void)thrum_checking_await_("AWAIT_PUT", THRUM_QUEUE_PUT(queue, item)))
#define THRUM_AWAIT_GET(queue, item) ((void)thrum_checking_await_("AWAIT_GET", THRUM_QUEUE_GET(queue, item)))
#define THRUM_AWAIT_LOCK(lock) ((void)thrum_checking_await_("AWAIT_LOCK", thrum_lock_acquire(lock)))
#define THRUM_AWAIT_SEMAPHORE(from) ((void)thrum_checking_await_("AWAIT_SEMAPHORE", thrum_semaphore_acquire(from)))
#define THRUM_ASYNC_RETURN(value) ((void)thrum_checking_return_("ASYNC_RETURN", value))
#define THRUM_ASYNC_RAISE(error) ((void)thrum_checking_raise_("ASYNC_RAISE", error))
#define THRUM_YIELD(value) ((void)thrum_checking_await_("YIELD", value))
#define THRUM_YIELD_INTO(lvalue, value) ((void)thrum_checking_await_("YIELD_INTO", value, lvalue))

#define THRUM_ASYNC_FOR(lvalue, iteration, iterable)                                                                   \
    for (thrum_checking_for_("ASYNC_FOR", iteration, iterable, lvalue);;)
#define THRUM_WITH(scope, enter) for (thrum_checking_with_("WITH", scope, enter);;)
#define THRUM_TRY(scope)                                                                                               \
    for (thrum_checking_try_("TRY", scope);;)                                                                          \
        if (thrum_checking_inside_())
#define THRUM_CATCH(err, scope)                                                                                        \
    else if (thrum_checking_caught_("CATCH", err, scope))                                                              \
    {}                                                                                                                 \
    else
#define THRUM_CATCH_ALL(err, scope)                                                                                    \
    else if (thrum_checking_caught_all_("CATCH_ALL", err, scope))                                                      \
    {}                                                                                                                 \
    else

#endif /* THRUM_CHECKING */

#endif
