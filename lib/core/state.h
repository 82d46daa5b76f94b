/* What a thread of thrum consists of: one struct that the core's files share. The loop above drives it through
 * scheduler.h. Freestanding: nothing here knows a clock, a thread or a file. */
#ifndef THRUM_CORE_STATE_H
#define THRUM_CORE_STATE_H

#include <thrum/async.h>
#include <thrum/pool.h>

#include "core/pool.h"
#include "core/timers.h"

/* What the scheduler does when it comes to a node, and where a node stands. */
enum {
    NODE_IDLE,   /* nowhere */
    NODE_PARKED, /* a task or a handle that waits to be woken */
    NODE_TIMED,  /* among the timers */
    NODE_READY,  /* a task to be stepped, or in its step */
    NODE_LOOK,   /* the same, but there is something to see to first: prepare() */
    NODE_DUE,    /* a task whose timer fired: ready in the next pass, as in asyncio */
    NODE_BEGIN,  /* a task that has not begun */
    NODE_CALL,   /* a handle to be called */
    NODE_ENDED,  /* a group's child that has ended: tell the group */
    NODE_DONE,   /* a task that has ended */
    NODE_FREE    /* a task's memory, back in the pool */
};

/* node.flags of a task; those of a handle are 0. */
enum {
    TASK_IS = 0x01,          /* a task, no handle */
    TASK_MUST_CANCEL = 0x02, /* throw a cancellation in at the next chance */
    TASK_AS_IS = 0x04,       /* went to the tail with the outcome of an await that is complete */
    TASK_OWNED = 0x08,       /* somebody holds the handle */
    TASK_CHILD = 0x10,       /* of a group: a thrum_child */
    TASK_RETRIEVED = 0x20,   /* its error has reached somebody */
    TASK_SWEPT = 0x40,       /* was cancelled because its program ends */
    TASK_LATE = 0x80         /* was cancelled at the tail: see start_canceled() */
};

/* scope.flags */
enum {
    SCOPE_TRY = 0x01,
    SCOPE_OPEN = 0x02, /* on the task's list */
    SCOPE_LEFT_BY_ERROR = 0x04,
    SCOPE_LEFT_BY_RETURN = 0x08
};

/* A task in a group. The group knows its children through the two links; the core only calls `ended`. */
typedef struct thrum_child {
    thrum_task task;
    void (*ended)(struct thrum_child *child);
    struct thrum_group *group;
    struct thrum_child *next, *previous;
    bool kept; /* the handle stays good until the group is closed */
} thrum_child;

#if THRUM_DETAILS
/* What only some tasks have. */
typedef struct thrum_task_extension {
    const char *name;
    const char *message;      /* of the cancellation */
    thrum_error *error;       /* the last one: a reference */
    struct detail_held *held; /* those of frames that are in FINALLY */
} thrum_task_extension;
#endif

/* Why something is reported that nobody awaits. */
typedef struct thrum_core_report {
    const char *message;
    int error;
    thrum_task *task;
    const thrum_function *function;
    uint32_t line;
} thrum_core_report;

typedef struct thrum_state {
    thrum_task *current;
    thrum_node ready; /* sentinel: what runs in the next pass */
    thrum_node batch; /* sentinel: what is left of this pass */
    thrum_time now;
    int32_t budget;
    uint8_t eager;  /* eager starts that are nested now */
    uint8_t nested; /* calls of async functions that are nested on the C stack now */
    bool open;      /* a loop drives this thread */
    bool hurry;     /* return to the loop after this pass */
    bool scratch_used;
    thrum_record exit;    /* of the block that is being left: see thrum_exit_make() */
    thrum_record scratch; /* the first leaf record alive */
    thrum_timers *timers; /* from the pool, while a loop drives this thread */
    thrum_pool pool;
    void (*report)(const thrum_core_report *report); /* set by the loop */
    void *loop;
} thrum_state;

#if defined(__GNUC__)
#define THRUM_INLINE_ inline __attribute__((always_inline))
#define THRUM_COLD_ __attribute__((noinline))
#define THRUM_PREFETCH_(at) __builtin_prefetch(at)
#else
#define THRUM_INLINE_ inline
#define THRUM_COLD_
#define THRUM_PREFETCH_(at) ((void)(at))
#endif

#if THRUM_HOSTED
#if defined(__GNUC__)
extern _Thread_local thrum_state thrum_state_ __attribute__((tls_model("initial-exec"), visibility("hidden")));
#else
extern _Thread_local thrum_state thrum_state_;
#endif
#else
extern thrum_state thrum_state_;
#endif

static inline thrum_state *thrum_state_here(void)
{
    return &thrum_state_;
}

/* ---- lists with a sentinel ---- */

static inline void list_init(thrum_node *list)
{
    list->next = list->prev = list;
}

static inline bool list_empty(const thrum_node *list)
{
    return list->next == list;
}

static inline void list_append(thrum_node *list, thrum_node *node)
{
    thrum_node *last = list->prev;
    node->next = list;
    node->prev = last;
    last->next = node;
    list->prev = node;
}

static inline void list_remove(thrum_node *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
}

/* Move everything in `from` to the tail of `to`. */
static inline void list_splice(thrum_node *to, thrum_node *from)
{
    if (list_empty(from))
        return;
    from->next->prev = to->prev;
    to->prev->next = from->next;
    from->prev->next = to;
    to->prev = from->prev;
    list_init(from);
}

static inline void ready_push(thrum_state *state, thrum_node *node, uint8_t what)
{
    node->state = what;
    list_append(&state->ready, node);
}

/* A task that is queued, or in its step, is to be seen to before it goes on. */
static inline void look_first(thrum_task *task)
{
    if (task->waiter.node.state == NODE_READY)
        task->waiter.node.state = NODE_LOOK;
}

/* ---- awaitables ---- */

enum { WORD_RECORD = 1 }; /* the tag of a record that must be given back */

static inline thrum_head *head_of(thrum_awaitable what)
{
    return (thrum_head *)(void *)(what.word & ~(uintptr_t)WORD_RECORD);
}

/* An awaitable with its record in the state, which is nearly always free. */
static inline thrum_awaitable make_awaitable(thrum_state *state, const thrum_operations *operations, void *object,
                                             thrum_value a)
{
    if (THRUM_UNLIKELY_(state->scratch_used))
        return thrum_awaitable_make(operations, object, a, 0);
    thrum_awaitable made = {(uintptr_t)(void *)&state->scratch + WORD_RECORD};
    state->scratch_used = true;
    state->scratch.head.operations = operations;
    state->scratch.object = object;
    state->scratch.a = a;
    return made;
}

/* ---- what operations return ---- */

thrum_step thrum_to_the_tail(thrum_state *state, thrum_task *task);

static inline thrum_step parked(thrum_task *task)
{
    thrum_step step = {THRUM_PARKED_};
    task->waiter.node.state = NODE_PARKED;
    return step;
}

static inline thrum_step done(thrum_state *state, thrum_task *task, int error, thrum_value value)
{
    thrum_step step = {THRUM_DONE_};
    task->waiter.node.error = (int32_t)error;
    task->waiter.as.value = value;
    if (THRUM_UNLIKELY_(--state->budget <= 0))
        return thrum_to_the_tail(state, task);
    return step;
}

static inline thrum_task *task_of(thrum_node *node)
{
    return (thrum_task *)(void *)node;
}

#endif
