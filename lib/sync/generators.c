/* Generators and iterations. For an item the generator's frame is put on the chain of the task that wants it, as that
 * of a called function is; a YIELD takes it off again, with the blocks that stand open in it. */
#include <thrum/generators.h>

#include "core/coroutines.h"
#include "core/details.h"
#include "core/inlining.h"
#include "core/memory.h"
#include "core/operations.h"
#include "core/panic.h"
#include "sync/generators.h"

typedef struct generator {
    thrum_coro coro;
    thrum_yields yields;
} generator;

THRUM_STATIC_ASSERT_(offsetof(generator, yields) == sizeof(thrum_coro), "generator_coro() goes back by a head");

static thrum_step generator_start(thrum_task *task, thrum_record *record);

static const thrum_operations generator_operations = {generator_start,           NULL, NULL, NULL,
                                                      THRUM_NAMED_("generator"), NULL};

static generator *generator_in(const thrum_iteration *iteration)
{
    return iteration->record.head.operations == &generator_operations ? (generator *)iteration->record.object : NULL;
}

#if THRUM_SMALL
thrum_generators_open thrum_generators_;
#endif

/* ---- it comes and goes ---- */

static void link_generator(thrum_state *state, thrum_yields *yields)
{
    yields->next = generators_open(state)->first;
    yields->link = &generators_open(state)->first;
    if (yields->next)
        yields->next->link = &yields->next;
    generators_open(state)->first = yields;
}

static void unlink_generator(thrum_yields *yields)
{
    *yields->link = yields->next;
    if (yields->next)
        yields->next->link = yields->link;
}

void thrum_iteration_adopt(thrum_iteration *iteration, thrum_yields *yields)
{
    yields->iteration = NULL;
    memset(iteration, 0, sizeof *iteration);
    iteration->record.head.operations = &generator_operations;
    iteration->record.object = generator_coro(yields);
    iteration->epoch = generators_open(thrum_state_here())->epoch;
    iteration->state = ITERATION_OPEN;
}

/* 0, or why the iterable has no items: then that is what the first one gives. */
static int take(thrum_iteration *iteration, thrum_iterable what)
{
    thrum_awaitable same = {what.word};
    thrum_state *state = thrum_state_here();
    generator *made = head_of(same)->operations->start ? NULL : (generator *)(void *)head_of(same);
    int error = 0;
    iteration->state = ITERATION_OPEN;
    iteration->item = iteration->closing = false;
#if THRUM_DEBUG
    if (made && made->coro.caller == POOL_FREE_MARK && !in_debug_mode(state))
        thrum_panic("an iterable is used again", NULL, 0);
#endif
    if ((in_debug_mode(state) && !thrum_check_unused(same)) || (made && made->yields.link)) {
        error = THRUM_ESTATE;
        same = thrum_awaitable_failing(error);
        made = NULL;
    }
    if (!made) {
        thrum_record *record = (thrum_record *)(void *)head_of(same);
        iteration->record = *record;
        if (same.word & WORD_RECORD)
            thrum_record_free(record);
        return error;
    }
    link_generator(state, &made->yields);
    iteration->epoch = generators_open(state)->epoch;
    iteration->record.head.operations = &generator_operations;
    iteration->record.object = made;
    return 0;
}

/* A generator that has not begun never will. */
static void drop_generator(thrum_iteration *iteration, generator *unbegun)
{
    thrum_awaitable what = {(uintptr_t)(void *)unbegun};
    iteration->state = ITERATION_ENDED;
    unlink_generator(&unbegun->yields);
    thrum_drop(what);
}

/* Whether there is anything left in it. Generators that were closed by thrum_shutdown_generators() or with their loop
 * are gone. */
static bool is_live(thrum_iteration *iteration)
{
    if (iteration->state == ITERATION_OPEN && generator_in(iteration) &&
        iteration->epoch != generators_open(thrum_state_here())->epoch)
        iteration->state = ITERATION_ENDED;
    return iteration->state == ITERATION_OPEN;
}

void thrum_generator_ended_(thrum_task *task)
{
    generator *ended = (generator *)(void *)task->leaf;
    thrum_iteration *iteration = ended->yields.iteration;
    bool closing = false;
    unlink_generator(&ended->yields);
    if (iteration != GENERATOR_LOST) {
        closing = iteration->closing;
        iteration->closing = false;
        iteration->state = ITERATION_ENDED;
    }
    uint32_t *leaving = &THRUM_LEAVING_(&ended->coro);
    if (!(*leaving & THRUM_FAILED_)) {
        if (!closing) {
            *leaving |= THRUM_FAILED_;
            ended->coro.result = THRUM_ESTOP;
        }
    } else if (ended->coro.result == THRUM_ESTOP) {
        /* Out of an iteration inside, by oversight: it must not look like the end of this one (PEP 479). */
        ended->coro.result = THRUM_ESTATE;
        thrum_detail_context(task, THRUM_ESTATE, THRUM_ESTOP);
    } else if (closing && ended->coro.result == THRUM_ELEFT) {
        *leaving &= ~THRUM_FAILED_;
        ended->coro.result = 0;
    }
}

