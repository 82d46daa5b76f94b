/* Making, waking and giving up what can be awaited. */
#include "core/coroutines.h"
#include "core/memory.h"
#include "core/state.h"

thrum_step thrum_done(thrum_task *task, int error, thrum_value value)
{
    return done(thrum_state_here(), task, error, value);
}

thrum_step thrum_parked(thrum_task *task)
{
    return parked(task);
}

static thrum_step failing_start(thrum_task *task, thrum_record *record)
{
    return thrum_done(task, (int)record->a, 0);
}

static const thrum_operations failing = {failing_start, NULL, NULL, NULL, "failing"};

/* Awaitables that fail need no memory, which is what most of them tell about. */
static thrum_record failures[] = {
    {{&failing}, NULL, THRUM_ENOMEM, 0},
    {{&failing}, NULL, THRUM_EINVAL, 0},
    {{&failing}, NULL, THRUM_ESTATE, 0},
    {{&failing}, NULL, THRUM_ECLOSED, 0},
};

THRUM_STATIC_ASSERT_(_Alignof(thrum_record) > WORD_RECORD || UINTPTR_MAX <= 0xffff, "the tag needs a bit");

thrum_awaitable thrum_awaitable_make(const thrum_operations *operations, void *object, thrum_value a, thrum_value b)
{
    thrum_state *state = thrum_state_here();
    thrum_record *record = &state->scratch;
    thrum_awaitable made;
    if (THRUM_UNLIKELY_(state->scratch_used)) {
        record = (thrum_record *)pool_take(&state->pool, sizeof *record, POOL_OTHER);
        if (!record) {
            thrum_record lost = {{operations}, object, a, b};
            if (operations->drop)
                operations->drop(&lost);
            return thrum_awaitable_failing(THRUM_ENOMEM);
        }
    } else {
        state->scratch_used = true;
    }
    record->head.operations = operations;
    record->object = object;
    record->a = a;
    record->b = b;
    made.word = (uintptr_t)(void *)record + WORD_RECORD;
    return made;
}

thrum_awaitable thrum_exit_make(const thrum_operations *operations, void *object)
{
    thrum_record *record = &thrum_state_here()->exit;
    thrum_awaitable made;
    record->head.operations = operations;
    record->object = object;
    made.word = (uintptr_t)(void *)record;
    return made;
}

thrum_awaitable thrum_awaitable_failing(int error)
{
    thrum_awaitable made;
    for (unsigned i = 0; i < sizeof failures / sizeof *failures; i++)
        if (failures[i].a == error) {
            made.word = (uintptr_t)(void *)&failures[i];
            return made;
        }
    return thrum_awaitable_make(&failing, NULL, error, 0);
}

void thrum_drop(thrum_awaitable what)
{
    thrum_head *head = head_of(what);
    const thrum_operations *operations = head->operations;
    if (!operations->start) {
        thrum_coro *coro = (thrum_coro *)(void *)head;
        thrum_coro *left_over = coro->caller;
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
    thrum_record record = *(thrum_record *)(void *)head;
    if (what.word & WORD_RECORD)
        thrum_record_free((thrum_record *)(void *)head);
    if (operations->drop)
        operations->drop(&record);
}

void thrum_waiters_add(thrum_waiters *list, thrum_waiter *waiter)
{
    thrum_waiter *first = list->first;
    if (!first) {
        list->first = waiter;
        waiter->node.next = waiter->node.prev = &waiter->node;
        return;
    }
    list_append(&first->node, &waiter->node);
}

void thrum_waiters_remove(thrum_waiters *list, thrum_waiter *waiter)
{
    thrum_node *next = waiter->node.next;
    if (next == &waiter->node) {
        list->first = NULL;
        return;
    }
    list_remove(&waiter->node);
    if (list->first == waiter)
        list->first = (thrum_waiter *)(void *)next;
}

thrum_waiter *thrum_waiters_pop(thrum_waiters *list)
{
    thrum_waiter *first = list->first;
    if (first)
        thrum_waiters_remove(list, first);
    return first;
}

void thrum_wake(thrum_waiter *waiter, int error, thrum_value value)
{
    if (waiter->node.state != NODE_PARKED)
        return;
    thrum_state *state = thrum_state_here();
    if (THRUM_UNLIKELY_(!state->open)) {
        /* Nobody will run it: the loop is closed, or this is not its thread. */
        if (!(waiter->node.flags & TASK_IS))
            waiter->node.state = NODE_IDLE;
        return;
    }
    waiter->node.error = (int32_t)error;
    waiter->as.value = value;
    uint8_t what = NODE_CALL;
    if (waiter->node.flags & TASK_IS) {
        const thrum_operations *operations = ((thrum_task *)(void *)waiter)->operations;
        bool look = operations->resume || waiter->node.flags & TASK_MUST_CANCEL;
        what = look ? NODE_LOOK : NODE_READY;
    }
    ready_push(state, &waiter->node, what);
}

bool thrum_task_woken(const thrum_task *task)
{
    uint8_t state = task->waiter.node.state;
    return state == NODE_READY || state == NODE_LOOK || state == NODE_DUE;
}
