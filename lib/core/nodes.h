/* Nodes: where one stands, what its flags say, and beside those of tasks what flags of futures and blocks do; what it
 * may be a part of, and lists of them. */
#ifndef THRUM_CORE_NODES_H
#define THRUM_CORE_NODES_H

#include <thrum/async.h>

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

/* node.flags of a task. */
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

/* node.flags of a handle, besides those of contextvars.h. Ask for TASK_IS first: tasks use the bits otherwise. */
enum {
    HANDLE_ENTERS = 0x08, /* what is called enters a context of its own */
    HANDLE_MEMBER = 0x10  /* begins a thrum_member */
};

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

/* One of the things that a combinator waits for. When it is a task that ends, its error counts as seen, and the detail
 * is left here: the task may be gone when the handle is called. */
typedef struct thrum_member {
    thrum_handle handle; /* the outcome is in its waiter */
    thrum_error *detail; /* a reference, or NULL */
    void *object;        /* see sync/members.h */
    uint8_t kind;
} thrum_member;

/* ---- lists, with a sentinel ---- */

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

static inline thrum_task *task_of(thrum_node *node)
{
    return (thrum_task *)(void *)node;
}

#endif
