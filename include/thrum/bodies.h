/**
 * @file bodies.h
 * What the macros in the body of an async function come to: the cases of one switch. Private.
 */
#ifndef THRUM_BODIES_H
#define THRUM_BODIES_H

#include <thrum/frames.h>

/* It takes these macros for code. */
/* clang-format off */

/* Labels count from 1 in each function, by __COUNTER__; without it they are lines, and one await a line is the
 * limit. */
#ifdef __COUNTER__
#define THRUM_COUNTER_ __COUNTER__
#define THRUM_COUNTER2_ __COUNTER__
#define THRUM_COUNTER3_ __COUNTER__
#else
#define THRUM_COUNTER_ (__LINE__ * 4)
#define THRUM_COUNTER2_ (__LINE__ * 4 + 1)
#define THRUM_COUNTER3_ (__LINE__ * 4 + 2)
#endif

/* Labels are cases of one switch. In a body's own switch, in which an await would be lost, they have no place: where
 * numbers are wider than int, each has a second number that fits no int, so the compiler says so. The switch of the
 * body never comes to that one, and an optimising compiler sees it: such a label costs nothing. Elsewhere all numbers
 * are biased, so that a body's own switch does not reach them by chance. Where the least code is wanted they are plain
 * ones; a build for debugging, or for a host, finds what they do not. */
#if THRUM_WIDE_SWITCH
#define THRUM_SWITCH_(resume) ((long long)((resume)&THRUM_LABEL_MASK_))
#define THRUM_NUMBER_(n) case 0x5448524d0000LL + (n): case (n)
#elif THRUM_SMALL && !THRUM_DEBUG
#define THRUM_SWITCH_(resume) ((uint16_t)(resume))
#define THRUM_NUMBER_(n) case (n)
#else
#define THRUM_SWITCH_(resume) (0x54480000L + (long)((resume)&THRUM_LABEL_MASK_))
#define THRUM_NUMBER_(n) case 0x54480000L + (n)
#endif
/* The counter at ASYNC_BEGIN. Its name is what a compiler says when there was none. */
#define THRUM_CASE_(k) THRUM_NUMBER_((k) - ASYNC_BEGIN_is_missing_)
#define THRUM_LABEL_(k) ((uint32_t)((k) - ASYNC_BEGIN_is_missing_))

#if defined(__GNUC__)
#define THRUM_STRICT_BEGIN_ \
    _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic error \"-Wreturn-type\"") \
        _Pragma("GCC diagnostic error \"-Woverflow\"")
#define THRUM_STRICT_END_ _Pragma("GCC diagnostic pop")
#define THRUM_SHADOW_BEGIN_ _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wshadow\"")
#define THRUM_SHADOW_END_ _Pragma("GCC diagnostic pop")
#else
#define THRUM_STRICT_BEGIN_
#define THRUM_STRICT_END_
#define THRUM_SHADOW_BEGIN_
#define THRUM_SHADOW_END_
#endif

/* Control is at `leave_` when the frame is being left, by an error or a return. thrum_leave_step_() says where to go
 * next, in `resume`: to a TRY, to the exit of a block, to FINALLY. The step returns, and the scheduler enters it there
 * at once. */
#define THRUM_ASYNC_BEGIN \
    THRUM_STRICT_BEGIN_ \
    enum { ASYNC_BEGIN_is_missing_ = THRUM_COUNTER_, thrum_has_finally_ = 0 }; \
    switch (THRUM_SWITCH_(self->coro_.resume)) { \
    THRUM_NUMBER_(0):

/* Shadows the constant of ASYNC_BEGIN, which ASYNC_END then reads: a body without FINALLY is left without a detour. */
#define THRUM_FINALLY \
    goto leave_; \
    THRUM_SHADOW_BEGIN_ \
    enum { thrum_has_finally_ = 1 }; \
    THRUM_SHADOW_END_ \
    THRUM_NUMBER_((uint16_t)THRUM_FINAL_)

#define THRUM_ASYNC_END \
    if (THRUM_LIKELY_(task_->scopes == 0) || task_->scopes->owner != THRUM_FRAME_) \
        goto end_; \
    goto leave_; \
    default: \
        return thrum_lost_(THRUM_FRAME_); \
    leave_: \
        return thrum_leave_step_(task_, thrum_has_finally_); \
        } \
        THRUM_STATIC_ASSERT_(THRUM_COUNTER_ - ASYNC_BEGIN_is_missing_ < 65000, \
                             "too many awaits in one async function"); \
    end_: \
        THRUM_STRICT_END_ \
        return thrum_ended_()

static inline thrum_step thrum_ended_(void)
{
    thrum_step step = { THRUM_DONE_ };
    return step;
}

/* The frame is the task's leaf. Read from there, after an await that was done at once and at the end, it takes no
 * register, which a step would have to save; where the least code is wanted it does, which is less. */
