/* The statements that wait, each as a user of thrum would write it. A block gives 0, or RESULT() of the `return` that
 * it met. */
/* Cancellations are swallowed where a program says so. thrum-check: ignore-file thrum-cancellation-swallowed */
#include "machine.h"

#include <stdlib.h>
#include <string.h>

static thrum_awaitable block(struct run *run, const struct statement *first) THRUM_MUST_USE_;

static ASYNC(limited, ARGS((struct run *, run), (const struct statement *, here)),
             LOCALS(thrum_deadline limit; thrum_value result;))
{
    ASYNC_BEGIN;
    WITH (self->limit, thrum_deadline_after(&self->limit, MICROSECONDS(atoi(self->here->words[1])))) {
        AWAIT_INTO(self->result, block(self->run, self->here->body));
        if (self->result)
            ASYNC_RETURN(self->result);
    }
    ASYNC_END;
}

static ASYNC(grouped, ARGS((struct run *, run), (const struct statement *, here)),
             LOCALS(thrum_group group; thrum_try attempt; struct name * name; int error; thrum_value result;))
{
    ASYNC_BEGIN;
    self->name = name_of(&oracle.groups, self->here->words[1]);
    TRY (self->attempt) {
        WITH (self->group, thrum_group_open(&self->group)) {
            self->name->what = &self->group;
            AWAIT_INTO(self->result, block(self->run, self->here->body));
            if (self->result)
                ASYNC_RETURN(self->result);
        }
    }
    CATCH (self->error, self->attempt) {
        ASYNC_RAISE(self->error == THRUM_EGROUP ? error_of_group() : self->error);
    }
FINALLY:
    if (self->name->what == &self->group)
        self->name->what = NULL;
    ASYNC_END;
}

static ASYNC(repeated, ARGS((struct run *, run), (const struct statement *, here)),
             LOCALS(int left; thrum_value result;))
{
    ASYNC_BEGIN;
    for (self->left = atoi(self->here->words[1]); self->left > 0; self->left--) {
        AWAIT_INTO(self->result, block(self->run, self->here->body));
        if (self->result)
            ASYNC_RETURN(self->result);
    }
    ASYNC_END;
}

/* The clause of a try that an error goes to, or the one that is always run; NULL for none. */
static const struct statement *clause(const struct statement *here, enum operation op, int error)
{
    for (const struct statement *at = here->clauses; at; at = at->next)
        if (at->op == op &&
            (op == OP_FINALLY || strcmp(at->words[1], "any") == 0 || strcmp(at->words[1], error_name(error)) == 0))
            return at;
    return NULL;
}

static ASYNC(tried, ARGS((struct run *, run), (const struct statement *, here)),
             LOCALS(thrum_try attempt; const struct statement *clause; int error; thrum_value result;))
{
    ASYNC_BEGIN;
    TRY (self->attempt) {
        AWAIT_INTO(self->result, block(self->run, self->here->body));
    }
    CATCH_ALL (self->error, self->attempt) {
        self->clause = clause(self->here, OP_EXCEPT, self->error);
        if (!self->clause)
            ASYNC_RAISE(self->error);
        AWAIT_INTO(self->result, block(self->run, self->clause->body));
    }
    ASYNC_RETURN(self->result);
FINALLY:
    self->clause = clause(self->here, OP_FINALLY, 0);
    if (self->clause)
        AWAIT(block(self->run, self->clause->body));
    ASYNC_END;
}

/* The same where there is no `finally`: a body without FINALLY ends another way. */
static ASYNC(caught, ARGS((struct run *, run), (const struct statement *, here)),
             LOCALS(thrum_try attempt; const struct statement *clause; int error; thrum_value result;))
{
    ASYNC_BEGIN;
    TRY (self->attempt) {
        AWAIT_INTO(self->result, block(self->run, self->here->body));
    }
    CATCH_ALL (self->error, self->attempt) {
        self->clause = clause(self->here, OP_EXCEPT, self->error);
        if (!self->clause)
            ASYNC_RAISE(self->error);
        AWAIT_INTO(self->result, block(self->run, self->clause->body));
    }
    ASYNC_RETURN(self->result);
    ASYNC_END;
}

/* What a task ended with; nothing for a slot that is empty. */
static thrum_awaitable outcome(const char *slot)
{
    static thrum_future nothing;
    struct run *run = name_of(&oracle.slots, slot)->what;
    thrum_future_set_result(&nothing, NOTHING);
    if (!run)
        return thrum_future_wait(&nothing);
    return run->gone ? thrum_future_wait(&run->outcome) : thrum_task_wait(run->task);
}

static thrum_awaitable what_waits(struct run *run, const struct statement *s)
{
    const struct program *program = &oracle.program;
    switch (s->op) {
    case OP_SLEEP:
        return thrum_sleep(MICROSECONDS(atoi(s->words[1])));
    case OP_YIELD:
        return thrum_yield();
    case OP_ACQUIRE:
        return thrum_lock_acquire(&program_object(program, s->words[1], KIND_LOCK)->as.lock);
    case OP_WAIT:
        return thrum_event_wait(&program_object(program, s->words[1], KIND_EVENT)->as.event);
    case OP_AWAIT_FUTURE:
        return thrum_future_wait(&program_object(program, s->words[1], KIND_FUTURE)->as.future);
    case OP_AWAIT:
        return outcome(s->words[1]);
    case OP_WAIT_FOR:
        if (!name_of(&oracle.slots, s->words[2])->what)
            return outcome(s->words[2]);
        return thrum_timeout(MICROSECONDS(atoi(s->words[1])), outcome(s->words[2]));
    case OP_WAIT_FOR_ACQUIRE:
        return thrum_timeout(MICROSECONDS(atoi(s->words[1])),
                             thrum_lock_acquire(&program_object(program, s->words[2], KIND_LOCK)->as.lock));
    case OP_TRY:
        return clause(s, OP_FINALLY, 0) ? tried(run, s) : caught(run, s);
    case OP_TIMEOUT:
        return limited(run, s);
    case OP_GROUP:
        return grouped(run, s);
    case OP_REPEAT:
        return repeated(run, s);
    default:
        refuse(s->line, "not a statement that waits", s->words[0]);
    }
}

static ASYNC(block, ARGS((struct run *, run), (const struct statement *, at)), LOCALS(thrum_value result; int error;))
{
    ASYNC_BEGIN;
    for (; self->at; self->at = self->at->next) {
        self->result = NOTHING;
        if (self->at->op == OP_RETURN)
            ASYNC_RETURN(RESULT(atoi(self->at->words[1])));
        if (self->at->op < OP_SLEEP)
            self->error = at_once(self->at, &self->result);
        else
            AWAIT_CATCH_ALL_INTO(self->error, self->result, what_waits(self->run, self->at));
        if (!self->error && self->at->op >= OP_TRY && self->result)
            ASYNC_RETURN(self->result); /* it met a `return` */
        note(self->run, self->at->line, self->error, self->result);
        if (self->error)
            ASYNC_RAISE(self->error);
    }
    ASYNC_END;
}

ASYNC(script_task, ARGS((struct run *, run)), LOCALS(thrum_value result; int error;), ON_DROP(self->run->over = true;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH_ALL_INTO(self->error, self->result, block(self->run, self->run->script->body));
    note(self->run, 0, self->error, self->result);
    self->run->over = true;
    if (self->error)
        ASYNC_RAISE(self->error);
    ASYNC_RETURN(self->result);
    ASYNC_END;
}
