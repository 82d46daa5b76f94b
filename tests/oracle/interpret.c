/* The statements that wait, each as a user of thrum would write it. A block gives 0, or RESULT() of the `return` that
 * it met. */
/* Cancellations are swallowed where a program says so. thrum-check: ignore-file thrum-cancellation-swallowed */
#include "machine.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_LIST = 512 };

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

/* A time limit with a name: a new one each time, which is remembered after its end. */
static ASYNC(named_limit, ARGS((struct run *, run), (const struct statement *, here)),
             LOCALS(thrum_deadline *limit; thrum_value result;))
{
    ASYNC_BEGIN;
    self->limit = keep(sizeof *self->limit);
    WITH (*self->limit, thrum_deadline_after(self->limit, MICROSECONDS(atoi(self->here->words[2])))) {
        name_of(&oracle.limits, self->here->words[1])->what = self->limit;
        AWAIT_INTO(self->result, block(self->run, self->here->body));
        if (self->result)
            ASYNC_RETURN(self->result);
    }
    ASYNC_END;
}

static ASYNC(scoped, ARGS((struct run *, run), (const struct statement *, here)),
             LOCALS(thrum_context_token token; thrum_value result;))
{
    ASYNC_BEGIN;
    thrum_context_set(&program_object(&oracle.program, self->here->words[1])->as.variable, atoi(self->here->words[2]),
                      &self->token);
    AWAIT_INTO(self->result, block(self->run, self->here->body));
    ASYNC_RETURN(self->result);
FINALLY:
    thrum_context_reset(&self->token);
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

/* What gives a number, as the trace has it. */
static ASYNC(numbered, ARGS((thrum_awaitable, what)), LOCALS(thrum_value value;), ON_DROP(thrum_drop(self->what);))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->value, self->what);
    ASYNC_RETURN(RESULT(self->value));
    ASYNC_END;
}

/* ---- several at once ---- */

/* What stands in the slots that a statement names from its word `from` on. */
static size_t some(const struct statement *s, int from, thrum_awaitable *what, const char **names)
{
    size_t count = 0;
    for (int i = from; i < s->count; i++)
        if (name_of(&oracle.slots, s->words[i])->what) {
            if (names)
                names[count] = s->words[i];
            what[count++] = outcome(s->words[i]);
        }
    return count;
}

/* As Python's ','.join() does it, one by one. */
static void add(char *text, bool first, const char *more)
{
    if (strlen(text) + strlen(more) + 2 > MOST_LIST)
        refuse(0, "too long a list", text);
    if (!first)
        strcat(text, ",");
    strcat(text, more);
}

static ASYNC(gathered, ARGS((const struct statement *, here)),
             LOCALS(thrum_awaitable what[MOST_WORDS]; thrum_value values[MOST_WORDS]; size_t count;
                    char text[MOST_LIST];))
{
    ASYNC_BEGIN;
    self->count = some(self->here, 2, self->what, NULL);
    AWAIT(thrum_gather_array(self->count, self->what, self->values));
    for (size_t i = 0; i < self->count; i++) {
        char number[32];
        add(self->text, i == 0, text_of(self->values[i], number, sizeof number));
    }
    ASYNC_RETURN(result_text(self->text));
    ASYNC_END;
}

