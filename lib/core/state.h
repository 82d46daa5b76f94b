/* What a thread of thrum consists of: one struct that the core's files share. The loop above drives it through
 * scheduler.h. Freestanding: nothing here knows a clock, a thread or a file. */
#ifndef THRUM_CORE_STATE_H
#define THRUM_CORE_STATE_H

#include <thrum/async.h>
#include <thrum/pool.h>

#include "core/nodes.h"
#include "core/pool.h"
#include "core/timers.h"

#if THRUM_CONTEXTS
/* What holds the values of context variables; `serial` is given to it with the first token. */
typedef struct context_map context_map;
typedef struct context_slot {
    context_map *map; /* NULL: nothing is set */
    uint32_t serial;
} context_slot;
#endif

#define UNUSUAL_POSSIBLE_ (THRUM_CONTEXTS || THRUM_CHECKS || THRUM_TASK_HOOKS)

/* state.unusual: what has to be seen to when a task is spawned, or a handle gets into use */
enum {
    UNUSUAL_CONTEXTS = 0x01, /* there are context variables that are set */
    UNUSUAL_FACTORY = 0x02,  /* state.factory makes tasks */
    UNUSUAL_HOOKS = 0x04,    /* state.hooks are to be called */
    UNUSUAL_DEBUG = 0x08,    /* debug mode */
    UNUSUAL_WATCHED = 0x10,  /* state.watch is to be told */
    UNUSUAL_POSSIBLE = (THRUM_CONTEXTS ? UNUSUAL_CONTEXTS : 0) | (THRUM_CHECKS ? UNUSUAL_DEBUG : 0) |
                       (THRUM_TASK_HOOKS ? UNUSUAL_FACTORY | UNUSUAL_HOOKS | UNUSUAL_WATCHED : 0)
};

#if THRUM_DETAILS
/* What only some tasks have. */
typedef struct thrum_task_extension {
    const char *name;
    const char *message;           /* of the cancellation */
    thrum_error *error;            /* the last one: a reference */
    struct detail_held *held;      /* those of frames that are in FINALLY */
    thrum_time since;              /* in debug mode: when its last step ended */
    const thrum_function *made_in; /* in debug mode: by what it was made, after which await */
    uint32_t made_line;
#if THRUM_CONTEXTS
    context_slot variables;
    struct thrum_context *shared; /* instead of those, when others have it by handle */
#endif
    bool shielded; /* a shield around it was cancelled */
    bool caught;   /* `error` was: one of the same code is another one, unless it is raised again */
} thrum_task_extension;
#endif

/* Why something is reported that nobody awaits. */
typedef struct thrum_core_report {
    const char *message;
    int error;
    thrum_task *task;
    const thrum_function *function;
    uint32_t line;
    const thrum_function *made_in; /* by what it was made, as far as debug mode knows, after which await */
    uint32_t made_line;
    const thrum_function *waits_in; /* of misuse: where the task waits that is wronged */
    uint32_t waits_line;
} thrum_core_report;

/* thrum_state.open. What is called from everywhere asks for OPEN_PLAIN alone; all else takes its time (checks.h). */
enum { OPEN_NOT, OPEN_PLAIN, OPEN_DEBUG };

struct thrum_checks;

/* Generators of a thread that were opened and have not ended. */
typedef struct thrum_generators_open {
    struct thrum_yields *first;
    uint32_t epoch; /* changes when generators are closed that iterations may still know */
} thrum_generators_open;

/* Awaits that a task may still complete in a row; and what a step begins with: the last one sends it to the tail. */
#if THRUM_HOSTED || THRUM_TASK_HOOKS
typedef int32_t await_budget;
#else
typedef int16_t await_budget;
#endif
enum { BUDGET = THRUM_AWAIT_BUDGET - 1 };

/* As much of a node as a sentinel needs. */
typedef struct short_list {
    thrum_node *next, *prev;
} short_list;

typedef struct thrum_state {
    thrum_task *current;
#if THRUM_SMALL
    short_list ready; /* sentinel */
    thrum_node *last; /* of those in it that run in this pass; itself: there is none */
#else
    thrum_node *ready;   /* sentinel: what runs in the next pass */
    thrum_node *batch;   /* sentinel: what is left of this pass */
    thrum_node lists[2]; /* these two; they change places when a pass begins */
#endif
    thrum_time now;
#if THRUM_HOSTED
    unsigned passes;  /* the one that runs, and those that may still follow without the loop */
    unsigned skipped; /* that were to follow, but somebody is in a hurry */
#endif
    await_budget budget;
    uint8_t eager; /* eager starts that are nested now */
#if THRUM_NESTED_CALLS || THRUM_TASK_HOOKS
    int32_t nests; /* how many more calls of async functions may nest on the C stack */
#endif
    uint8_t open; /* whether a loop drives this thread, and whether in debug mode */
#if !THRUM_SMALL
    bool scratch_used;
#endif
#if UNUSUAL_POSSIBLE_
    uint8_t unusual; /* see set_unusual() */
    bool usual;      /* OPEN_PLAIN, and nothing is unusual: one look where all of that would matter */
#endif
#if THRUM_SMALL
    const struct block_verbs *blocks;   /* NULL: none was ever opened */
    const struct cancel_verbs *cancels; /* NULL: nothing was ever cancelled */
#endif
#if THRUM_CONTEXTS
    context_slot *entered; /* by a call that runs now; NULL: the current task's context counts */
    context_slot outside;  /* of the thread, where neither a task nor a call runs */
    uint32_t maps;         /* that there are */
    uint32_t serial;       /* of the last slot that was given one */
#endif
#if !THRUM_SMALL
    thrum_record exit; /* of the block that is being left: see thrum_exit_make() */
#endif
    thrum_record scratch; /* the first leaf record alive */
#if THRUM_RADIX_TIMERS
    thrum_timers *timers; /* from the pool, while a loop drives this thread */
#else
    thrum_timers timers;
#endif
    thrum_pool pool;
#if THRUM_REPORTS
    void (*report)(const thrum_core_report *report); /* set by the loop */
#endif
#if THRUM_HOSTED
    void *loop;
#endif
#if THRUM_CHECKS || THRUM_DETAILS || THRUM_HOSTED
    struct thrum_checks *checks; /* debug mode's; NULL: none, or no memory for it */
    thrum_task *stepping;        /* debug mode: the task whose step runs; NULL when it has been freed */
#endif
#if THRUM_TASK_HOOKS
    thrum_task *(*factory)(thrum_awaitable what, const thrum_spawn_options *options); /* set by the loop, or NULL */
    const thrum_task_hooks *hooks;
    void (*watch)(const thrum_coro *coro); /* set by the loop, or NULL */
#endif
#if !THRUM_SMALL
    thrum_generators_open generators;
#endif
#if THRUM_DETAILS
    thrum_error *away; /* in a thread that makes a call for a loop: takes the detail of its error */
#endif
} thrum_state;

