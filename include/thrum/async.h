/**
 * @file async.h
 * Async functions: the macros that turn straight-line code with `AWAIT` into a state machine with a frame of its own.
 *
 *     static ASYNC(echo, ARGS((thrum_stream *, client), (void *, context)), LOCALS(char buf[4096]; size_t n;))
 *     {
 *         ASYNC_BEGIN;
 *         AWAIT_INTO(self->n, thrum_stream_read(self->client, self->buf, sizeof self->buf));
 *         ...
 *     FINALLY:
 *         AWAIT(thrum_stream_close(self->client));
 *         ASYNC_END;
 *     }
 *
 * defines `thrum_awaitable echo(thrum_stream *client, void *context)`. Only what is in `self->` survives an await.
 * Every macro has a twin with the prefix THRUM_; define THRUM_NO_SHORT_NAMES to have only those.
 */
#ifndef THRUM_ASYNC_H
#define THRUM_ASYNC_H

#include <thrum/arity.h>
#include <thrum/blocks.h>
#include <thrum/futures.h>
#include <thrum/locks.h>
#include <thrum/tasks.h>
#include <thrum/version.h>

/* It takes these macros for code. */
/* clang-format off */

/* ------------------------------------------------------------------------------------------------- what users write */

#ifndef THRUM_NO_SHORT_NAMES
#define ASYNC(...) THRUM_ASYNC(__VA_ARGS__)
#define ASYNC_BEGIN THRUM_ASYNC_BEGIN
#define ASYNC_END THRUM_ASYNC_END
#define ASYNC_RETURN(value) THRUM_ASYNC_RETURN(value)
#define ASYNC_RAISE(error) THRUM_ASYNC_RAISE(error)
#define AWAIT(x) THRUM_AWAIT(x)
#define AWAIT_INTO(lvalue, x) THRUM_AWAIT_INTO(lvalue, x)
#define AWAIT_CATCH(err, x) THRUM_AWAIT_CATCH(err, x)
#define AWAIT_CATCH_INTO(err, lvalue, x) THRUM_AWAIT_CATCH_INTO(err, lvalue, x)
#define AWAIT_CATCH_ALL(err, x) THRUM_AWAIT_CATCH_ALL(err, x)
#define AWAIT_CATCH_ALL_INTO(err, lvalue, x) THRUM_AWAIT_CATCH_ALL_INTO(err, lvalue, x)
#define AWAIT_UNTIL(condition, event) THRUM_AWAIT_UNTIL(condition, event)
#define WITH(scope, enter) THRUM_WITH(scope, enter)
#define TRY(scope) THRUM_TRY(scope)
#define CATCH(err, scope) THRUM_CATCH(err, scope)
#define CATCH_ALL(err, scope) THRUM_CATCH_ALL(err, scope)
#define FINALLY THRUM_FINALLY
#endif

/* The rest is what stands behind them. Names with a trailing underscore are private. */

/* ------------------------------------------------------------------------------------------- frames and descriptors */

THRUM_BEGIN_DECLS

/** Frames that one function keeps for itself: `RESERVE(n)`. Private. */
typedef struct thrum_reserve {
    void *free;
    void *frames;
    uint16_t count, fresh;
} thrum_reserve;

/** What is constant about an async function. In flash on a microcontroller. Private; see thrum_function_name(). */
struct thrum_function {
    thrum_operations operations; /* start is NULL, which tells an async function; resume is its step */
    const char *file;
    thrum_reserve *reserve;
    size_t size;     /* of a frame */
    size_t clear;    /* bytes at its beginning to be set to 0 */
    uint16_t slot;   /* the pool's size class, or THRUM_NO_SLOT_ where that takes a look */
    uint16_t line;   /* where it is defined */
};

/* Where 64-bit frames would have padding they keep how they are being left; others pack it into `resume`. */
#define THRUM_PACKED_FRAMES_ (UINTPTR_MAX <= 0xffffffff)

