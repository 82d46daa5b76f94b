/* What is called only where blocks are, or cancellations: where little code is wanted by way of the state, so that it
 * is linked in only then. */
#ifndef THRUM_CORE_VERBS_H
#define THRUM_CORE_VERBS_H

#include "core/state.h"

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

#endif