/* One of its kind in each thread; in the program, where there are no threads. */
#if !THRUM_HOSTED
#define THRUM_PER_THREAD_
#elif defined(__GNUC__) && defined(__ELF__)
#define THRUM_PER_THREAD_ __attribute__((tls_model("initial-exec"), visibility("hidden"))) _Thread_local
#else
#define THRUM_PER_THREAD_ _Thread_local
#endif

extern THRUM_PER_THREAD_ thrum_state thrum_state_;

#if !THRUM_HOSTED && THRUM_DEBUG
/* Panics in an interrupt: what begins by looking for the state is not for interrupts. */
void thrum_check_isr_(void);                    /* and of locks.h, for what is inline */
#define not_for_interrupts() thrum_check_isr_() /* where the state is not looked for */
#else
#define not_for_interrupts() ((void)0)
#endif

static inline thrum_state *thrum_state_here(void)
{
#if !THRUM_HOSTED && THRUM_DEBUG
    thrum_check_isr_();
#endif
    return &thrum_state_;
}

static inline thrum_timers *timers_of(thrum_state *state)
{
#if THRUM_RADIX_TIMERS
    return state->timers;
#else
    return &state->timers;
#endif
}

/* Timers that are due, if any, become ready. */
static inline void collect_due(thrum_state *state, thrum_time now)
{
#if !THRUM_RADIX_TIMERS
    if (thrum_timers_due(timers_of(state), now))
#endif
        thrum_timers_collect(state, now);
}

/* Whether the state's own record is in use. Where that has no flag it has operations just so long. */
static inline bool scratch_used(const thrum_state *state)
{
#if THRUM_SMALL
    return state->scratch.head.operations != NULL;
#else
    return state->scratch_used;
#endif
}

/* What is in it stays until another one is made, but for those operations. */
static inline void scratch_give(thrum_state *state)
{
#if THRUM_SMALL
    state->scratch.head.operations = NULL;
#else
    state->scratch_used = false;
#endif
}

/* Whether the loop is in debug mode. */
static inline bool in_debug_mode(const thrum_state *state)
{
    return THRUM_CHECKS && THRUM_UNLIKELY_(state->open == OPEN_DEBUG);
}

/* Whether something has to be looked at before it is believed: in debug mode, and where there is no loop. */
static inline bool doubtful(const thrum_state *state)
{
    return THRUM_CHECKS && THRUM_UNLIKELY_(state->open != OPEN_PLAIN);
}

/* Whether one of these is so: what is not built in never is. */
static inline bool is_unusual(const thrum_state *state, unsigned what)
{
#if UNUSUAL_POSSIBLE_
    return (what & UNUSUAL_POSSIBLE) && state->unusual & what;
#else
    (void)state, (void)what;
    return false;
#endif
}

/* A loop that is not in debug mode, and nothing is unusual. */
static inline bool is_usual(const thrum_state *state)
{
#if UNUSUAL_POSSIBLE_
    return state->usual;
#else
    return state->open != OPEN_NOT;
#endif
}

static inline void set_open(thrum_state *state, uint8_t open)
{
    state->open = open;
#if UNUSUAL_POSSIBLE_
    state->usual = open == OPEN_PLAIN && !state->unusual;
#endif
}

#if UNUSUAL_POSSIBLE_
static inline void set_unusual(thrum_state *state, uint8_t what, bool on)
{
    state->unusual = (uint8_t)(on ? state->unusual | what : state->unusual & ~what);
    state->usual = state->open == OPEN_PLAIN && !state->unusual;
}
#endif

/* What few tasks have; NULL for most, and for all where there is no such thing. */
static inline struct thrum_task_extension *extension_of(const thrum_task *task)
{
#if THRUM_DETAILS
    return task->extension;
#else
    (void)task;
    return NULL;
#endif
}

/* Somebody has seen the outcome of a task. */
static inline void retrieved(thrum_task *task)
{
    if (THRUM_REPORTS)
        task->waiter.node.flags |= TASK_RETRIEVED;
}

/* Nobody has seen the error of a task, and that is to be told. */
static inline bool unseen(const thrum_node *node)
{
    return THRUM_REPORTS && node->error && !(node->flags & TASK_RETRIEVED);
}

#if THRUM_SMALL
extern thrum_generators_open thrum_generators_;
#endif

static inline thrum_generators_open *generators_open(thrum_state *state)
{
#if THRUM_SMALL
    (void)state;
    return &thrum_generators_;
#else
    return &state->generators;
#endif
}

#endif