#if THRUM_SMALL
#define THRUM_FRAME_ &self->coro_
#define THRUM_SELF_AGAIN_
#elif defined(__cplusplus)
#define THRUM_FRAME_ task_->leaf
#define THRUM_SELF_AGAIN_ self = static_cast<decltype(self)>(static_cast<void *>(task_->leaf));
#else
#define THRUM_FRAME_ task_->leaf
#define THRUM_SELF_AGAIN_ self = (void *)task_->leaf;
#endif

/* Start to wait; go on at label k, at once or when woken. */
#define THRUM_PARK_(x, k) THRUM_PARK_FROM_(THRUM_START_(x, THRUM_LABEL_(k) | THRUM_LINE_), k, THRUM_SELF_AGAIN_)
#define THRUM_PARK_STEP_(start, k) THRUM_PARK_FROM_(start, k, )
#define THRUM_PARK_FROM_(start, k, again) \
    { \
        thrum_step step_ = start; \
        if (step_.what) \
            return step_; \
        again \
    } \
    THRUM_FALLTHROUGH_; \
    THRUM_CASE_(k):

#define THRUM_AWAIT(x) THRUM_AWAIT_(x, THRUM_COUNTER_)
#define THRUM_AWAIT_(x, k) \
    do { \
        THRUM_PARK_(THRUM_OF_(x), k) \
        if (THRUM_UNLIKELY_(task_->waiter.node.error)) \
            goto leave_; \
    } while (0)

#define THRUM_AWAIT_INTO(lvalue, x) THRUM_AWAIT_INTO_(lvalue, x, THRUM_COUNTER_)
#define THRUM_AWAIT_INTO_(lvalue, x, k) \
    do { \
        THRUM_STATIC_ASSERT_(sizeof(lvalue) <= sizeof(thrum_value), "too wide for the result of an await"); \
        THRUM_PARK_(THRUM_OF_(x), k) \
        if (THRUM_UNLIKELY_(task_->waiter.node.error)) \
            goto leave_; \
        THRUM_STORE_VALUE_(lvalue); \
    } while (0)

#define THRUM_AWAIT_CATCH(err, x) THRUM_AWAIT_CATCH_(err, x, THRUM_COUNTER_)
#define THRUM_AWAIT_CATCH_(err, x, k) \
    do { \
        THRUM_PARK_(THRUM_OF_(x), k) \
        if (task_->waiter.node.error == THRUM_ECANCELED) \
            goto leave_; \
        (err) = thrum_take_error_(task_); \
    } while (0)

#define THRUM_AWAIT_CATCH_INTO(err, lvalue, x) THRUM_AWAIT_CATCH_INTO_(err, lvalue, x, THRUM_COUNTER_)
#define THRUM_AWAIT_CATCH_INTO_(err, lvalue, x, k) \
    do { \
        THRUM_STATIC_ASSERT_(sizeof(lvalue) <= sizeof(thrum_value), "too wide for the result of an await"); \
        THRUM_PARK_(THRUM_OF_(x), k) \
        if (task_->waiter.node.error == THRUM_ECANCELED) \
            goto leave_; \
        if (((err) = thrum_take_error_(task_)) == 0) \
            THRUM_STORE_VALUE_(lvalue); \
    } while (0)

#define THRUM_AWAIT_CATCH_ALL(err, x) THRUM_AWAIT_CATCH_ALL_(err, x, THRUM_COUNTER_)
#define THRUM_AWAIT_CATCH_ALL_(err, x, k) \
    do { \
        THRUM_PARK_(THRUM_OF_(x), k)(err) = thrum_take_error_(task_); \
    } while (0)

#define THRUM_AWAIT_CATCH_ALL_INTO(err, lvalue, x) THRUM_AWAIT_CATCH_ALL_INTO_(err, lvalue, x, THRUM_COUNTER_)
#define THRUM_AWAIT_CATCH_ALL_INTO_(err, lvalue, x, k) \
    do { \
        THRUM_STATIC_ASSERT_(sizeof(lvalue) <= sizeof(thrum_value), "too wide for the result of an await"); \
        THRUM_PARK_(THRUM_OF_(x), k) if (((err) = thrum_take_error_(task_)) == 0) \
            THRUM_STORE_VALUE_(lvalue); \
    } while (0)

#define THRUM_AWAIT_UNTIL(condition, event) THRUM_AWAIT_UNTIL_(condition, event, THRUM_COUNTER_)
#define THRUM_AWAIT_UNTIL_(condition, event, k) \
    do { \
        while (!(condition)) { \
            THRUM_PARK_(THRUM_OF_(event), k) \
            if (THRUM_UNLIKELY_(task_->waiter.node.error)) \
                goto leave_; \
        } \
    } while (0)