/* ---- in and out ---- */

/* The generator's open blocks are the task's again. Where all awaits are cancelled, they are in these as well, up to a
 * shield (core/cancelling.h). */
static THRUM_COLD_ void put_scopes(thrum_task *task, thrum_yields *yields)
{
    thrum_scope *scope = yields->scopes, *levelled = scope;
    for (;; scope = scope->outer) {
        if (scope->flags & SCOPE_SHIELD)
            levelled = scope->outer;
        if (!scope->outer)
            break;
    }
    if (task->scopes && task->scopes->flags & SCOPE_LEVELLED)
        for (; levelled; levelled = levelled->outer)
            levelled->flags |= SCOPE_LEVELLED;
    scope->outer = task->scopes;
    task->scopes = yields->scopes;
    yields->scopes = NULL;
}

/* The generator's open blocks go with it. `around` is the loop that it will go on in, or NULL: false when one of them
 * keeps hold of the task, and nothing says that this task comes back. */
static bool take_scopes(thrum_task *task, thrum_coro *coro, thrum_yields *yields, thrum_scope *around)
{
    thrum_scope *outermost = NULL;
    bool of_task = false;
    for (thrum_scope *scope = task->scopes; scope && scope->owner == coro; scope = scope->outer) {
        of_task = of_task || scope->flags & SCOPE_OF_TASK;
        outermost = scope;
    }
    if (of_task) {
        if (!around || !(around->flags & SCOPE_OPEN))
            return false;
        around->flags |= SCOPE_OF_TASK; /* and so does the loop, for the function that it stands in */
    }
    if (outermost) {
        yields->scopes = task->scopes;
        if (!of_task) /* it came from outside */
            for (thrum_scope *scope = task->scopes; scope != outermost->outer; scope = scope->outer)
                scope->flags &= (uint8_t)~SCOPE_LEVELLED;
        task->scopes = outermost->outer;
        outermost->outer = NULL;
    }
    return true;
}

#if THRUM_NESTED_CALLS
/* It has ended in a step that was begun right here. */
static THRUM_COLD_ thrum_step end_nested(thrum_state *state, thrum_task *task, thrum_coro *coro)
{
    thrum_coro *caller = coro->caller;
    int32_t error = thrum_frame_end(state, task, coro, function_of(coro));
    task->leaf = caller;
    return done(state, task, (int)error, 0);
}
#endif

/* It was closed by others, or is in use. */
static THRUM_COLD_ thrum_step refuse(thrum_task *task, thrum_iteration *iteration, int error)
{
    if (iteration->epoch == generators_open(thrum_state_here())->epoch)
        return thrum_done(task, THRUM_EBUSY, 0);
    iteration->state = ITERATION_ENDED;
    return thrum_done(task, error ? error : THRUM_ESTOP, 0);
}

/* The generator goes on, in this task, with what comes out of its YIELD. */
static THRUM_INLINE_ thrum_step enter(thrum_task *task, thrum_iteration *iteration, thrum_value value, int error)
{
    thrum_step step = {THRUM_CALLED_};
    thrum_state *state = thrum_state_here();
    generator *leaf = (generator *)iteration->record.object;
    thrum_coro *caller = task->leaf;
    if (THRUM_UNLIKELY_(iteration->epoch != generators_open(state)->epoch) ||
        THRUM_UNLIKELY_(leaf->yields.iteration != NULL))
        return refuse(task, iteration, error);
    leaf->yields.iteration = iteration;
    leaf->coro.caller = caller;
    if (THRUM_UNLIKELY_(leaf->yields.scopes != NULL))
        put_scopes(task, &leaf->yields);
    task->leaf = &leaf->coro;
    task->waiter.node.error = (int32_t)error;
    task->waiter.as.value = value;
#if THRUM_NESTED_CALLS
    /* Right here, as a call does, unless a cancellation is on its way: that is looked to where the task parks. */
    if (state->nests <= 0 || task->waiter.node.flags & TASK_MUST_CANCEL)
        return step;
    state->nests--;
    step = leaf->coro.head.operations->resume(task);
    state->nests++;
    if (THRUM_UNLIKELY_(step.what == THRUM_DONE_))
        return end_nested(state, task, &leaf->coro);
    if (step.what == THRUM_CALLED_ && task->leaf == caller)
        step.what = THRUM_DONE_; /* it has yielded */
#endif
    return step;
}