#define THRUM_FINE_SLOTS_ (THRUM_HOSTED ? 64 : 16)
#define THRUM_NO_SLOT_ 0xffff
#define THRUM_SLOT_(size, reserved) \
    ((uint16_t)((reserved) || (size) > THRUM_FINE_SLOTS_ * 8 ? THRUM_NO_SLOT_ : ((size) + 7) / 8 - 1))

/** The head of every frame. Private. */
struct thrum_coro {
    thrum_head head;
    thrum_coro *caller;
    thrum_value result; /* or the error, in flight while the frame is being left */
    uint32_t resume;    /* where to go on: bits 0-15 the label, 16-29 the source line */
#if !THRUM_PACKED_FRAMES_
    uint32_t leaving;
#endif
};

/* How a frame is being left: `result` is an error; FINALLY was entered. */
#if THRUM_PACKED_FRAMES_
#define THRUM_LEAVING_(coro) ((coro)->resume)
#else
#define THRUM_LEAVING_(coro) ((coro)->leaving)
#endif
#define THRUM_LABEL_MASK_ UINT32_C(0xffff)
#define THRUM_FINAL_ UINT32_C(0xffff)
#define THRUM_LINE_MASK_ UINT32_C(0x3fff)
#define THRUM_FAILED_ UINT32_C(0x40000000)
#define THRUM_IN_FINALLY_ UINT32_C(0x80000000)
#define THRUM_LINE_ ((uint32_t)(__LINE__ < 0x3fff ? __LINE__ : 0x3fff) << 16)

/* The phases of a scope. */
enum { THRUM_OVER_, THRUM_ENTERING_, THRUM_BODY_, THRUM_EXITING_ };

/* What every async function calls has the layout in its name (version.h): this costs no byte, and no linker drops
 * it. */
#define thrum_frame_new_ THRUM_ABI_NAME_(thrum_frame_new)
THRUM_API THRUM_MUST_USE_ void *thrum_frame_new_(const thrum_function *function);
#if THRUM_PACKED_FRAMES_
THRUM_API thrum_step thrum_await_(thrum_task *task, thrum_awaitable what, uint32_t resume);
#define THRUM_START_(x, resume_) thrum_await_(task_, x, resume_)
#else
THRUM_API thrum_step thrum_start_(thrum_task *task, thrum_awaitable what);
#define THRUM_START_(x, resume_) (self->coro_.resume = (resume_), thrum_start_(task_, x))
#endif
THRUM_API bool thrum_leave_(thrum_task *task, thrum_coro *coro, bool finally);
THRUM_API void thrum_return_(thrum_task *task, thrum_coro *coro, thrum_value value);
THRUM_API void thrum_raise_(thrum_task *task, thrum_coro *coro, int error, uint32_t line);
THRUM_API int thrum_take_error_(thrum_task *task);
THRUM_API void thrum_lost_(const thrum_coro *coro) THRUM_NORETURN_;
THRUM_API void thrum_scope_begin_(thrum_task *task, thrum_scope *scope);
THRUM_API void thrum_try_begin_(thrum_task *task, thrum_scope *scope, uint32_t label);
THRUM_API bool thrum_scope_entered_(thrum_task *task, thrum_scope *scope, uint32_t label);
THRUM_API void thrum_try_next_(thrum_task *task, thrum_scope *scope);
THRUM_API thrum_step thrum_scope_exit_(thrum_task *task, thrum_scope *scope, uint32_t resume);
THRUM_API bool thrum_scope_left_(thrum_task *task, thrum_scope *scope);
THRUM_API bool thrum_catch_(thrum_task *task, thrum_scope *scope, bool all);

/* The phases of a block follow one another; a block that is over stays so. */
static inline void thrum_scope_next_(thrum_scope *scope)
{
    if (scope->phase)
        scope->phase = (uint8_t)((scope->phase + 1) & 3);
}

static inline thrum_awaitable thrum_same_(thrum_awaitable what) { return what; }

THRUM_END_DECLS