/* The same as AWAIT of the acquire function, but what is free is taken without a call. */
#if !THRUM_INLINE_AWAITS
#define THRUM_AWAIT_LOCK(lock) THRUM_AWAIT(thrum_lock_acquire(lock))
#define THRUM_AWAIT_SEMAPHORE(semaphore) THRUM_AWAIT(thrum_semaphore_acquire(semaphore))
#else
#define THRUM_AWAIT_LOCK(lock) THRUM_AWAIT_TAKE_(thrum_take_lock_, lock, THRUM_COUNTER_)
#define THRUM_AWAIT_SEMAPHORE(semaphore) THRUM_AWAIT_TAKE_(thrum_take_unit_, semaphore, THRUM_COUNTER_)
#define THRUM_AWAIT_TAKE_(take, from, k) \
    do { \
        THRUM_PARK_STEP_(take(task_, &self->coro_, from, THRUM_LABEL_(k) | THRUM_LINE_), k) \
        if (THRUM_UNLIKELY_(task_->waiter.node.error)) \
            goto leave_; \
    } while (0)
#endif

/* The same as AWAIT of QUEUE_PUT and QUEUE_GET (typedqueues.h), with the usual way inline, where code has room. When
 * the task was woken it looks again, which evaluates no argument again. */
#if THRUM_PACKED_FRAMES_ || !THRUM_INLINE_AWAITS
#define THRUM_AWAIT_PUT(queue, item) THRUM_AWAIT(THRUM_QUEUE_PUT(queue, item))
#define THRUM_AWAIT_GET(queue, item) THRUM_AWAIT(THRUM_QUEUE_GET(queue, item))
#else
#define THRUM_AWAIT_PUT(queue, item) THRUM_AWAIT_MOVE_(put, queue, item, THRUM_COUNTER_)
#define THRUM_AWAIT_GET(queue, item) THRUM_AWAIT_MOVE_(get, queue, item, THRUM_COUNTER_)
#define THRUM_AWAIT_MOVE_(way, q, item, k) \
    do { \
        { \
            thrum_step step_ = \
                thrum_queue_##way##_(task_, &self->coro_, &(q)->queue, THRUM_ITEM_(q, item), sizeof *(item), \
                                     THRUM_LABEL_(k) | THRUM_LINE_); \
            if (step_.what) \
                return step_; \
        } \
        if (0) { \
            THRUM_CASE_(k): if (!task_->waiter.node.error) \
            { \
                thrum_step step_ = thrum_queue_##way##_again_(task_); \
                if (step_.what) \
                    return step_; \
            } \
        } \
        if (THRUM_UNLIKELY_(task_->waiter.node.error)) \
            goto leave_; \
    } while (0)
#endif

#define THRUM_ASYNC_RETURN(value) \
    do { \
        thrum_return_(task_, &self->coro_, THRUM_TO_VALUE_(value)); \
        goto leave_; \
    } while (0)

#define THRUM_ASYNC_RAISE(error) \
    do { \
        thrum_raise_(task_, &self->coro_, (error), THRUM_LINE_); \
        goto leave_; \
    } while (0)

/* Two loops: the inner one runs the phases of the block one after the other; the outer one is there so that a `break`
 * in the block still comes to the exit. */
#define THRUM_WITH(scope, enter) THRUM_WITH_(scope, enter, THRUM_COUNTER_, THRUM_COUNTER2_, THRUM_COUNTER3_)
#define THRUM_WITH_(s, enter, k1, k2, k3) \
    for (thrum_scope_begin_(task_, &(s).scope); (s).scope.phase; thrum_scope_next_(&(s).scope)) \
        for (; (s).scope.phase; thrum_scope_next_(&(s).scope)) \
            if ((s).scope.phase == THRUM_ENTERING_) { \
                THRUM_PARK_(THRUM_OF_(enter), k1) \
                if (thrum_scope_entered_(task_, &(s).scope, THRUM_LABEL_(k2))) \
                    goto leave_; \
            } else if ((s).scope.phase == THRUM_EXITING_) { \
                if (task_->scopes != &(s).scope) \
                    goto leave_; /* a goto left a block inside this one open: its exit comes first */ \
                THRUM_CASE_(k2): \
                THRUM_PARK_STEP_(thrum_scope_exit_(task_, &(s).scope, THRUM_LABEL_(k3) | THRUM_LINE_), k3) \
                if (thrum_scope_left_(task_, &(s).scope)) \
                    goto leave_; \
            } else

#define THRUM_TRY(scope) THRUM_TRY_(scope, THRUM_COUNTER_)
#define THRUM_TRY_(s, k) \
    for (thrum_try_begin_(task_, &(s).scope, THRUM_LABEL_(k)); (s).scope.phase; thrum_try_next_(task_, &(s).scope)) \
        for (; (s).scope.phase; thrum_try_next_(task_, &(s).scope)) \
            THRUM_CASE_(k): if ((s).scope.phase == THRUM_BODY_)

#define THRUM_CATCH(err, s) \
    else if (thrum_catch_(task_, &(s).scope, false)) goto leave_; \
    else if (((err) = (s).scope.error), 0) { \
    } else

#define THRUM_CATCH_ALL(err, s) \
    else if (thrum_catch_(task_, &(s).scope, true)) goto leave_; \
    else if (((err) = (s).scope.error), 0) { \
    } else

/* clang-format on */

#endif