static thrum_step generator_start(thrum_task *task, thrum_record *record)
{
    return enter(task, (thrum_iteration *)(void *)((char *)record - offsetof(thrum_iteration, record)), 0, 0);
}

/* The task goes on with the frame that is its leaf. */
static thrum_step back(thrum_task *task, int error, thrum_value value)
{
    thrum_step step = done(thrum_state_here(), task, error, value);
    if (THRUM_LIKELY_(step.what == THRUM_DONE_))
        step.what = THRUM_CALLED_;
    return step;
}

/* Off the task's chain. */
static void step_aside(thrum_task *task, thrum_coro *coro, thrum_yields *yields)
{
    task->leaf = coro->caller;
    coro->caller = NULL;
    yields->iteration = NULL;
}

/* With open blocks, in FINALLY, or where it must not yield. */
static THRUM_COLD_ thrum_step yield_with_more(thrum_task *task, thrum_yields *yields, thrum_value value)
{
    thrum_coro *coro = generator_coro(yields);
    thrum_iteration *iteration = yields->iteration;
    bool lost = iteration == GENERATOR_LOST || iteration->closing;
    if (!take_scopes(task, coro, yields, lost ? NULL : &iteration->scope))
        return back(task, thrum_error_set(THRUM_ESTATE, 0, "YIELD", 0, "inside a deadline or group"), 0);
    if (extension_of(task) && THRUM_LEAVING_(coro) & THRUM_IN_FINALLY_)
        thrum_detail_unhold(task, coro, 0); /* another task may go on with it */
    step_aside(task, coro, yields);
    if (!lost)
        return back(task, 0, value);
    if (iteration != GENERATOR_LOST) {
        iteration->closing = false;
        iteration->state = ITERATION_ENDED;
    }
    yields->iteration = GENERATOR_LOST;
    return back(task, thrum_error_set(THRUM_ESTATE, 0, "YIELD", 0, "while the generator is closed"), 0);
}

thrum_step thrum_yield_value_(thrum_task *task, thrum_yields *yields, thrum_value value, uint32_t resume)
{
    thrum_coro *coro = generator_coro(yields);
    thrum_iteration *iteration = yields->iteration;
    coro->resume = (coro->resume & (THRUM_FAILED_ | THRUM_IN_FINALLY_)) | resume;
    if (THRUM_UNLIKELY_(iteration == GENERATOR_LOST))
        return yield_with_more(task, yields, value);
    iteration->scope.flags &= (uint8_t)~SCOPE_OF_TASK;
    if (THRUM_UNLIKELY_(task->scopes && task->scopes->owner == coro) || THRUM_UNLIKELY_(iteration->closing) ||
        THRUM_UNLIKELY_(THRUM_LEAVING_(coro) & THRUM_IN_FINALLY_))
        return yield_with_more(task, yields, value);
    step_aside(task, coro, yields);
    return back(task, 0, value);
}

/* ---- by hand ---- */

int thrum_iteration_open(thrum_iteration *iteration, thrum_iterable what)
{
    if (is_live(iteration)) {
        thrum_iterable_drop(what);
        return THRUM_ESTATE;
    }
    memset(&iteration->scope, 0, sizeof iteration->scope);
    int error = take(iteration, what);
    if (error)
        iteration->state = ITERATION_NEW;
    return error;
}

static thrum_step next_start(thrum_task *task, thrum_record *record)
{
    thrum_iteration *iteration = (thrum_iteration *)record->object;
    thrum_value value = record->a;
    int error = (int)record->b;
    if (iteration->state == ITERATION_NEW)
        return thrum_done(task, THRUM_ESTATE, 0);
    if (!is_live(iteration))
        return thrum_done(task, error ? error : THRUM_ESTOP, 0);
    generator *mine = generator_in(iteration);
    if (!mine) {
        if (value || error)
            return thrum_done(task, THRUM_EUNSUPPORTED, 0);
        task->operations = iteration->record.head.operations;
        task->object = iteration->record.object;
        return task->operations->start(task, &iteration->record);
    }
    if (!frame_begun(&mine->coro) && !mine->yields.iteration) {
        if (error)
            drop_generator(iteration, mine);
        else if (value)
            error = THRUM_EINVAL;
        if (error)
            return thrum_done(task, error, 0);
    }
    if (error)
        thrum_detail_raised(task, error);
    return enter(task, iteration, value, error);
}

static const thrum_operations next_operations = {next_start, NULL, NULL, NULL, THRUM_NAMED_("iteration next"), NULL};

