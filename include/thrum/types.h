/**
 * @file types.h
 * The few types that every other header uses: time, results, steps, nodes, and the handle of a thing to wait for.
 */
#ifndef THRUM_TYPES_H
#define THRUM_TYPES_H

#include <thrum/config.h>

THRUM_BEGIN_DECLS

/** A point in time or a delay, in ticks of the loop's clock (nanoseconds on hosts). */
#if THRUM_TIME_BITS == 64
typedef int64_t thrum_time;
#else
typedef uint32_t thrum_time;
#endif

/** The result of an await: an integer or an object pointer. */
#if THRUM_VALUE_BITS == 64
typedef int64_t thrum_value;
#else
typedef int32_t thrum_value;
#endif

/** Durations as constants: `SECONDS(0.5)`, `MILLISECONDS(20)`. Anything but a constant is computed in floating point,
 * which small targets lack. */
#define THRUM_SECONDS(s) ((thrum_time)((s) * (double)THRUM_TICKS_PER_SECOND))
#define THRUM_MILLISECONDS(ms) ((thrum_time)((ms) * ((double)THRUM_TICKS_PER_SECOND / 1e3)))
#define THRUM_MICROSECONDS(us) ((thrum_time)((us) * ((double)THRUM_TICKS_PER_SECOND / 1e6)))
#ifndef THRUM_NO_SHORT_NAMES
#define SECONDS(s) THRUM_SECONDS(s)
#define MILLISECONDS(ms) THRUM_MILLISECONDS(ms)
#define MICROSECONDS(us) THRUM_MICROSECONDS(us)
#endif

typedef struct thrum_task thrum_task;
typedef struct thrum_future thrum_future;
typedef struct thrum_coro thrum_coro;
typedef struct thrum_event thrum_event;
typedef struct thrum_function thrum_function;
typedef struct thrum_operations thrum_operations;

/**
 * What a step or an operation says to the scheduler: THRUM_DONE_, THRUM_PARKED_ or THRUM_CALLED_. It is a struct so
 * that a stray `return 0;` in the body of an async function does not compile.
 */
typedef struct thrum_step {
#if THRUM_HOSTED
    unsigned char what;
#else
    unsigned what; /* what a register returns as it is */
#endif
} thrum_step;

enum { THRUM_DONE_, THRUM_PARKED_, THRUM_CALLED_ };

/** The arguments of an operation between its call and its start (awaitables.h). */
typedef struct thrum_record thrum_record;

/* An awaitable's word has two bits of its own, so what it points to lies at a multiple of 4; an 8-bit processor aligns
 * nothing by itself. Private. */
#ifdef __cplusplus
#define THRUM_ALIGNED_ alignas(4)
#else
#define THRUM_ALIGNED_ _Alignas(4)
#endif
#if UINTPTR_MAX > 0xffff
#undef THRUM_ALIGNED_
#define THRUM_ALIGNED_
#endif

/** What to wait for begins with this word, which says how. */
typedef struct thrum_head {
    const thrum_operations *operations;
} thrum_head;

/**
 * A handle to something that can be awaited, spawned or grouped: once. It does nothing until then. Drop one that is
 * not wanted after all with thrum_drop().
 */
typedef struct
#if defined(__cplusplus) && __cplusplus >= 201703L
    [[nodiscard]]
#elif defined(__clang__)
    __attribute__((warn_unused_result))
#endif
    thrum_awaitable {
    uintptr_t word; /* a frame's or a constant record's address; plus 1, that of a record to be given back */
} thrum_awaitable;

/**
 * A handle to something that gives items: a generator that has not begun, or an operation that gives one each time. It
 * does nothing until it is opened, by ASYNC_FOR or thrum_iteration_open(), and is opened once (generators.h).
 */
typedef struct
#if defined(__cplusplus) && __cplusplus >= 201703L
    [[nodiscard]]
#elif defined(__clang__)
    __attribute__((warn_unused_result))
#endif
    thrum_iterable {
    uintptr_t word; /* as in thrum_awaitable */
} thrum_iterable;

/**
 * A member of one list at a time: of the ready queue, of a timer list or of somebody's waiters. Private; it is public
 * only so that what begins with it can stand in the caller's own memory.
 */
typedef struct thrum_node {
    struct thrum_node *next, *prev;
    int32_t error;  /**< the error that the node is woken with; 0 is none */
    uint8_t state;  /**< what the scheduler does when it comes to the node */
    uint8_t flags;  /**< of a task: see tasks.h */
    uint16_t count; /**< of a task: cancellations asked for and not taken back */
} thrum_node;

/** First waiter of a future or a task, or NULL; a circle through `next` and `prev`. Private. */
typedef struct thrum_waiters {
    struct thrum_waiter *first;
} thrum_waiters;

/** A node that can carry a result, or stand among the timers. Private. */
typedef struct thrum_waiter {
    thrum_node node;
    union {
        thrum_value value;   /* running or woken: the result; parked: free for the operation */
        thrum_time when;     /* among the timers */
        thrum_waiters *list; /* a handle that waits for a future: where */
    } as;
} thrum_waiter;

THRUM_END_DECLS

#endif
