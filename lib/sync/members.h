/* What combinators share: a set of things that are waited for at the same time.
 *
 * What is the wait for a task or a future is held by handle by somebody else: a handle of ours stands among its
 * waiters, and it runs on when the combinator is done with it. Everything else is adopted: it runs as a child, and has
 * ended before the combinator does. Either way the set is told one pass after the end, as asyncio's done callbacks
 * are. */
#ifndef THRUM_SYNC_MEMBERS_H
#define THRUM_SYNC_MEMBERS_H

#include <thrum/timeouts.h>

#include "core/coroutines.h"

/* `kind` of a thrum_member, and what its `object` is. */
enum {
    MEMBER_TASK,    /* by handle: the thrum_task; NULL once it has ended */
    MEMBER_FUTURE,  /* by handle: the thrum_future; NULL once it is done */
    MEMBER_NEW,     /* to be adopted: the awaitable's word */
    MEMBER_ADOPTED, /* the thrum_child; NULL once it has ended */
};

typedef struct member_set member_set;

struct member_set {
    thrum_task *task;                                     /* whose await this is */
    void (*ended)(member_set *set, thrum_member *member); /* called for each, in the order of their ends */
    thrum_member *members;
    size_t count;
    size_t adopted; /* of them, that have not ended */
};

/* The frame of a combinator; what it has of its own follows, then the members. */
typedef struct combinator {
    thrum_sized_frame frame;
    member_set set;
    int32_t error; /* the outcome, once it is decided */
    bool decided, canceled;
    bool canceling; /* its `cancel` runs */
} combinator;

static inline combinator *combinator_of(member_set *set)
{
    return (combinator *)(void *)((char *)set - offsetof(combinator, set));
}

/* A combinator over `count` awaitables, which are spent whatever this gives; NULL when there is no memory. The frame
 * takes `size` bytes, and is cleared behind its head. */
combinator *combinator_new(const thrum_function *function, size_t size, size_t count, const thrum_awaitable *what);

/* `drop` of such a function. */
void combinator_drop(thrum_record *record);

/* The first call of a frame's step: await an operation whose object is the frame. True: that is complete. */
bool combinator_begun(thrum_task *task, const thrum_operations *operations, thrum_step *step);

/* The end of a frame's step: no member is waited for any more. */
thrum_step combinator_end(combinator *frame, int32_t error, thrum_value value);

/* `awaits` of such an operation. */
void combinator_awaits(thrum_task *task, thrum_awaits *tell, void *context);

void member_init(thrum_member *member, member_set *set, thrum_awaitable what);
void member_by_handle(thrum_member *member, member_set *set, uint8_t kind, void *object);

/* Begin to wait for a member. True: it is over already, and the set is not told: a task or a future by handle that is
 * done (unless `later`: then the set is told in the next pass), what could not be started. */
bool member_start(thrum_member *member, bool later);

/* Ask a member to end. Whether it will tell the set. */
bool member_cancel(thrum_member *member);

/* Of a member by handle: wait no more. Of one that was never begun: drop it. */
void member_forget(thrum_member *member);
void members_forget(member_set *set);

/* Cancel what is adopted. */
void members_cancel_adopted(member_set *set);

void members_tell(const member_set *set, thrum_awaits *tell, void *context);

/* Has begun, and has not ended: what it waits for is alive. */
static inline bool member_waits(const thrum_member *member)
{
    return member->handle.waiter.node.state == NODE_PARKED;
}

static inline int member_error(const thrum_member *member)
{
    return (int)member->handle.waiter.node.error;
}

static inline thrum_value member_value(const thrum_member *member)
{
    return member->handle.waiter.as.value;
}

/* The detail of a member's error becomes that of the task's last one. */
void member_detail(thrum_member *member, thrum_task *task);

/* The details of all members' errors, in their order, hang on one of THRUM_EGROUP, which becomes that of the task's
 * last error. `outcomes` (may be NULL) learn where theirs are. Gives how many failed. */
struct thrum_outcome;
size_t members_errors(member_set *set, thrum_task *task, const char *operation, struct thrum_outcome *outcomes);

#endif