#ifdef __cplusplus
#include <type_traits>
static inline thrum_awaitable thrum_of_(thrum_awaitable what) { return what; }
static inline thrum_awaitable thrum_of_(thrum_task *task) { return thrum_task_wait(task); }
static inline thrum_awaitable thrum_of_(thrum_future *future) { return thrum_future_wait(future); }
static inline thrum_awaitable thrum_of_(thrum_event *event) { return thrum_event_wait(event); }
template <class T> static inline void thrum_store_(T &to, thrum_value value)
{
    static_assert(std::is_integral<T>::value || std::is_enum<T>::value, "AWAIT_INTO stores an integer or a pointer");
    to = static_cast<T>(value);
}
template <class T> static inline void thrum_store_(T *&to, thrum_value value)
{
    to = reinterpret_cast<T *>(static_cast<intptr_t>(value));
}
template <class T> static inline thrum_value thrum_to_value_(T from) { return static_cast<thrum_value>(from); }
template <class T> static inline thrum_value thrum_to_value_(T *from)
{
    return static_cast<thrum_value>(reinterpret_cast<intptr_t>(from));
}
#define THRUM_OF_(x) thrum_of_(x)
#define THRUM_STORE_VALUE_(lvalue) thrum_store_(lvalue, task_->waiter.as.value)
#define THRUM_TO_VALUE_(value) thrum_to_value_(value)
#define THRUM_CHECK_FRAME_(name) \
    static_assert(std::is_trivially_copyable<struct name##_frame>::value && \
                      std::is_trivially_destructible<struct name##_frame>::value, \
                  "what an async function keeps in its frame must be trivial: no constructors, no destructors");
#else
#define THRUM_OF_(x) \
    _Generic((x), thrum_awaitable: thrum_same_, thrum_task *: thrum_task_wait, thrum_future *: thrum_future_wait, \
        thrum_event *: thrum_event_wait)(x)
#define THRUM_AS_(type) type : (type)task_->waiter.as.value
#define THRUM_STORE_VALUE_(lvalue) \
    (lvalue) = _Generic((lvalue), THRUM_AS_(_Bool), THRUM_AS_(char), THRUM_AS_(signed char), THRUM_AS_(unsigned char), \
        THRUM_AS_(short), THRUM_AS_(unsigned short), THRUM_AS_(int), THRUM_AS_(unsigned), THRUM_AS_(long), \
        THRUM_AS_(unsigned long), THRUM_AS_(long long), THRUM_AS_(unsigned long long), \
        default: (void *)(intptr_t)task_->waiter.as.value)
#define THRUM_TO_VALUE_(value) ((thrum_value)(value))
#define THRUM_CHECK_FRAME_(name)
#endif

/* --------------------------------------------------------------------------------------------- defining a function */

#ifdef __cplusplus
#define THRUM_FIELD_(type, name) std::remove_const_t<type> name; /* a const member would need a constructor */
#else
#define THRUM_FIELD_(type, name) type name;
#endif
#define THRUM_PARAM_(type, name) type name
#define THRUM_NAME_(type, name) name
#define THRUM_STORE_(type, name) \
    thrum_copy_((void *)&frame_->name, (const void *)THRUM_BYTES_(frame_->name, name), sizeof frame_->name);

/* Where the bytes of an argument are: an array (by typedef) came as a pointer to them. */
#ifdef __cplusplus
template <class T, class U> static inline const void *thrum_bytes_(const T &, const U &from) { return &from; }
template <class T, size_t n, class U> static inline const void *thrum_bytes_(const T (&)[n], U *const &from)
{
    return from;
}
#define THRUM_BYTES_(field, name) thrum_bytes_(field, name)
#elif defined(__GNUC__)
#define THRUM_BYTES_(field, name) \
    __builtin_choose_expr(__builtin_types_compatible_p(__typeof__(field), __typeof__(name)), &name, name)
#else
#define THRUM_BYTES_(field, name) &name
#endif