static ASYNC(gathered_all, ARGS((const struct statement *, here)),
             LOCALS(thrum_awaitable what[MOST_WORDS]; thrum_outcome outcomes[MOST_WORDS]; size_t count;
                    char text[MOST_LIST];))
{
    ASYNC_BEGIN;
    self->count = some(self->here, 2, self->what, NULL);
    AWAIT(thrum_gather_all_array(self->count, self->what, self->outcomes));
    for (size_t i = 0; i < self->count; i++) {
        char one[MOST_LIST] = "!";
        if (self->outcomes[i].error)
            add(self->text, i == 0, strncat(one, error_name(self->outcomes[i].error), sizeof one - 2));
        else
            add(self->text, i == 0, text_of(self->outcomes[i].value, one, sizeof one));
    }
    ASYNC_RETURN(result_text(self->text));
    ASYNC_END;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static ASYNC(waited, ARGS((const struct statement *, here)),
             LOCALS(thrum_awaitable what[MOST_WORDS]; const char *names[MOST_WORDS]; bool done[MOST_WORDS];
                    size_t count; thrum_time limit; thrum_wait_until until; char text[MOST_LIST];))
{
    ASYNC_BEGIN;
    self->count = some(self->here, 3, self->what, self->names);
    if (!self->count)
        ASYNC_RETURN(NOTHING);
    self->limit = self->here->words[2][0] == '-' ? THRUM_NEVER : MICROSECONDS(atoi(self->here->words[2]));
    self->until = self->here->words[1][0] == 'f'   ? THRUM_FIRST_COMPLETED
                  : self->here->words[1][0] == 'e' ? THRUM_FIRST_EXCEPTION
                                                   : THRUM_ALL_COMPLETED;
    AWAIT(thrum_wait_array(self->count, self->what, self->until, self->limit, self->done));
    size_t ended = 0;
    for (size_t i = 0; i < self->count; i++)
        if (self->done[i])
            self->names[ended++] = self->names[i];
    qsort(self->names, ended, sizeof *self->names, by_name);
    for (size_t i = ended; i-- > 1;)
        if (self->names[i] == self->names[i - 1] || strcmp(self->names[i], self->names[i - 1]) == 0)
            memmove(&self->names[i], &self->names[i + 1], (--ended - i) * sizeof *self->names); /* a set */
    for (size_t i = 0; i < ended; i++)
        add(self->text, i == 0, self->names[i]);
    ASYNC_RETURN(result_text(ended ? self->text : "none"));
    ASYNC_END;
}

/* Each line of the trace is one that has completed. */
static ASYNC(as_completed, ARGS((struct run *, run), (const struct statement *, here)),
             LOCALS(thrum_awaitable what[MOST_WORDS]; const char *names[MOST_WORDS]; thrum_completed completed;
                    size_t count, i; thrum_time limit;))
{
    ASYNC_BEGIN;
    self->count = some(self->here, 2, self->what, self->names);
    self->limit = self->here->words[1][0] == '-' ? THRUM_NEVER : MICROSECONDS(atoi(self->here->words[1]));
    WITH (self->completed, thrum_completed_open_array(&self->completed, self->limit, self->count, self->what)) {
        while (thrum_completed_left(&self->completed)) {
            AWAIT_INTO(self->i, thrum_completed_next(&self->completed));
            note(self->run, self->here->line, 0, result_text(self->names[self->i]));
        }
    }
    ASYNC_END;
}

static thrum_awaitable acquire(const char *name)
{
    struct object *object = program_object(&oracle.program, name);
    switch (object->kind) {
    case KIND_LOCK:
        return thrum_lock_acquire(&object->as.lock);
    case KIND_COND:
        return thrum_lock_acquire(thrum_condition_lock(&object->as.condition));
    default:
        return thrum_semaphore_acquire(&object->as.semaphore);
    }
}

static thrum_awaitable wait_of(const char *name)
{
    struct object *object = program_object(&oracle.program, name);
    switch (object->kind) {
    case KIND_EVENT:
        return thrum_event_wait(&object->as.event);
    case KIND_COND:
        return thrum_condition_wait(&object->as.condition);
    default:
        return numbered(thrum_barrier_wait(&object->as.barrier));
    }
}

static thrum_queue *queue(const char *name)
{
    return &program_object(&oracle.program, name)->as.queue;
}

static bool enough(void *context)
{
    const struct statement *s = context;
    return program_object(&oracle.program, s->words[2])->as.counter >= atoi(s->words[3]);
}

/* A script that is run by the task that calls it. */
static ASYNC(called, ARGS((struct run *, run), (const char *, script)), LOCALS(thrum_value result;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->result, block(self->run, program_script(&oracle.program, self->script)->body));
    ASYNC_RETURN(self->result);
    ASYNC_END;
}

static thrum_awaitable what_waits(struct run *run, const struct statement *s);

/* ---- generators ---- */

static thrum_iterable items(struct run *run, const struct statement *first) THRUM_MUST_USE_;

static ASYNC_GEN(items_tried, ARGS((struct run *, run), (const struct statement *, here)),
                 LOCALS(thrum_try attempt; thrum_iteration each; const struct statement *clause; int error;
                        thrum_value item;))
{
    ASYNC_BEGIN;
    TRY (self->attempt) {
        ASYNC_FOR (self->item, self->each, items(self->run, self->here->body))
            YIELD(self->item);
    }
    CATCH_ALL (self->error, self->attempt) {
        self->clause = clause(self->here, OP_EXCEPT, self->error);
        if (!self->clause)
            ASYNC_RAISE(self->error);
        ASYNC_FOR (self->item, self->each, items(self->run, self->clause->body))
            YIELD(self->item);
    }
FINALLY:
    self->clause = clause(self->here, OP_FINALLY, 0);
    if (self->clause)
        AWAIT(block(self->run, self->clause->body));
    ASYNC_END;
}

static ASYNC_GEN(items_repeated, ARGS((struct run *, run), (const struct statement *, here)),
                 LOCALS(thrum_iteration each; int left; thrum_value item;))
{
    ASYNC_BEGIN;
    for (self->left = atoi(self->here->words[1]); self->left > 0; self->left--)
        ASYNC_FOR (self->item, self->each, items(self->run, self->here->body))
            YIELD(self->item);
    ASYNC_END;
}

static ASYNC_GEN(items, ARGS((struct run *, run), (const struct statement *, at)),
                 LOCALS(thrum_try attempt; thrum_iteration each; thrum_value result, item; int error;))
{
    ASYNC_BEGIN;
    for (; self->at; self->at = self->at->next) {
        self->result = NOTHING;
        self->error = 0;
        TRY (self->attempt) {
            if (self->at->op == OP_YIELD_VALUE)
                YIELD(atoi(self->at->words[1]));
            else if (self->at->op == OP_TRY)
                ASYNC_FOR (self->item, self->each, items_tried(self->run, self->at))
                    YIELD(self->item);
            else if (self->at->op == OP_REPEAT)
                ASYNC_FOR (self->item, self->each, items_repeated(self->run, self->at))
                    YIELD(self->item);
            else if (self->at->op < OP_SLEEP)
                self->error = at_once(self->at, &self->result);
            else
                AWAIT_INTO(self->result, what_waits(self->run, self->at));
        }
        CATCH_ALL (self->error, self->attempt) {
        }
        note(self->run, self->at->line, self->error, self->result);
        if (self->error)
            ASYNC_RAISE(self->error);
    }
    ASYNC_END;
}

static ASYNC(iterated, ARGS((struct run *, run), (const struct statement *, here)),
             LOCALS(thrum_iteration each; thrum_value item, result;))
{
    ASYNC_BEGIN;
    ASYNC_FOR (self->item, self->each, items(self->run, program_script(&oracle.program, self->here->words[1])->body)) {
        note(self->run, self->here->line, 0, RESULT(self->item));
        AWAIT_INTO(self->result, block(self->run, self->here->body));
        if (self->result == BROKE)
            break;
        if (self->result)
            ASYNC_RETURN(self->result);
    }
    ASYNC_END;
}

static thrum_awaitable what_waits(struct run *run, const struct statement *s)
{
    switch (s->op) {
    case OP_SLEEP:
        return thrum_sleep(MICROSECONDS(atoi(s->words[1])));
    case OP_YIELD:
        return thrum_yield();
    case OP_ACQUIRE:
        return acquire(s->words[1]);
    case OP_WAIT:
        return wait_of(s->words[1]);
    case OP_AWAIT_FUTURE:
        return thrum_future_wait(&program_object(&oracle.program, s->words[1])->as.future);
    case OP_PUT:
        return thrum_queue_put_value(queue(s->words[1]), atoi(s->words[2]));
    case OP_GET:
        return numbered(thrum_queue_get_value(queue(s->words[1])));
    case OP_JOIN_QUEUE:
        return thrum_queue_join(queue(s->words[1]));
    case OP_AWAIT:
        return outcome(s->words[1]);
    case OP_WAIT_FOR:
        if (!name_of(&oracle.slots, s->words[2])->what)
            return outcome(s->words[2]);
        return thrum_timeout(MICROSECONDS(atoi(s->words[1])), outcome(s->words[2]));
    case OP_WAIT_FOR_ACQUIRE:
        return thrum_timeout(MICROSECONDS(atoi(s->words[1])), acquire(s->words[2]));
    case OP_WAIT_FOR_GET:
        return numbered(thrum_timeout(MICROSECONDS(atoi(s->words[1])), thrum_queue_get_value(queue(s->words[2]))));
    case OP_SHIELD:
        return name_of(&oracle.slots, s->words[1])->what ? thrum_shield(outcome(s->words[1])) : outcome(s->words[1]);
    case OP_SHIELD_FUTURE:
        return thrum_shield(&program_object(&oracle.program, s->words[1])->as.future);
    case OP_GATHER:
        return s->words[1][0] == '1' ? gathered_all(s) : gathered(s);
    case OP_WAIT_TASKS:
        return waited(s);
    case OP_AS_COMPLETED:
        return as_completed(run, s);
    case OP_CALL:
        return called(run, s->words[1]);
    case OP_WAIT_UNTIL:
        return numbered(thrum_condition_wait_for(&program_object(&oracle.program, s->words[1])->as.condition, enough,
                                                 (void *)(uintptr_t)s));
    case OP_LIMIT:
        return named_limit(run, s);
    case OP_SCOPED:
        return scoped(run, s);
    case OP_FOR:
        return iterated(run, s);
    case OP_READ:
    case OP_READ_EXACTLY:
    case OP_READ_LINE:
    case OP_READ_UNTIL:
    case OP_WAIT_FOR_READ:
        return reading(run, s);
    case OP_LINES:
        return lines(run, s);
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

ASYNC(block, ARGS((struct run *, run), (const struct statement *, at)), LOCALS(thrum_value result; int error;))
{
    ASYNC_BEGIN;
    for (; self->at; self->at = self->at->next) {
        self->result = NOTHING;
        if (self->at->op == OP_RETURN)
            ASYNC_RETURN(RESULT(atoi(self->at->words[1])));
        if (self->at->op == OP_BREAK)
            ASYNC_RETURN(BROKE);
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

ASYNC(statement_task, ARGS((struct run *, run), (const struct statement *, here)),
      LOCALS(thrum_value result; int error;), ON_DROP(self->run->over = true;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH_ALL_INTO(self->error, self->result, what_waits(self->run, self->here));
    note(self->run, 0, self->error, self->result);
    self->run->over = true;
    if (self->error)
        ASYNC_RAISE(self->error);
    ASYNC_RETURN(self->result);
    ASYNC_END;
}
