/* Statements that never wait. */
#include "machine.h"

#include <stdlib.h>
#include <string.h>

struct name *name_of(struct name **names, const char *what)
{
    for (; *names; names = &(*names)->next)
        if (strcmp((*names)->name, what) == 0)
            return *names;
    *names = keep(sizeof **names);
    (*names)->name = what;
    return *names;
}

/* A child of a group has ended. Its handle is good as long as the group is open, so what it gave is taken over now. */
static void child_ended(thrum_handle *handle)
{
    struct run *run = handle->context;
    thrum_value value = NOTHING;
    int error = thrum_task_result(run->task, &value);
    if (error)
        thrum_future_set_error(&run->outcome, error);
    else
        thrum_future_set_result(&run->outcome, value);
    run->gone = true;
    run->task = NULL;
}

static struct run *run_new(const char *slot, const char *script)
{
    struct run *made = keep(sizeof *made);
    made->who = slot;
    made->script = script ? program_script(&oracle.program, script) : NULL;
    made->serial = ++oracle.made;
    if (oracle.last)
        oracle.last->next = made;
    else
        oracle.first = made;
    oracle.last = made;
    return made;
}

static void take_slot(struct name *name, struct run *made)
{
    struct run *before = name->what;
    if (before && before->owned) {
        before->owned = false;
        thrum_task_release(before->task);
    }
    name->what = made;
}

int start(const char *slot, const char *script, const char *group, bool eager)
{
    struct run *made = run_new(slot, script);
    struct name *name = name_of(&oracle.slots, slot);
    if (group) {
        thrum_group *in = name_of(&oracle.groups, group)->what;
        made->task = in ? thrum_group_spawn(in, script_task(made)) : NULL;
        if (!made->task) {
            made->over = true;
            return in ? thrum_group_error(in) : THRUM_ESTATE;
        }
        thrum_handle_init(&made->ended, child_ended, made);
        thrum_task_add_done_callback(made->task, &made->ended);
    } else {
        made->task = eager ? thrum_spawn_eager(script_task(made)) : thrum_spawn(script_task(made));
        made->owned = true;
        if (!made->task)
            return THRUM_ENOMEM;
    }
    take_slot(name, made);
    return 0;
}

int start_of(const struct statement *statement)
{
    struct run *made = run_new(statement->words[1], NULL);
    struct name *name = name_of(&oracle.slots, made->who);
    made->task = thrum_spawn(statement_task(made, statement->body));
    made->owned = true;
    if (!made->task)
        return THRUM_ENOMEM;
    take_slot(name, made);
    return 0;
}

static int cancel(const char *slot, thrum_value *value)
{
    struct run *run = name_of(&oracle.slots, slot)->what;
    if (run)
        *value = RESULT(!run->gone && thrum_task_cancel(run->task));
    return 0;
}

/* ---- calls ---- */

static void run_call(thrum_handle *handle)
{
    const struct call *call = handle->context;
    for (const struct statement *s = call->run.script->body; s; s = s->next) {
        thrum_value value = NOTHING;
        int error = at_once(s, &value);
        note(&call->run, s->line, error, value);
        if (error)
            return; /* asyncio tells its exception handler */
    }
}

static struct call *call_new(const char *name, const char *script)
{
    struct call *made = keep(sizeof *made);
    thrum_handle_init(&made->handle, run_call, made);
    made->run.who = name;
    made->run.script = program_script(&oracle.program, script);
    made->run.serial = ++oracle.made;
    name_of(&oracle.calls, name)->what = made;
    made->before = oracle.last_call;
    oracle.last_call = made;
    return made;
}

static thrum_handle *handle_of(const char *name)
{
    struct call *call = name_of(&oracle.calls, name)->what;
    return call ? &call->handle : NULL;
}

/* A child of a group that has ended is known by its outcome only. */
static int on_done(const struct statement *s)
{
    struct run *run = name_of(&oracle.slots, s->words[1])->what;
    if (!run)
        return 0;
    thrum_handle *handle = &call_new(s->words[2], s->words[3])->handle;
    return run->gone ? thrum_future_add_done_callback(&run->outcome, handle)
                     : thrum_task_add_done_callback(run->task, handle);
}

static int off_done(const struct statement *s, thrum_value *value)
{
    struct run *run = name_of(&oracle.slots, s->words[1])->what;
    thrum_handle *handle = handle_of(s->words[2]);
    if (run && handle)
        *value = RESULT(run->gone ? thrum_future_remove_done_callback(&run->outcome, handle)
                                  : thrum_task_remove_done_callback(run->task, handle));
    return 0;
}

static int off_future(const struct statement *s, thrum_value *value)
{
    thrum_handle *handle = handle_of(s->words[2]);
    if (handle)
        *value =
            RESULT(thrum_future_remove_done_callback(&program_object(&oracle.program, s->words[1])->as.future, handle));
    return 0;
}

static int of_limit(const struct statement *s, thrum_value *value)
{
    thrum_deadline *limit = name_of(&oracle.limits, s->words[1])->what;
    if (!limit)
        return 0;
    if (s->op == OP_EXPIRED) {
        *value = RESULT(thrum_deadline_expired(limit));
        return 0;
    }
    return thrum_deadline_reschedule(limit, s->words[2][0] == '-' ? THRUM_NEVER
                                                                  : thrum_now() + MICROSECONDS(atoi(s->words[2])));
}