#define THRUM_FIELDS_ARGS(...) THRUM_PASTE_(THRUM_EACH_, THRUM_COUNT_(__VA_ARGS__))(THRUM_FIELD_, __VA_ARGS__)
#define THRUM_PARAMS_ARGS(...) THRUM_PASTE_(THRUM_LIST_, THRUM_COUNT_(__VA_ARGS__))(THRUM_PARAM_, __VA_ARGS__)
#define THRUM_STORES_ARGS(...) THRUM_PASTE_(THRUM_EACH_, THRUM_COUNT_(__VA_ARGS__))(THRUM_STORE_, __VA_ARGS__)
#define THRUM_NAMES_ARGS(...) \
    enum { THRUM_PASTE_(THRUM_LIST_, THRUM_COUNT_(__VA_ARGS__))(THRUM_NAME_, __VA_ARGS__) };
#define THRUM_FIELDS_ARGS_NONE
#define THRUM_PARAMS_ARGS_NONE void
#define THRUM_STORES_ARGS_NONE
#define THRUM_NAMES_ARGS_NONE
#define THRUM_DECLS_LOCALS(...) __VA_ARGS__
#define THRUM_DECLS_LOCALS_NONE
#define THRUM_FIELDS_THRUM_ARGS(...) THRUM_FIELDS_ARGS(__VA_ARGS__)
#define THRUM_PARAMS_THRUM_ARGS(...) THRUM_PARAMS_ARGS(__VA_ARGS__)
#define THRUM_STORES_THRUM_ARGS(...) THRUM_STORES_ARGS(__VA_ARGS__)
#define THRUM_NAMES_THRUM_ARGS(...) THRUM_NAMES_ARGS(__VA_ARGS__)
#define THRUM_FIELDS_THRUM_ARGS_NONE
#define THRUM_PARAMS_THRUM_ARGS_NONE void
#define THRUM_STORES_THRUM_ARGS_NONE
#define THRUM_NAMES_THRUM_ARGS_NONE
#define THRUM_DECLS_THRUM_LOCALS(...) __VA_ARGS__
#define THRUM_DECLS_THRUM_LOCALS_NONE

/* The options BUFFERS(decls;), ON_DROP(statements) and RESERVE(count), in any order: each table has a row an option. */
#define THRUM_BUFFERS_BUFFERS(...) unsigned char thrum_buffers_; __VA_ARGS__
#define THRUM_BUFFERS_ON_DROP(...)
#define THRUM_BUFFERS_RESERVE(...)
#define THRUM_BUFFERS_NONE_
#define THRUM_CLEAR_BUFFERS(...) BUFFERS_
#define THRUM_CLEAR_ON_DROP(...)
#define THRUM_CLEAR_RESERVE(...)
#define THRUM_CLEAR_NONE_
#define THRUM_DROP_BUFFERS(...)
#define THRUM_DROP_ON_DROP(...) __VA_ARGS__
#define THRUM_DROP_RESERVE(...)
#define THRUM_DROP_NONE_
#define THRUM_HAS_DROP_BUFFERS(...)
#define THRUM_HAS_DROP_ON_DROP(...) +1
#define THRUM_HAS_DROP_RESERVE(...)
#define THRUM_HAS_DROP_NONE_
#define THRUM_COUNT_BUFFERS(...)
#define THRUM_COUNT_ON_DROP(...)
#define THRUM_COUNT_RESERVE(...) +(__VA_ARGS__)
#define THRUM_COUNT_NONE_
#define THRUM_BUFFERS_THRUM_BUFFERS(...) THRUM_BUFFERS_BUFFERS(__VA_ARGS__)
#define THRUM_BUFFERS_THRUM_ON_DROP(...)
#define THRUM_BUFFERS_THRUM_RESERVE(...)
#define THRUM_CLEAR_THRUM_BUFFERS(...) BUFFERS_
#define THRUM_CLEAR_THRUM_ON_DROP(...)
#define THRUM_CLEAR_THRUM_RESERVE(...)
#define THRUM_DROP_THRUM_BUFFERS(...)
#define THRUM_DROP_THRUM_ON_DROP(...) __VA_ARGS__
#define THRUM_DROP_THRUM_RESERVE(...)
#define THRUM_HAS_DROP_THRUM_BUFFERS(...)
#define THRUM_HAS_DROP_THRUM_ON_DROP(...) +1
#define THRUM_HAS_DROP_THRUM_RESERVE(...)
#define THRUM_COUNT_THRUM_BUFFERS(...)
#define THRUM_COUNT_THRUM_ON_DROP(...)
#define THRUM_COUNT_THRUM_RESERVE(...) +(__VA_ARGS__)

