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

/** 1: where code and speed conflict, the least code; what an async function says of itself differs. */
#ifndef THRUM_SMALL
#define THRUM_SMALL (1 - THRUM_HOSTED)
#endif

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

/** 1: tasks and calls have context variables (needs THRUM_DETAILS); 0: contextvars.h is empty. */
#ifndef THRUM_CONTEXTS
#define THRUM_CONTEXTS THRUM_DETAILS
#endif
#if THRUM_CONTEXTS && !THRUM_DETAILS
#error "THRUM_CONTEXTS needs THRUM_DETAILS"
#endif

/** Entries that an error trace can hold (the innermost are kept): a plain number. */
#ifndef THRUM_TRACE_DEPTH
#define THRUM_TRACE_DEPTH 12
#endif
/** Bytes of an error's text, its end included: a plain number. */
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

/** How deeply calls of async functions that do not suspend may nest on the C stack; 0 keeps that at its least. */
#ifndef THRUM_NESTED_CALLS
#define THRUM_NESTED_CALLS (THRUM_HOSTED ? 4 : 0)
#endif

/** How deeply eager starts may nest on the C stack; a deeper one is scheduled like any other. */
#ifndef THRUM_EAGER_DEPTH
#define THRUM_EAGER_DEPTH 16
#endif

/** 1: there can be a task factory and task hooks. */
#ifndef THRUM_TASK_HOOKS
#define THRUM_TASK_HOOKS THRUM_DETAILS
#endif

/** 1: resume labels are wider than `int`, so that the compiler reports an await inside a user's `switch`. */
#ifndef THRUM_WIDE_SWITCH
#define THRUM_WIDE_SWITCH THRUM_HOSTED
#endif

/** 1: `AWAIT_LOCK`, `AWAIT_SEMAPHORE`, `AWAIT_PUT` and `AWAIT_GET` take or leave what is free without a call; 0: they
 * are awaits like others, so that a program that is tested can be cancelled there (thrum_test_options.every_await).
 * Each source file may choose for itself. */
#ifndef THRUM_INLINE_AWAITS
#define THRUM_INLINE_AWAITS 1
#endif

/** 1: timers stand in a radix heap (O(1) start and stop, any number); 0: in one sorted list (least memory). */
#ifndef THRUM_RADIX_TIMERS
#define THRUM_RADIX_TIMERS THRUM_HOSTED
#endif

/** 1: memory of ended frames is filled with a pattern, and misuse is looked for where that costs time. */
#ifndef THRUM_DEBUG
#define THRUM_DEBUG 0
#endif

/** 1: async functions and operations have names, functions the place where they are defined; 0: they are "?". */
#ifndef THRUM_NAMES
#define THRUM_NAMES (THRUM_DETAILS | THRUM_DEBUG)
#endif

/** 1: errors have names and texts (thrum_error_name(), thrum_error_text()); 0: those are "?", whatever the error. */
#ifndef THRUM_STRINGS
#define THRUM_STRINGS 1
#endif

/** 1: a loop can be in debug mode, which looks for misuse of objects and between threads (doc/develop.md). */
#ifndef THRUM_CHECKS
#define THRUM_CHECKS THRUM_HOSTED
#endif

/** 1: errors that reach nobody, and what is left when a loop closes, are told to the loop. */
#ifndef THRUM_REPORTS
#define THRUM_REPORTS (THRUM_HOSTED | THRUM_CHECKS)
#endif

/** 1: a pool can be fed by an allocator; 0: by one array only, with less code and less memory of its own. */
#ifndef THRUM_ALLOCATORS
#define THRUM_ALLOCATORS (THRUM_HOSTED | THRUM_CHECKS)
#endif
#if THRUM_CHECKS && !THRUM_ALLOCATORS
#error "THRUM_CHECKS needs THRUM_ALLOCATORS"
#endif

/** 1: the port masks interrupts (thrum_port_lock() in port.h); 0: thrum does, as the processor has it. */
#ifndef THRUM_PORT_LOCKS
#if defined(__ARM_ARCH_PROFILE) || defined(__riscv) || defined(__AVR__)
#define THRUM_PORT_LOCKS 0
#else
#define THRUM_PORT_LOCKS 1
#endif
#endif

/** 1: thrum_port_idle() has to be told when an interrupt posts something (thrum_port_wake() in port.h). */
#ifndef THRUM_PORT_WAKES
#define THRUM_PORT_WAKES 0
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

#if defined(__GNUC__)
#define thrum_copy_(to, from, size) __builtin_memcpy(to, from, size)
#define thrum_clear_(to, size) __builtin_memset(to, 0, size)
#else
#include <string.h>
#define thrum_copy_(to, from, size) memcpy(to, from, size)
#define thrum_clear_(to, size) memset(to, 0, size)
#endif

#if THRUM_NAMES
#define THRUM_NAMED_(text) text
#else
#define THRUM_NAMED_(text) NULL
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
