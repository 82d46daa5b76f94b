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
    made->script = program_script(&oracle.program, script);
    made->serial = ++oracle.made;
    if (oracle.last)
        oracle.last->next = made;
    else
        oracle.first = made;
    oracle.last = made;
    return made;
}

int start(const char *slot, const char *script, const char *group)
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
        made->task = thrum_spawn(script_task(made));
        made->owned = true;
        if (!made->task)
            return THRUM_ENOMEM;
    }
    struct run *before = name->what;
    if (before && before->owned) {
        before->owned = false;
        thrum_task_release(before->task);
    }
    name->what = made;
    return 0;
}

static int cancel(const char *slot, thrum_value *value)
{
    struct run *run = name_of(&oracle.slots, slot)->what;
    if (run)
        *value = RESULT(!run->gone && thrum_task_cancel(run->task));
    return 0;
}

static struct object *thing(const struct statement *statement, enum kind kind)
{
    return program_object(&oracle.program, statement->words[1], kind);
}

int at_once(const struct statement *s, thrum_value *value)
{
    switch (s->op) {
    case OP_RELEASE:
        return thrum_lock_release(&thing(s, KIND_LOCK)->as.lock);
    case OP_LOCKED:
        *value = RESULT(thrum_lock_locked(&thing(s, KIND_LOCK)->as.lock));
        return 0;
    case OP_SET:
        thrum_event_set(&thing(s, KIND_EVENT)->as.event);
        return 0;
    case OP_CLEAR:
        thrum_event_clear(&thing(s, KIND_EVENT)->as.event);
        return 0;
    case OP_RESOLVE:
        return thrum_future_set_result(&thing(s, KIND_FUTURE)->as.future, RESULT(atoi(s->words[2])));
    case OP_FAIL:
        return thrum_future_set_error(&thing(s, KIND_FUTURE)->as.future, error_named(s->words[2]));
    case OP_CANCEL_FUTURE:
        *value = RESULT(thrum_future_cancel(&thing(s, KIND_FUTURE)->as.future));
        return 0;
    case OP_SPAWN:
        return start(s->words[1], s->words[2], NULL);
    case OP_SPAWN_IN:
        return start(s->words[2], s->words[3], s->words[1]);
    case OP_CANCEL:
        return cancel(s->words[1], value);
    case OP_UNCANCEL:
        *value = RESULT(thrum_uncancel());
        return 0;
    case OP_CANCELLING:
        *value = RESULT(thrum_task_cancelling(thrum_current_task()));
        return 0;
    case OP_RAISE:
        return error_named(s->words[1]);
    default:
        refuse(s->line, "not a statement that is done at once", s->words[0]);
    }
}
