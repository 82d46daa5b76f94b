/* Debug mode: objects of the user's that tasks wait in, and that were moved, made anew, destroyed, or used from another
 * thread meanwhile. What is looked at first is memory that is known to be sound: the tasks of this thread's pool. */
#include "core/checks.h"
#include "core/coroutines.h"
#include "core/memory.h"
#include "core/operations.h"
#include "core/scheduler.h"

#if THRUM_CHECKS

typedef struct text {
    char at[96];
    size_t length;
} text;

static void put(text *to, const char *words)
{
    while (*words && to->length < sizeof to->at - 1)
        to->at[to->length++] = *words++;
    to->at[to->length] = '\0';
}

void thrum_check_tell_of(const char *name, const char *what, const void *object, const thrum_task *waits)
{
    text message = {{0}, 0};
    if (thrum_state_here()->open == OPEN_NOT && !(thrum_stray_hook && thrum_stray_hook(NULL)))
        return; /* then what is another thread's is not looked at either */
    thrum_core_report report = {.message = message.at};
    put(&message, name);
    put(&message, what);
    if (waits)
        report.waits_in = thrum_users_function(waits, &report.waits_line);
    thrum_made_find(object, &report.made_in, &report.made_line);
    thrum_check_tell(&report);
}

static bool is_parked(const thrum_task *task)
{
    return task->waiter.node.flags & TASK_IS && task->waiter.node.state == NODE_PARKED && task->operations;
}

/* ---- who waits in an object ---- */

typedef struct search {
    const check_kind *kind;
    const void *object;
    const thrum_task *found;
} search;

static void look_at(thrum_task *task, void *context)
{
    search *wanted = (search *)context;
    if (is_parked(task) && wanted->kind->waited_in(task) == wanted->object)
        wanted->found = task;
}

static const thrum_task *somebody_in(const check_kind *kind, const void *object)
{
    search wanted = {kind, object, NULL};
    thrum_core_each_task(look_at, &wanted);
    return wanted.found;
}

void thrum_check_begins(const check_kind *kind, const void *object)
{
    const thrum_task *waits = somebody_in(kind, object);
    if (waits)
        thrum_check_tell_of(kind->name, " was made anew while a task waits in it", object, waits);
    thrum_made_note(object);
}

/* ---- a line is touched ---- */

/* An address whose bytes are all the same is none: the memory was overwritten. */
static bool is_filler(const void *address)
{
    unsigned char bytes[sizeof address];
    memcpy(bytes, &address, sizeof bytes);
    for (size_t i = 1; i < sizeof bytes; i++)
        if (bytes[i] != bytes[0])
            return false;
    return true;
}

bool thrum_check_line(const check_kind *kind, const thrum_waiters *line, const void *object)
{
    const thrum_state *state = thrum_state_here();
    const thrum_task *first = (const thrum_task *)(const void *)line->first;
    if (!first)
        return true;
    if (!thrum_pool_owns(&state->pool, first)) {
        if (is_filler(first))
            thrum_check_tell_of(kind->name, " was destroyed while a task waits in it", object,
                                somebody_in(kind, object));
        else
            thrum_check_tell_of(kind->name,
                                " of another loop was used in this thread: thrum_call_soon_threadsafe() is for that",
                                object, first);
        return false;
    }
    if (is_parked(first) && kind->waited_in(first) == object)
        return state->open != OPEN_NOT;
    if (is_parked(first) && kind->waited_in(first))
        thrum_check_tell_of(kind->name, " was moved while a task waits in it", object, first);
    else
        thrum_check_tell_of(kind->name, " was moved while a task waited in it", object, NULL);
    return false;
}

thrum_step thrum_check_enter(const check_kind *kind, const void *object, thrum_waiters *line, thrum_task *task)
{
    if (!thrum_check_line(kind, line, object))
        return done(thrum_state_here(), task, THRUM_ESTATE, 0);
    thrum_waiters_add(line, &task->waiter);
    return parked(task);
}

bool thrum_check_future_line(const check_kind *kind, const thrum_waiters *line, const void *object)
{
    if (is_filler(line->first))
        return thrum_check_line(kind, line, object);
    const thrum_task *first = (const thrum_task *)(const void *)line->first;
    if (thrum_pool_owns(&thrum_state_here()->pool, first) && is_parked(first) && kind->waited_in(first))
        return thrum_check_line(kind, line, object);
    return true;
}

/* ---- a task leaves a line ---- */

static bool stands_in(const thrum_waiters *line, const thrum_waiter *waiter)
{
    const thrum_node *node = &waiter->node;
    do {
        if ((const void *)node == line->first)
            return true;
        node = node->next;
    } while (node != &waiter->node);
    return false;
}

bool thrum_check_leaves(const thrum_waiters *line, const thrum_waiter *waiter)
{
    const thrum_task *task = (const thrum_task *)(const void *)waiter;
    if (stands_in(line, waiter))
        return true;
    if (waiter->node.flags & TASK_IS && thrum_state_here()->open == OPEN_DEBUG)
        thrum_check_tell_of(task->operations && task->operations->name ? task->operations->name : "something",
                            ": what a task waits in was moved, made anew or destroyed", task->object, task);
    return false;
}

/* ---- what an object's state forbids ---- */

int thrum_check_refused(const void *object, const char *what, int error)
{
    thrum_check_tell_of("", what, object, NULL);
    return error;
}

#endif
