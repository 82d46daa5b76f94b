/**
 * @file config.h
 * Every knob of the library, each behind `#ifndef`: define it on the compiler's command line, or in a header named by
 * `THRUM_CONFIG_FILE`, alike for the library and for everything that uses it. The knobs of the first group change the
 * layout of public structs; they are part of the name of a link-time symbol (version.h), so objects that were built
 * with different ones do not link.
 */
#ifndef THRUM_CONFIG_H
#define THRUM_CONFIG_H

#ifdef THRUM_CONFIG_FILE
#include THRUM_CONFIG_FILE
#endif

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** 1 where there is an operating system with threads; 0 for a microcontroller. */
#ifndef THRUM_HOSTED
#if defined(__unix__) || defined(__APPLE__) || defined(_WIN32)
#define THRUM_HOSTED 1
#else
#define THRUM_HOSTED 0
#endif
#endif

/* ---- knobs that change layouts ---- */

/** Width of a point in time or a delay: 64 (signed) or 32 (delays of at most 2^31 - 1 ticks). */
#ifndef THRUM_TIME_BITS
#define THRUM_TIME_BITS (THRUM_HOSTED ? 64 : 32)
#endif

/** Width of the result of an await: 64 or 32. A pointer must fit. */
#ifndef THRUM_VALUE_BITS
#if THRUM_HOSTED || UINTPTR_MAX > 0xffffffff
#define THRUM_VALUE_BITS 64
#else
#define THRUM_VALUE_BITS 32
#endif
#endif

/** 1: errors carry a detail and a trace, tasks a name; 0: errors are codes only. */
#ifndef THRUM_DETAILS
#define THRUM_DETAILS THRUM_HOSTED
#endif

/** How deeply calls of async functions that do not suspend may nest on the C stack; 0 keeps that at its least. */
#ifndef THRUM_NESTED_CALLS
#define THRUM_NESTED_CALLS (THRUM_HOSTED ? 4 : 0)
#endif

/** Entries that an error trace can hold (the innermost are kept), and bytes of an error's text: plain numbers. */
#ifndef THRUM_TRACE_DEPTH
#define THRUM_TRACE_DEPTH 12
#endif
#ifndef THRUM_ERROR_TEXT
#define THRUM_ERROR_TEXT 96
#endif

/* ---- knobs that do not ---- */

/** Ticks of the clock in a second. */
#ifndef THRUM_TICKS_PER_SECOND
#define THRUM_TICKS_PER_SECOND (THRUM_TIME_BITS == 64 ? 1000000000 : 1000)
#endif

/** Waits that a task may complete in a row without suspending before it goes to the tail of the ready queue once. */
#ifndef THRUM_AWAIT_BUDGET
#define THRUM_AWAIT_BUDGET 128
#endif

/** How deeply eager starts may nest on the C stack; a deeper one is scheduled like any other. */
#ifndef THRUM_EAGER_DEPTH
#define THRUM_EAGER_DEPTH 16
#endif

/** 1: resume labels are wider than `int`, so that the compiler reports an await inside a user's `switch`. */
#ifndef THRUM_WIDE_SWITCH
#define THRUM_WIDE_SWITCH THRUM_HOSTED
#endif

/** 1: timers stand in a radix heap (O(1) start and stop, any number); 0: in one sorted list (least memory). */
#ifndef THRUM_RADIX_TIMERS
#define THRUM_RADIX_TIMERS THRUM_HOSTED
#endif

/** 1: memory of ended frames is filled with a pattern, and misuse is looked for where that costs time. */
#ifndef THRUM_DEBUG
#define THRUM_DEBUG 0
#endif

/* ---- compilers ---- */

#if defined(__GNUC__) || defined(__clang__)
#define THRUM_API __attribute__((visibility("default")))
#define THRUM_MUST_USE_ __attribute__((warn_unused_result))
#define THRUM_LIKELY_(x) __builtin_expect(!!(x), 1)
#define THRUM_UNLIKELY_(x) __builtin_expect(!!(x), 0)
#define THRUM_UNUSED_ __attribute__((unused))
#define THRUM_NORETURN_ __attribute__((noreturn))
#define THRUM_FALLTHROUGH_ __attribute__((fallthrough))
#else
#define THRUM_API
#define THRUM_MUST_USE_
#define THRUM_LIKELY_(x) (x)
#define THRUM_UNLIKELY_(x) (x)
#define THRUM_UNUSED_
#define THRUM_NORETURN_
#define THRUM_FALLTHROUGH_ ((void)0)
#endif
/* avr-gcc 5 and gcc 6 know no fallthrough attribute, and do not warn either. */
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 7
#undef THRUM_FALLTHROUGH_
#define THRUM_FALLTHROUGH_ ((void)0)
#endif

#ifdef __cplusplus
#define THRUM_BEGIN_DECLS extern "C" {
#define THRUM_END_DECLS }
#define THRUM_NOEXCEPT_ noexcept
#define THRUM_STATIC_ASSERT_ static_assert
#else
#define THRUM_BEGIN_DECLS
#define THRUM_END_DECLS
#define THRUM_NOEXCEPT_
#define THRUM_STATIC_ASSERT_ _Static_assert
#endif

#endif
