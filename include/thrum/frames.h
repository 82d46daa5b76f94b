/**
 * @file frames.h
 * What stands behind the macros of async.h: the frame of an async function that runs, what is constant about the
 * function, and how values go into and out of an await. Nothing here is for users; names with a trailing underscore are
 * private.
 */
#ifndef THRUM_FRAMES_H
#define THRUM_FRAMES_H

#include <thrum/arity.h>
#include <thrum/blocks.h>
#include <thrum/futures.h>
#include <thrum/locks.h>
#include <thrum/tasks.h>
#include <thrum/typedqueues.h>
#include <thrum/version.h>

/* It takes these macros for code. */
/* clang-format off */

THRUM_BEGIN_DECLS

/* Where 64-bit frames would have padding they keep how they are being left; others pack it into `resume`. */
#define THRUM_PACKED_FRAMES_ (UINTPTR_MAX <= 0xffffffff)

/** Frames that one function keeps for itself: `RESERVE(n)`. Private. */
typedef struct thrum_reserve {
    void *free;
    void *frames;
    uint16_t count, fresh;
} thrum_reserve;

#if THRUM_SMALL
/** How frames that do not just come from the pool are taken and given back: it is linked in with the functions that
 * have such ones. Private. */
typedef struct thrum_store {
    void *(*take)(const thrum_function *function);                  /* NULL: none is left here */
    bool (*give)(thrum_coro *coro, const thrum_function *function); /* false: it is the pool's */
    thrum_reserve *reserve;
} thrum_store;
#else
typedef thrum_reserve thrum_store;
#endif

/** What is constant about an async function. In flash on a microcontroller. Private; see thrum_function_name(). */
struct thrum_function {
    thrum_operations operations; /* start is NULL, which tells an async function; resume is its step */
    const char *file;
#if THRUM_SMALL
    const thrum_store *reserve;
#else
    thrum_store *reserve;
#endif
    size_t size;     /* of a frame */
    size_t clear;    /* bytes at its beginning to be set to 0 */
    uint16_t slot;   /* the pool's size class, or THRUM_NO_SLOT_ where that takes a look */
    uint16_t line;   /* where it is defined */
};

#define THRUM_FINE_SLOTS_ (THRUM_HOSTED ? 64 : 16)
#define THRUM_NO_SLOT_ 0xffff
#define THRUM_SLOT_(size, reserved) \
    ((uint16_t)((reserved) || (size) > THRUM_FINE_SLOTS_ * 8 ? THRUM_NO_SLOT_ : ((size) + 7) / 8 - 1))

/** The head of every frame. Private. */
struct thrum_coro {
    THRUM_ALIGNED_ thrum_head head;
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
#if THRUM_NAMES
#define THRUM_LINE_ ((uint32_t)(__LINE__ < 0x3fff ? __LINE__ : 0x3fff) << 16)
#else
#define THRUM_LINE_ UINT32_C(0) /* nobody asks, and small numbers take less code */
#endif

/* The phases of a scope. */
enum { THRUM_OVER_, THRUM_ENTERING_, THRUM_BODY_, THRUM_EXITING_ };

/* What every async function calls has the layout in its name (version.h): this costs no byte, and no linker drops
 * it. */
#define thrum_frame_new_ THRUM_ABI_NAME_(thrum_frame_new)
#define thrum_frame_begun_ THRUM_ABI_NAME_(thrum_frame_begun)
/* A frame of which the header is made, where the least code is wanted all that is to be cleared; NULL where there is no
 * memory. And one that is nothing but this, as an awaitable, which then fails. */
THRUM_API THRUM_MUST_USE_ void *thrum_frame_new_(const thrum_function *function);
THRUM_API thrum_awaitable thrum_frame_begun_(const thrum_function *function) THRUM_MUST_USE_;
THRUM_API thrum_awaitable thrum_no_frame_(void) THRUM_MUST_USE_;
#if THRUM_SMALL
void *thrum_reserve_take_(const thrum_function *function);
bool thrum_reserve_give_(thrum_coro *coro, const thrum_function *function);
#define THRUM_KEPT_(name) \
    THRUM_UNUSED_ static const thrum_store name##_store_ = { thrum_reserve_take_, thrum_reserve_give_, \
                                                             &name##_reserve_ };
#define THRUM_KEPT_OF_(name) name##_store_
#else
#define THRUM_KEPT_(name)
#define THRUM_KEPT_OF_(name) name##_reserve_
#endif
#if THRUM_PACKED_FRAMES_
THRUM_API thrum_step thrum_await_(thrum_task *task, thrum_awaitable what, uint32_t resume);
#define THRUM_START_(x, resume_) thrum_await_(task_, x, resume_)
#else
THRUM_API thrum_step thrum_start_(thrum_task *task, thrum_awaitable what);
#define THRUM_START_(x, resume_) (self->coro_.resume = (resume_), thrum_start_(task_, x))
#endif
THRUM_API bool thrum_leave_(thrum_task *task, thrum_coro *coro, bool finally);
THRUM_API thrum_step thrum_leave_step_(thrum_task *task, bool finally);
THRUM_API void thrum_return_(thrum_task *task, thrum_coro *coro, thrum_value value);
THRUM_API void thrum_raise_(thrum_task *task, thrum_coro *coro, int error, uint32_t line);
THRUM_API int thrum_take_error_(thrum_task *task);
THRUM_API thrum_step thrum_lost_(const thrum_coro *coro); /* never returns; a step that says so takes more code */
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

/* Go on at once with what was taken; else begin to wait for it. */
static inline thrum_step thrum_taken_(thrum_task *task)
{
    thrum_step step = { THRUM_DONE_ };
    task->waiter.node.error = 0;
    return step;
}
static inline thrum_step thrum_wait_from_(thrum_task *task, thrum_coro *coro, thrum_awaitable what, uint32_t resume)
{
#if THRUM_PACKED_FRAMES_
    (void)coro;
    return thrum_await_(task, what, resume);
#else
    coro->resume = resume;
    return thrum_start_(task, what);
#endif
}
static inline thrum_step thrum_take_lock_(thrum_task *task, thrum_coro *coro, thrum_lock *lock, uint32_t resume)
{
    return THRUM_LIKELY_(thrum_lock_try(lock)) ? thrum_taken_(task)
                                               : thrum_wait_from_(task, coro, thrum_lock_acquire(lock), resume);
}
static inline thrum_step thrum_take_unit_(thrum_task *task, thrum_coro *coro, thrum_semaphore *from, uint32_t resume)
{
    return THRUM_LIKELY_(thrum_semaphore_try(from))
               ? thrum_taken_(task)
               : thrum_wait_from_(task, coro, thrum_semaphore_acquire(from), resume);
}

#if !THRUM_PACKED_FRAMES_
static inline thrum_step thrum_queue_put_(thrum_task *task, thrum_coro *coro, thrum_queue *queue, const void *item,
                                          size_t size, uint32_t resume)
{
    if (THRUM_LIKELY_(thrum_queue_put_fast_(queue, item, size)))
        return thrum_taken_(task);
    coro->resume = resume;
    return thrum_queue_put_or_wait_(task, queue, item);
}
static inline thrum_step thrum_queue_get_(thrum_task *task, thrum_coro *coro, thrum_queue *queue, void *item,
                                          size_t size, uint32_t resume)
{
    if (THRUM_LIKELY_(thrum_queue_get_fast_(queue, item, size)))
        return thrum_taken_(task);
    coro->resume = resume;
    return thrum_queue_get_or_wait_(task, queue, item);
}
#endif

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

/* clang-format on */

#endif
