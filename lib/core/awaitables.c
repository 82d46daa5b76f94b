/* Making, waking and giving up what can be awaited. */
#include "core/checks.h"
#include "core/coroutines.h"
#include "core/inlining.h"
#include "core/memory.h"
#include "core/operations.h"
#include "core/probes.h"
#include "core/ready.h"
#include "core/state.h"

thrum_step thrum_done(thrum_task *task, int error, thrum_value value)
{
#if THRUM_SMALL
    thrum_state *state = thrum_state_here();
    thrum_step step = {THRUM_DONE_};
    task->waiter.node.error = (int32_t)error;
    task->waiter.as.value = value;
    return --state->budget >= 0 ? step : thrum_to_the_tail(state, task);
#else
    return done(thrum_state_here(), task, error, value);
#endif
}

thrum_step thrum_parked(thrum_task *task)
{
    not_for_interrupts();
    return parked(task);
}

static thrum_step failing_start(thrum_task *task, thrum_record *record)
{
    return thrum_done(task, (int)record->a, 0);
}

static const thrum_operations failing = {failing_start, NULL, NULL, NULL, THRUM_NAMED_("failing"), NULL};

/* Awaitables that fail need no memory, which is what most of them tell about; where little code is wanted the others
 * do. */
static const thrum_record no_memory = {{&failing}, NULL, THRUM_ENOMEM, 0};
#if !THRUM_SMALL
static const thrum_record failures[] = {
    {{&failing}, NULL, THRUM_EINVAL, 0},
    {{&failing}, NULL, THRUM_ESTATE, 0},
    {{&failing}, NULL, THRUM_ECLOSED, 0},
};
#endif

THRUM_STATIC_ASSERT_(_Alignof(thrum_record) > WORD_POOLED && _Alignof(thrum_coro) > WORD_POOLED,
                     "the tag needs two bits");

static thrum_awaitable constant(const thrum_record *record)
{
    thrum_awaitable made = {(uintptr_t)(const void *)record};
    return made;
}

thrum_awaitable thrum_no_frame_(void)
{
    return constant(&no_memory);
}

thrum_awaitable thrum_awaitable_make(const thrum_operations *operations, void *object, thrum_value a, thrum_value b)
{
    thrum_state *state = thrum_state_here();
    thrum_record *record = &state->scratch;
    uintptr_t tag = WORD_RECORD;
    thrum_awaitable made;
    if (THRUM_UNLIKELY_(scratch_used(state))) {
        record = (thrum_record *)pool_take(&state->pool, sizeof *record, POOL_OTHER);
        tag = WORD_POOLED;
        if (record && in_debug_mode(state))
            thrum_made_note(record);
        if (!record && thrum_scratch_lend(state)) {
            record = &state->scratch;
            tag = WORD_RECORD;
        }
        if (!record) {
            thrum_record lost = {{operations}, object, a, b};
            if (operations->drop)
                operations->drop(&lost);
            return constant(&no_memory);
        }
    }
#if !THRUM_SMALL
    else
        state->scratch_used = true;
#endif
    record->head.operations = operations;
    record->object = object;
    record->a = a;
    record->b = b;
    made.word = (uintptr_t)(void *)record + tag;
    return made;
}

thrum_awaitable thrum_exit_make(const thrum_operations *operations, void *object)
{
#if THRUM_SMALL
    static thrum_record exit;
    thrum_record *record = &exit;
#else
    thrum_record *record = &thrum_state_here()->exit;
#endif
    thrum_awaitable made;
    record->head.operations = operations;
    record->object = object;
    made.word = (uintptr_t)(void *)record;
    return made;
}

thrum_awaitable thrum_awaitable_failing(int error)
{
    if (error == THRUM_ENOMEM)
        return constant(&no_memory);
#if !THRUM_SMALL
    for (unsigned i = 0; i < sizeof failures / sizeof *failures; i++)
        if (failures[i].a == error)
            return constant(&failures[i]);
#endif
    return thrum_awaitable_make(&failing, NULL, error, 0);
}

