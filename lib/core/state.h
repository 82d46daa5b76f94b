/* What a thread of thrum consists of: one struct that the core's files share. The loop above drives it through
 * scheduler.h. Freestanding: nothing here knows a clock, a thread or a file. */
#ifndef THRUM_CORE_STATE_H
#define THRUM_CORE_STATE_H

#include <thrum/async.h>
#include <thrum/pool.h>

#include "core/pool.h"
#include "core/probes.h"
#include "core/timers.h"

/* What the scheduler does when it comes to a node, and where a node stands. */
enum {
    NODE_IDLE,   /* nowhere */
    NODE_PARKED, /* a task or a handle that waits to be woken */
    NODE_TIMED,  /* among the timers */
    NODE_DUE,    /* a task whose timer fired: ready in the next pass, as in asyncio */
    NODE_READY,  /* a task to be begun or stepped, or in its step */
    NODE_LOOK,   /* the same, but there is something to see to first: prepare() */
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

/* node.flags of a handle that begins a thrum_member. Ask for TASK_IS first: tasks use the bit otherwise. */
enum { HANDLE_MEMBER = 0x10 };

/* future.flags */
enum { FUTURE_SHIELDED = 0x01 }; /* a shield around it was cancelled */

/* scope.flags */
enum {
    SCOPE_TRY = 0x01,
    SCOPE_OPEN = 0x02, /* on the task's list */
    SCOPE_LEFT_BY_ERROR = 0x04,
    SCOPE_LEFT_BY_RETURN = 0x08,
    SCOPE_OF_TASK = 0x10,  /* set by enter: it keeps hold of the task, so no other may go on in it */
    SCOPE_TOLD = 0x20,     /* levelled, and the operation that the task waits in was told to cancel */
    SCOPE_LEVELLED = 0x40, /* every await in it is cancelled */
    SCOPE_SHIELD = 0x80    /* a thrum_cancel_scope that holds back what comes from outside of it */
};

/* A task in a group. The group knows its children through the two links; the core only calls `ended`. */
typedef struct thrum_child {
    thrum_task task;
    void (*ended)(struct thrum_child *child);
    struct thrum_group *group;
    struct thrum_child *next, *previous;
    struct child_start *start; /* somebody waits until it is ready */
    bool kept;                 /* the handle stays good until the group is closed */
} thrum_child;

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

/* One of the things that a combinator waits for. When it is a task that ends, its error counts as seen, and the detail
 * is left here: the task may be gone when the handle is called. */
typedef struct thrum_member {
    thrum_handle handle; /* the outcome is in its waiter */
    thrum_error *detail; /* a reference, or NULL */
    void *object;        /* see sync/members.h */
    uint8_t kind;
} thrum_member;

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
#if THRUM_CHECKS || THRUM_DETAILS
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

/* Not without optimization, where each function is to be seen once: by a debugger, and by who counts its branches. */
#if defined(__GNUC__) && defined(__OPTIMIZE__)
#define THRUM_ALWAYS_ inline __attribute__((always_inline))
#else
#define THRUM_ALWAYS_ inline
#endif

#if defined(__GNUC__) && THRUM_SMALL
#define THRUM_SHARED_ __attribute__((noinline))
#define THRUM_SEPARATE_ __attribute__((noinline))
#define THRUM_INLINE_ inline
#define THRUM_HOT_ THRUM_ALWAYS_
#define THRUM_COLD_
#define THRUM_PREFETCH_(at) ((void)(at))
#elif defined(__GNUC__)
#define THRUM_SHARED_ inline
#define THRUM_SEPARATE_ __attribute__((noinline))
#define THRUM_INLINE_ THRUM_ALWAYS_
#define THRUM_HOT_ THRUM_ALWAYS_
#define THRUM_COLD_ __attribute__((noinline))
#define THRUM_PREFETCH_(at) __builtin_prefetch(at)
#else
#define THRUM_SHARED_ inline
#define THRUM_SEPARATE_
#define THRUM_INLINE_ inline
#define THRUM_HOT_ inline
#define THRUM_COLD_
#define THRUM_PREFETCH_(at) ((void)(at))
#endif

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
void thrum_check_isr(void);
#define not_for_interrupts() thrum_check_isr() /* where the state is not looked for */
#else
#define not_for_interrupts() ((void)0)
#endif

static inline thrum_state *thrum_state_here(void)
{
#if !THRUM_HOSTED && THRUM_DEBUG
    thrum_check_isr();
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

/* What only programs with blocks need, and what of it only those with shields do. Where little code is wanted it is
 * called by way of this, so that it is linked in only where such a block is opened. */
typedef struct block_verbs {
    bool (*unwind)(thrum_task *task, thrum_coro *coro, int32_t error);
    thrum_scope *(*shield_within)(const thrum_task *task, const thrum_scope *outer);
    void (*shield_begin)(thrum_task *task, thrum_scope *scope);
} block_verbs;

/* What only programs need that cancel something: where little code is wanted this is reached in the same way. */
typedef struct cancel_verbs {
    thrum_step (*start)(thrum_task *task, thrum_record *record, bool drop);
    int (*prepare)(thrum_task *task);
} cancel_verbs;

/* A task that is to be cancelled begins to wait. */
thrum_step thrum_start_canceled(thrum_task *task, thrum_record *record, bool drop);

/* One that perhaps is goes on: whether it does, or does not, or its operation has a say. */
enum { PREPARE_LOOK, PREPARE_STEP, PREPARE_NOTHING };
int thrum_prepare_canceled(thrum_task *task);

/* The innermost open block of this frame that has something to do on the way out; it is where control goes next. */
bool thrum_unwind(thrum_task *task, thrum_coro *coro, int32_t error);

/* The outermost shield inside of the block `outer`. */
thrum_scope *thrum_shield_within(const thrum_task *task, const thrum_scope *outer);

/* A shield opens: a cancellation that is pending comes from outside of it. */
void thrum_shield_begin(thrum_task *task, thrum_scope *scope);

#if THRUM_SMALL
static inline void set_block_verbs(const block_verbs *verbs, bool shields)
{
    if (shields || !thrum_state_here()->blocks)
        thrum_state_here()->blocks = verbs;
}
#define block_unwind(task, coro, error) thrum_state_here()->blocks->unwind(task, coro, error)
#define set_cancel_verbs(verbs) (thrum_state_here()->cancels = (verbs))
#define start_canceled(task, record, drop) thrum_state_here()->cancels->start(task, record, drop)
#define prepare_canceled(task) (thrum_state_here()->cancels ? thrum_state_here()->cancels->prepare(task) : PREPARE_LOOK)
#define block_shield_begin(task, scope) thrum_state_here()->blocks->shield_begin(task, scope)
static inline thrum_scope *block_shield_within(const thrum_task *task, const thrum_scope *outer)
{
    const block_verbs *verbs = thrum_state_here()->blocks;
    return verbs && verbs->shield_within ? verbs->shield_within(task, outer) : NULL;
}
#else
#define set_block_verbs(verbs, shields) ((void)(verbs))
#define set_cancel_verbs(verbs) ((void)(verbs))
#define start_canceled(task, record, drop) thrum_start_canceled(task, record, drop)
#define prepare_canceled(task) thrum_prepare_canceled(task)
#define block_unwind(task, coro, error) thrum_unwind(task, coro, error)
#define block_shield_begin(task, scope) thrum_shield_begin(task, scope)
#define block_shield_within(task, outer) thrum_shield_within(task, outer)
#endif

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

/* Take a waiter out of the line in which it stands, if it is this one. False: somebody has moved, made anew or
 * destroyed it, and it is not to be looked at. Who stands alone tells for nothing; others only in debug mode. */
bool thrum_waiters_leave(thrum_waiters *line, thrum_waiter *waiter);

/* What runs in the next pass; where little memory is wanted, behind what is left of this one. */
static inline thrum_node *ready_list(thrum_state *state)
{
#if THRUM_SMALL
    return (thrum_node *)(void *)&state->ready;
#else
    return state->ready;
#endif
}

/* Both, of this pass and the next one, are empty from now on. */
static inline void ready_clear(thrum_state *state)
{
    list_init(ready_list(state));
#if THRUM_SMALL
    state->last = ready_list(state);
#else
    list_init(state->batch);
#endif
}

/* What was to run does not. */
#if THRUM_SMALL
void thrum_ready_remove(thrum_node *node);
#define ready_remove(node) thrum_ready_remove(node)
#else
#define ready_remove(node) list_remove(node)
#endif

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

/* Move everything in `from` to the tail of `to`. */
THRUM_UNUSED_ static inline void list_splice(thrum_node *to, thrum_node *from)
{
    if (list_empty(from))
        return;
    from->next->prev = to->prev;
    to->prev->next = from->next;
    from->prev->next = to;
    to->prev = from->prev;
    list_init(from);
}

#if THRUM_SMALL
void thrum_ready_push(thrum_node *node, unsigned what);
#define ready_push(state, node, what) ((void)(state), thrum_ready_push(node, what))
#else
static inline void ready_push(thrum_state *state, thrum_node *node, uint8_t what)
{
    node->state = what;
    list_append(ready_list(state), node);
}
#endif

static inline thrum_task *task_of(thrum_node *node)
{
    return (thrum_task *)(void *)node;
}

/* What a task is that is woken: its operation may have to look again, or somebody wants it cancelled. */
static inline uint8_t woken_as(const thrum_task *task)
{
    return task->operations->resume || task->waiter.node.flags & TASK_MUST_CANCEL ? NODE_LOOK : NODE_READY;
}

/* What thrum_wake() comes to for a task that is known to be parked. */
THRUM_UNUSED_ static inline void wake_parked(thrum_state *state, thrum_task *task, int error, thrum_value value)
{
    thrum_node *node = &task->waiter.node;
    node->error = (int32_t)error;
    task->waiter.as.value = value;
    node->state = woken_as(task);
    PROBE2(wake, &task->waiter, error);
    list_append(ready_list(state), node);
}

/* A task that is queued, or in its step, is to be seen to before it goes on. */
static inline void look_first(thrum_task *task)
{
    if (task->waiter.node.state == NODE_READY)
        task->waiter.node.state = NODE_LOOK;
}

/* ---- awaitables ---- */

/* The tag of a record that must be given back: the state's, or one of the pool's. */
enum { WORD_RECORD = 1, WORD_POOLED = 3 };

static inline thrum_head *head_of(thrum_awaitable what)
{
    return (thrum_head *)(void *)(what.word & ~(uintptr_t)WORD_POOLED);
}

/* An awaitable with its record in the state, which is nearly always free. */
static inline thrum_awaitable make_awaitable(thrum_state *state, const thrum_operations *operations, void *object,
                                             thrum_value a)
{
#if THRUM_SMALL
    (void)state;
    return thrum_awaitable_make(operations, object, a, 0);
#else
    if (THRUM_UNLIKELY_(state->scratch_used))
        return thrum_awaitable_make(operations, object, a, 0);
    thrum_awaitable made = {(uintptr_t)(void *)&state->scratch + WORD_RECORD};
    state->scratch_used = true;
    state->scratch.head.operations = operations;
    state->scratch.object = object;
    state->scratch.a = a;
    return made;
#endif
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
#if THRUM_SMALL
    (void)state;
    return thrum_done(task, error, value);
#else
    thrum_step step = {THRUM_DONE_};
    task->waiter.node.error = (int32_t)error;
    task->waiter.as.value = value;
    if (THRUM_UNLIKELY_(--state->budget < 0))
        return thrum_to_the_tail(state, task);
    return step;
#endif
}

static inline bool task_woken(const thrum_task *task)
{
    uint8_t state = task->waiter.node.state;
    return state >= NODE_DUE && state <= NODE_LOOK;
}

#endif