thrum_awaitable thrum_iteration_next(thrum_iteration *iteration)
{
    return thrum_awaitable_make(&next_operations, iteration, 0, 0);
}

thrum_awaitable thrum_iteration_send(thrum_iteration *iteration, thrum_value value)
{
    return thrum_awaitable_make(&next_operations, iteration, value, 0);
}

thrum_awaitable thrum_iteration_throw(thrum_iteration *iteration, int error)
{
    return error ? thrum_awaitable_make(&next_operations, iteration, 0, error) : thrum_awaitable_failing(THRUM_EINVAL);
}

/* ---- closing ---- */

/* What closes at once. False: the generator has to. */
static bool close_now(thrum_iteration *iteration)
{
    if (!is_live(iteration))
        return true;
    generator *mine = generator_in(iteration);
    if (mine && (mine->yields.iteration || frame_begun(&mine->coro)))
        return false;
    if (mine) {
        drop_generator(iteration, mine);
        return true;
    }
    iteration->state = ITERATION_ENDED;
    if (iteration->record.head.operations->drop)
        iteration->record.head.operations->drop(&iteration->record);
    return true;
}

static thrum_step close_start(thrum_task *task, thrum_record *record)
{
    thrum_iteration *iteration = (thrum_iteration *)record->object;
    if (close_now(iteration))
        return thrum_done(task, 0, 0);
    generator *mine = generator_in(iteration);
    if (mine->yields.iteration) {
        if (iteration->scope.phase) { /* the loop ends, and with it what another task has begun to use */
            mine->yields.iteration = GENERATOR_LOST;
            iteration->state = ITERATION_ENDED;
        }
        return thrum_done(task, THRUM_EBUSY, 0);
    }
    iteration->closing = true;
    return enter(task, iteration, 0, THRUM_ELEFT);
}

static const thrum_operations close_operations = {close_start, NULL, NULL, NULL, THRUM_NAMED_("iteration close"), NULL};

thrum_awaitable thrum_iteration_close(thrum_iteration *iteration)
{
    return make_awaitable(thrum_state_here(), &close_operations, iteration, 0);
}

/* ---- ASYNC_FOR ---- */

static thrum_awaitable iteration_exit(thrum_scope *scope)
{
    thrum_iteration *iteration = (thrum_iteration *)(void *)scope;
    return close_now(iteration) ? THRUM_NOTHING : thrum_exit_make(&close_operations, iteration);
}

void thrum_iteration_begin_(thrum_task *task, thrum_iteration *iteration, thrum_iterable what, uint32_t label)
{
    thrum_scope_begin_(task, &iteration->scope);
    (void)take(iteration, what);
    iteration->scope.exit = iteration_exit;
    (void)thrum_scope_entered_(task, &iteration->scope, label);
    thrum_scope_next_(&iteration->scope);
}

thrum_step thrum_iteration_fetch_(thrum_task *task, thrum_iteration *iteration, uint32_t resume)
{
    thrum_coro *coro = task->leaf;
    coro->resume = (coro->resume & (THRUM_FAILED_ | THRUM_IN_FINALLY_)) | resume;
    return thrum_begin_item(task, &iteration->record);
}

bool thrum_iteration_over_(thrum_task *task)
{
    if (task->waiter.node.error != THRUM_ESTOP)
        return false;
    task->waiter.node.error = 0;
    return true;
}

static thrum_yields *yields_of(const thrum_coro *coro)
{
    thrum_yields *yields = generators_open(thrum_state_here())->first;
    while (yields && generator_coro(yields) != coro)
        yields = yields->next;
    return yields;
}

bool thrum_loop_over(thrum_coro *coro)
{
    const thrum_yields *yields;
    while ((yields = yields_of(coro)) != NULL && generator_runs(yields)) {
        thrum_scope *around = &yields->iteration->scope;
        if (around->error != THRUM_ELEFT) {
            bool canceled = around->error == THRUM_ECANCELED;
            if (canceled)
                around->error = 0;
            return canceled;
        }
        coro = around->owner; /* that loop is in a generator which is left itself */
    }
    return false;
}

/* ---- iterables ---- */

thrum_iterable thrum_iterable_make(const thrum_operations *operations, void *object, thrum_value a, thrum_value b)
{
    thrum_iterable made = {thrum_awaitable_make(operations, object, a, b).word};
    return made;
}

void thrum_iterable_drop(thrum_iterable what)
{
    thrum_awaitable same = {what.word};
    thrum_drop(same);
}

thrum_iterable thrum_iteration_rest(thrum_iteration *iteration)
{
    return thrum_iterable_make(&next_operations, iteration, 0, 0);
}