static int release(struct object *object)
{
    switch (object->kind) {
    case KIND_LOCK:
        return thrum_lock_release(&object->as.lock);
    case KIND_COND:
        return thrum_lock_release(thrum_condition_lock(&object->as.condition));
    default:
        return thrum_semaphore_release(&object->as.semaphore);
    }
}

static bool locked(struct object *object)
{
    switch (object->kind) {
    case KIND_LOCK:
        return thrum_lock_locked(&object->as.lock);
    case KIND_COND:
        return thrum_lock_locked(thrum_condition_lock(&object->as.condition));
    default:
        return thrum_semaphore_locked(&object->as.semaphore);
    }
}

static int of_queue(const struct statement *s, thrum_queue *queue, thrum_value *value)
{
    thrum_value item = s->op == OP_PUT_NOWAIT ? atoi(s->words[2]) : 0;
    int error;
    switch (s->op) {
    case OP_PUT_NOWAIT:
        return thrum_queue_put_nowait(queue, &item);
    case OP_GET_NOWAIT:
        error = thrum_queue_get_nowait(queue, &item);
        if (!error)
            *value = RESULT(item);
        return error;
    case OP_TASK_DONE:
        return thrum_queue_task_done(queue);
    case OP_SHUTDOWN:
        thrum_queue_shutdown(queue, s->words[2][0] == '1');
        return 0;
    default:
        *value = RESULT(thrum_queue_size(queue));
        return 0;
    }
}

static int of_object(const struct statement *s, struct object *object, thrum_value *value)
{
    switch (s->op) {
    case OP_RELEASE:
        return release(object);
    case OP_LOCKED:
        *value = RESULT(locked(object));
        return 0;
    case OP_SET:
        thrum_event_set(&object->as.event);
        return 0;
    case OP_CLEAR:
        thrum_event_clear(&object->as.event);
        return 0;
    case OP_RESOLVE:
        return thrum_future_set_result(&object->as.future, RESULT(atoi(s->words[2])));
    case OP_FAIL:
        return thrum_future_set_error(&object->as.future, error_named(s->words[2]));
    case OP_CANCEL_FUTURE:
        *value = RESULT(thrum_future_cancel(&object->as.future));
        return 0;
    case OP_NOTIFY:
        return thrum_condition_notify(&object->as.condition, (size_t)atoi(s->words[2]));
    case OP_NOTIFY_ALL:
        return thrum_condition_notify_all(&object->as.condition);
    case OP_SETVAR:
        return thrum_context_set(&object->as.variable, atoi(s->words[2]), NULL);
    case OP_GETVAR:
        *value = RESULT(thrum_context_get(&object->as.variable));
        return 0;
    case OP_ADD:
        object->as.counter += atoi(s->words[2]);
        return 0;
    case OP_VALUE:
        *value = RESULT(object->as.counter);
        return 0;
    case OP_ABORT:
        thrum_barrier_abort(&object->as.barrier);
        return 0;
    case OP_RESET:
        thrum_barrier_reset(&object->as.barrier);
        return 0;
    default:
        return of_queue(s, &object->as.queue, value);
    }
}

int at_once(const struct statement *s, thrum_value *value)
{
    switch (s->op) {
    case OP_SPAWN:
        return start(s->words[1], s->words[2], NULL, false);
    case OP_SPAWN_EAGER:
        return start(s->words[1], s->words[2], NULL, true);
    case OP_SPAWN_IN:
        return start(s->words[2], s->words[3], s->words[1], false);
    case OP_TASK_OF:
        return start_of(s);
    case OP_SOON:
        return thrum_call_soon(&call_new(s->words[1], s->words[2])->handle);
    case OP_LATER:
        return thrum_call_later(MICROSECONDS(atoi(s->words[1])), &call_new(s->words[2], s->words[3])->handle);
    case OP_DROP_HANDLE:
        thrum_handle_cancel(handle_of(s->words[1]));
        return 0;
    case OP_ON_DONE:
        return on_done(s);
    case OP_OFF_DONE:
        return off_done(s, value);
    case OP_ON_FUTURE:
        return thrum_future_add_done_callback(&program_object(&oracle.program, s->words[1])->as.future,
                                              &call_new(s->words[2], s->words[3])->handle);
    case OP_OFF_FUTURE:
        return off_future(s, value);
    case OP_RESCHEDULE:
    case OP_EXPIRED:
        return of_limit(s, value);
    case OP_CANCEL:
        return cancel(s->words[1], value);
    case OP_UNCANCEL:
        *value = RESULT(thrum_uncancel());
        return 0;
    case OP_CANCELLING:
        *value = RESULT(thrum_task_cancelling(thrum_current_task()));
        return 0;
    case OP_FEED:
    case OP_FEED_EOF:
    case OP_FAIL_READER:
    case OP_AT_EOF:
    case OP_BUFFERED:
    case OP_READER_ERROR:
        return of_reader(s, program_object(&oracle.program, s->words[1])->as.reader.stream, value);
    case OP_RAISE:
        return error_named(s->words[1]);
    default:
        return of_object(s, program_object(&oracle.program, s->words[1]), value);
    }
}
