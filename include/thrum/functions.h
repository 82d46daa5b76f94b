/**
 * @file functions.h
 * What ASYNC makes of its arguments: the structs of a frame, the plain C function that takes one, the descriptor.
 * Private.
 */
#ifndef THRUM_FUNCTIONS_H
#define THRUM_FUNCTIONS_H

#include <thrum/frames.h>

/* It takes these macros for code. */
/* clang-format off */

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
#define THRUM_ANY_ARGS(...) 1
#define THRUM_ANY_ARGS_NONE 0
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
#define THRUM_ANY_THRUM_ARGS(...) 1
#define THRUM_ANY_THRUM_ARGS_NONE 0
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

/* What is special of an async function, and in generators.h of a generator: what it gives, what its frame begins with
 * behind the head, and what becomes of a step. */
#define THRUM_GIVES_ASYNC_ thrum_awaitable
#define THRUM_HEAD_ASYNC_
#define THRUM_STEP_ASYNC_(task, step) step


/* What thrum_frame_new_() has not done to a frame; and whether that is nothing. */
#if THRUM_SMALL
#define THRUM_BEGIN_FRAME_(frame, function)
#define THRUM_IS_MADE_(function) true
#else
#define THRUM_BEGIN_FRAME_(frame, function) \
    thrum_clear_((char *)(void *)frame + sizeof(thrum_coro), function.clear - sizeof(thrum_coro));
#define THRUM_IS_MADE_(function) (function.clear == sizeof(thrum_coro))
#endif

#ifndef THRUM_CHECKING

#define THRUM_ASYNC(...) THRUM_ASYNC_PAD_(ASYNC_, __VA_ARGS__, NONE_, NONE_, NONE_, )
#define THRUM_ASYNC_PAD_(kind, name, args, locals, o1, o2, o3, ...) \
    THRUM_FUNCTION_(kind, name, args, locals, o1, o2, o3)

/* The prototype comes first: a `static` in front of ASYNC lands on it, and the definition inherits it. */
#define THRUM_FUNCTION_(kind, name, args, locals, o1, o2, o3) \
    THRUM_GIVES_##kind name(THRUM_PARAMS_##args) THRUM_MUST_USE_; \
    struct name##_args { \
        thrum_coro coro_; \
        THRUM_HEAD_##kind \
        THRUM_FIELDS_##args \
    }; \
    struct name##_frame { \
        thrum_coro coro_; \
        THRUM_HEAD_##kind \
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
        return THRUM_STEP_##kind(task_, name##_body_((struct name##_frame *)(void *)task_->leaf, task_)); \
    } \
    THRUM_UNUSED_ static void name##_drop_(thrum_record *record_) \
    { \
        struct name##_args *self = (struct name##_args *)(void *)record_; \
        (void)self; \
        THRUM_DROP_##o1 THRUM_DROP_##o2 THRUM_DROP_##o3 \
    } \
    THRUM_UNUSED_ static struct name##_frame name##_frames_[name##_reserved_ ? name##_reserved_ : 1]; \
    THRUM_UNUSED_ static thrum_reserve name##_reserve_ = { 0, name##_frames_, name##_reserved_, 0 }; \
    THRUM_KEPT_(name) \
    static const thrum_function name##_function_ = { \
        { 0, name##_step_, 0, name##_has_drop_ ? name##_drop_ : 0, THRUM_NAMED_(#name), 0 }, \
        THRUM_NAMED_(__FILE__), \
        name##_reserved_ ? &THRUM_KEPT_OF_(name) : 0, \
        sizeof(struct name##_frame), \
        (THRUM_CLEARED_(THRUM_CLEAR_##o1, THRUM_CLEAR_##o2, THRUM_CLEAR_##o3)(name)), \
        THRUM_SLOT_(sizeof(struct name##_frame), name##_reserved_), \
        (uint16_t)(__LINE__ & 0xffff) \
    }; \
    THRUM_UNUSED_ static inline void name##_names_(void) { THRUM_NAMES_##args } \
    THRUM_GIVES_##kind name(THRUM_PARAMS_##args) \
    { \
        THRUM_GIVES_##kind made_; \
        if (!THRUM_ANY_##args && !name##_has_drop_ && THRUM_IS_MADE_(name##_function_)) { \
            made_.word = thrum_frame_begun_(&name##_function_).word; \
            return made_; \
        } \
        struct name##_frame *new_ = (struct name##_frame *)thrum_frame_new_(&name##_function_); \
        if (THRUM_UNLIKELY_(!new_)) { \
            if (name##_has_drop_) { \
                struct name##_args args_, *frame_ = &args_; \
                thrum_clear_(frame_, sizeof *frame_); \
                THRUM_STORES_##args \
                name##_drop_((thrum_record *)(void *)frame_); \
            } \
            made_.word = thrum_no_frame_().word; \
            return made_; \
        } \
        { \
            struct name##_frame *frame_ = new_; \
            THRUM_BEGIN_FRAME_(frame_, name##_function_) \
            (void)frame_; \
            THRUM_STORES_##args \
        } \
        made_.word = (uintptr_t)(void *)new_; \
        return made_; \
    } \
    static inline thrum_step name##_body_(struct name##_frame *self, thrum_task *task_) THRUM_NOEXCEPT_

#endif /* THRUM_CHECKING */

/* clang-format on */

#endif