void thrum_drop(thrum_awaitable what)
{
    thrum_head *head = head_of(what);
    if (in_debug_mode(thrum_state_here()) && !thrum_check_unused(what))
        return;
    const thrum_operations *operations = head->operations;
    if (!operations->start) {
        thrum_coro *coro = (thrum_coro *)(void *)head;
        thrum_coro *left_over = THRUM_ALLOCATORS ? coro->caller : NULL; /* an array's are not walked */
        if (left_over == FRAME_DROPPED)
            return;
        if (left_over)
            coro->caller = FRAME_DROPPED;
        if (operations->drop)
            operations->drop((thrum_record *)(void *)coro);
        if (!left_over)
            thrum_frame_free(coro);
        return;
    }
    thrum_record *record = (thrum_record *)(void *)head;
    if (operations->drop)
        operations->drop(record);
    if (what.word & WORD_RECORD)
        thrum_record_free(record);
}

void thrum_waiters_add(thrum_waiters *list, thrum_waiter *waiter)
{
    not_for_interrupts();
    thrum_waiter *first = list->first;
    if (!first) {
        list->first = waiter;
        waiter->node.next = waiter->node.prev = &waiter->node;
        return;
    }
    list_append(&first->node, &waiter->node);
}

#if !THRUM_SMALL || THRUM_CHECKS
static THRUM_COLD_ void remove_stranger(const thrum_waiters *list, const thrum_waiter *waiter)
{
    if (in_debug_mode(thrum_state_here()))
        thrum_check_leaves(list, waiter);
}

void thrum_waiters_remove(thrum_waiters *list, thrum_waiter *waiter)
{
    not_for_interrupts();
    thrum_node *next = waiter->node.next;
    if (next == &waiter->node) {
        if (THRUM_LIKELY_(list->first == waiter))
            list->first = NULL;
        else
            remove_stranger(list, waiter); /* it was made anew while this one waited */
        return;
    }
    list_remove(&waiter->node);
    if (list->first == waiter)
        list->first = (thrum_waiter *)(void *)next;
}
#else
void thrum_waiters_remove(thrum_waiters *list, thrum_waiter *waiter)
{
    not_for_interrupts();
    (void)thrum_waiters_leave(list, waiter);
}
#endif

bool thrum_waiters_leave(thrum_waiters *line, thrum_waiter *waiter)
{
    thrum_node *next = waiter->node.next;
    bool known = next != &waiter->node || line->first == waiter;
    if (THRUM_CHECKS && THRUM_UNLIKELY_(!known || thrum_state_here()->open != OPEN_PLAIN))
        known = thrum_check_leaves(line, waiter);
    list_remove(&waiter->node);
    if (line->first == waiter)
        line->first = next == &waiter->node ? NULL : (thrum_waiter *)(void *)next;
    return known;
}

thrum_waiter *thrum_waiters_pop(thrum_waiters *list)
{
    not_for_interrupts();
    thrum_waiter *first = list->first;
    if (first)
        thrum_waiters_remove(list, first);
    return first;
}

void thrum_wake(thrum_waiter *waiter, int error, thrum_value value)
{
    not_for_interrupts();
    if (waiter->node.state != NODE_PARKED)
        return;
    thrum_state *state = thrum_state_here();
#if THRUM_CHECKS
    if (doubtful(state) && !thrum_check_wake(waiter))
        return;
#else
    if (THRUM_UNLIKELY_(!state->open)) {
        if (!(waiter->node.flags & TASK_IS))
            waiter->node.state = NODE_IDLE; /* nobody will call it */
        return;
    }
#endif
    waiter->node.error = (int32_t)error;
    waiter->as.value = value;
    uint8_t what = waiter->node.flags & TASK_IS ? woken_as(task_of(&waiter->node)) : NODE_CALL;
    PROBE2(wake, waiter, error);
    ready_push(state, &waiter->node, what);
}

bool thrum_task_woken(const thrum_task *task)
{
    return task_woken(task);
}