/* What is cleared of a frame: all of it, or all up to its buffers. */
#define THRUM_CLEARED_(k1, k2, k3) THRUM_CLEARED2_(k1, k2, k3)
#define THRUM_CLEARED2_(k1, k2, k3) THRUM_CLEARED_BYTES_##k1##k2##k3
#define THRUM_CLEARED_BYTES_(name) sizeof(struct name##_frame)
#define THRUM_CLEARED_BYTES_BUFFERS_(name) offsetof(struct name##_frame, thrum_buffers_)

#if defined(__GNUC__)
#define thrum_copy_(to, from, size) __builtin_memcpy(to, from, size)
#define thrum_clear_(to, size) __builtin_memset(to, 0, size)
#else
#include <string.h>
#define thrum_copy_(to, from, size) memcpy(to, from, size)
#define thrum_clear_(to, size) memset(to, 0, size)
#endif

#ifdef THRUM_CHECKING
#include <thrum/checking.h>
#else

#define THRUM_ASYNC(...) THRUM_ASYNC_PAD_(__VA_ARGS__, NONE_, NONE_, NONE_, )
#define THRUM_ASYNC_PAD_(name, args, locals, o1, o2, o3, ...) THRUM_ASYNC_(name, args, locals, o1, o2, o3)

/* The prototype comes first: a `static` in front of ASYNC lands on it, and the definition inherits it. */
#define THRUM_ASYNC_(name, args, locals, o1, o2, o3) \
    thrum_awaitable name(THRUM_PARAMS_##args) THRUM_MUST_USE_; \
    struct name##_args { \
        thrum_coro coro_; \
        THRUM_FIELDS_##args \
    }; \
    struct name##_frame { \
        thrum_coro coro_; \
        THRUM_FIELDS_##args \
        THRUM_DECLS_##locals \
        THRUM_BUFFERS_##o1 THRUM_BUFFERS_##o2 THRUM_BUFFERS_##o3 \
    }; \
    THRUM_CHECK_FRAME_(name) \
    enum { \
        name##_reserved_ = 0 THRUM_COUNT_##o1 THRUM_COUNT_##o2 THRUM_COUNT_##o3, \
        name##_has_drop_ = 0 THRUM_HAS_DROP_##o1 THRUM_HAS_DROP_##o2 THRUM_HAS_DROP_##o3 \
    }; \
    static inline thrum_step name##_body_(struct name##_frame *self, thrum_task *task_) THRUM_NOEXCEPT_; \
    static thrum_step name##_step_(thrum_task *task_) THRUM_NOEXCEPT_ \
    { \
        return name##_body_((struct name##_frame *)(void *)task_->leaf, task_); \
    } \
    THRUM_UNUSED_ static void name##_drop_(thrum_record *record_) \
    { \
        struct name##_args *self = (struct name##_args *)(void *)record_; \
        (void)self; \
        THRUM_DROP_##o1 THRUM_DROP_##o2 THRUM_DROP_##o3 \
    } \
    THRUM_UNUSED_ static struct name##_frame name##_frames_[name##_reserved_ ? name##_reserved_ : 1]; \
    THRUM_UNUSED_ static thrum_reserve name##_reserve_ = { 0, name##_frames_, name##_reserved_, 0 }; \
    static const thrum_function name##_function_ = { \
        { 0, name##_step_, 0, name##_has_drop_ ? name##_drop_ : 0, #name }, \
        __FILE__, \
        name##_reserved_ ? &name##_reserve_ : 0, \
        sizeof(struct name##_frame), \
        (THRUM_CLEARED_(THRUM_CLEAR_##o1, THRUM_CLEAR_##o2, THRUM_CLEAR_##o3)(name)), \
        THRUM_SLOT_(sizeof(struct name##_frame), name##_reserved_), \
        (uint16_t)(__LINE__ & 0xffff) \
    }; \
    THRUM_UNUSED_ static inline void name##_names_(void) { THRUM_NAMES_##args } \
    thrum_awaitable name(THRUM_PARAMS_##args) \
    { \
        thrum_awaitable made_; \
        struct name##_frame *new_ = (struct name##_frame *)thrum_frame_new_(&name##_function_); \
        if (THRUM_UNLIKELY_(!new_)) { \
            if (name##_has_drop_) { \
                struct name##_args args_, *frame_ = &args_; \
                thrum_clear_(frame_, sizeof *frame_); \
                THRUM_STORES_##args \
                name##_drop_((thrum_record *)(void *)frame_); \
            } \
            return thrum_awaitable_failing(THRUM_ENOMEM); \
        } \
        { \
            struct name##_frame *frame_ = new_; \
            thrum_clear_((void *)frame_, name##_function_.clear); \
            frame_->coro_.head.operations = &name##_function_.operations; \
            THRUM_STORES_##args \
        } \
        made_.word = (uintptr_t)(void *)new_; \
        return made_; \
    } \
    static inline thrum_step name##_body_(struct name##_frame *self, thrum_task *task_) THRUM_NOEXCEPT_

/* ------------------------------------------------------------------------------------------------------- the body */

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

/* A label is a case of a switch on a biased number: a body's own switch, in which an await would be lost, does not
 * reach it by chance, and where numbers are wider than int the compiler says so. */
#if THRUM_WIDE_SWITCH
#define THRUM_BIAS_ 0x5448524d0000LL
#define THRUM_SWITCH_(resume) (THRUM_BIAS_ + (long long)((resume)&THRUM_LABEL_MASK_))
#else
#define THRUM_BIAS_ 0x54480000L
#define THRUM_SWITCH_(resume) (THRUM_BIAS_ + (long)((resume)&THRUM_LABEL_MASK_))
#endif
/* The counter at ASYNC_BEGIN. Its name is what a compiler says when there was none. */
#define THRUM_CASE_(k) case THRUM_BIAS_ + ((k) - ASYNC_BEGIN_is_missing_)
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

/* Control is at `leave_` when the frame is being left, by an error or a return. thrum_leave_() says where to go next,
 * in `resume`: to a TRY, to the exit of a block, to FINALLY. The step returns, and the scheduler enters it there at
 * once. */
#define THRUM_ASYNC_BEGIN \
    THRUM_STRICT_BEGIN_ \
    enum { ASYNC_BEGIN_is_missing_ = THRUM_COUNTER_, thrum_has_finally_ = 0 }; \
    switch (THRUM_SWITCH_(self->coro_.resume)) { \
    case THRUM_BIAS_:

/* Shadows the constant of ASYNC_BEGIN, which ASYNC_END then reads: a body without FINALLY is left without a detour. */
#define THRUM_FINALLY \
    goto leave_; \
    THRUM_SHADOW_BEGIN_ \
    enum { thrum_has_finally_ = 1 }; \
    THRUM_SHADOW_END_ \
    case THRUM_BIAS_ + THRUM_FINAL_

#define THRUM_ASYNC_END \
    if (THRUM_LIKELY_(task_->scopes == 0) || task_->scopes->owner != &self->coro_) \
        goto end_; \
    goto leave_; \
    default: \
        if ((self->coro_.resume & THRUM_LABEL_MASK_) == THRUM_FINAL_) \
            goto end_; \
        thrum_lost_(&self->coro_); \
    leave_: \
        if (!thrum_leave_(task_, &self->coro_, thrum_has_finally_)) \
            return thrum_again_(); \
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

static inline thrum_step thrum_again_(void)
{
    thrum_step step = { THRUM_CALLED_ };
    return step;
}

/* Start to wait; go on at label k, at once or when woken. */
#define THRUM_PARK_(x, k) THRUM_PARK_STEP_(THRUM_START_(x, THRUM_LABEL_(k) | THRUM_LINE_), k)
#define THRUM_PARK_STEP_(start, k) \
    { \
        thrum_step step_ = start; \
        if (step_.what) \
            return step_; \
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

#endif /* THRUM_CHECKING */

/* clang-format on */

#endif
