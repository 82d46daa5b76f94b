/* A model checker for things to wait for: it drives the real primitive, with real tasks on the real scheduler, through
 * every interleaving of what a few actors can do.
 *
 * An actor begins to wait (plainly, or within a time limit), has what it waited for, gives it back; while it waits it
 * can be cancelled, and its time can run out; each of these is a step. Between any two steps any number of ready nodes
 * may run, one at a time, so every order of steps and wake-ups that a loop can produce is among them, and more. After
 * every edge the exclusion and the counts are checked, wherever nothing is ready that nobody is left behind, and at the
 * end of every run that everything can be brought to its end and is as it was in the beginning.
 *
 * All that changes is the pool's memory, one array, the thread's state and a few structs: a snapshot copies them. The
 * search goes back by copying, and merges states that it has seen by a hash of what can matter. */
#ifndef THRUM_TEST_MODEL_H
#define THRUM_TEST_MODEL_H

#include <stdio.h>
#include <stdlib.h>

#define TEST_SIM_CORE
#include <sim.h>

enum { ACTORS = 4, EXTRAS = 4, DEPTH = 96, PATH = 4, KEY = 512 };

/* What an actor can do. EXTRA is the first of a subject's own steps. */
enum { WAIT, WAIT_LIMITED, CANCEL = 8, TIMEOUT, RELEASE, EXTRA, RUN = 31 };

struct actor {
    thrum_task *task;      /* while it waits, or is on its way with what it waited for */
    thrum_deadline *limit; /* around that, in its frame */
    uint32_t ticket;       /* the order of coming */
    uint8_t left;          /* steps */
    uint8_t how;           /* it waits or has waited: a number of the subject's */
    bool started, holding, limited, canceled, fired;
};

struct key {
    uint8_t bytes[KEY];
    size_t size;
};

/* A primitive under test. */
struct subject {
    const char *name;
    void *own; /* everything of it that changes */
    size_t size;
    unsigned hows; /* ways to wait */
    bool keeps;    /* who waited successfully holds something, to be released */
    void (*init)(void);
    bool (*may_wait)(unsigned me, unsigned how);
    thrum_awaitable (*wait)(unsigned me, unsigned how);
    void (*ended)(unsigned me, int error); /* may be NULL */
    void (*release)(unsigned me);          /* may be NULL */
    unsigned (*extras)(unsigned me);       /* a bit for each that is possible now; may be NULL */
    void (*extra)(unsigned me, unsigned which);
    void (*always)(void);
    void (*quiet)(void);
    void (*describe)(struct key *key);
    void (*finish)(void); /* everything is quiet: let the next ones go on; may be NULL */
};

/* What changes in a run and is neither in the pool nor the subject's own. */
static struct world {
    struct actor actors[ACTORS];
    uint32_t tickets;
    uint32_t left;
} world;

static struct model {
    const struct subject *subject;
    unsigned actors;
    bool merge;
    size_t states, edges, runs;
    size_t depth;
    char path[DEPTH][PATH];
    const char *violation;
    uint64_t *seen;
    size_t room;
    char *snapshots[DEPTH];
    char *from; /* what changes of the pool's array */
    size_t bytes;
} model;

static void violation(const char *what)
{
    if (!model.violation)
        model.violation = what;
}

#define HOLDS(condition) ((condition) ? (void)0 : violation(#condition))

/* ---- the key of a state ---- */

static void key_put(struct key *key, const void *from, size_t size)
{
    CHECK_LE(key->size + size, sizeof key->bytes);
    memcpy(key->bytes + key->size, from, size);
    key->size += size;
}

static void key_number(struct key *key, uint32_t number)
{
    key_put(key, &number, sizeof number);
}

/* Whose node this is. */
static uint32_t key_name(const thrum_node *node)
{
    for (unsigned i = 0; i < model.actors; i++) {
        const struct actor *actor = &world.actors[i];
        if (actor->task && node == &actor->task->waiter.node)
            return i;
        if (actor->limit && node == &actor->limit->timer.waiter.node)
            return i + ACTORS;
    }
    return 2 * ACTORS;
}

/* Who stands in a line, in order. */
static void key_line(struct key *key, const thrum_waiters *line)
{
    const thrum_node *first = line->first ? &line->first->node : NULL;
    for (const thrum_node *node = first; node; node = node->next == first ? NULL : node->next)
        key_number(key, key_name(node));
    key_number(key, UINT32_MAX);
}

static void key_actor(struct key *key, const struct actor *actor)
{
    uint32_t rank = 0;
    for (unsigned i = 0; i < model.actors; i++)
        rank += world.actors[i].task && world.actors[i].ticket < actor->ticket;
    key_number(key, (uint32_t)(actor->left | actor->how << 8 | actor->started << 12 | actor->holding << 13 |
                               actor->limited << 14 | actor->canceled << 15 | actor->fired << 16));
    if (!actor->task)
        return;
    const thrum_node *node = &actor->task->waiter.node;
    key_number(key, rank << 16 | node->count);
    key_number(key, (uint32_t)node->state | (uint32_t)node->flags << 8);
    key_number(key, (uint32_t)node->error);
    key_number(key, (uint32_t)actor->task->waiter.as.value);
    key_put(key, &actor->task->operations, sizeof actor->task->operations);
    key_number(key, actor->task->leaf ? actor->task->leaf->resume : 0);
    if (actor->limit)
        key_number(key, (uint32_t)actor->limit->state | (uint32_t)actor->limit->timer.waiter.node.state << 8);
}

static uint64_t key_hash(void)
{
    struct key key = {.size = 0};
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (unsigned i = 0; i < model.actors; i++)
        key_actor(&key, &world.actors[i]);
    const thrum_node *ready = thrum_state_here()->ready;
    for (const thrum_node *node = ready->next; node != ready; node = node->next)
        key_number(&key, key_name(node));
    key_number(&key, UINT32_MAX);
    model.subject->describe(&key);
    for (size_t i = 0; i < key.size; i++)
        hash = (hash ^ key.bytes[i]) * UINT64_C(0x100000001b3);
    hash ^= hash >> 29;
    hash *= UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 32 ? hash ^ hash >> 32 : 1;
}

/* Whether this state is new. */
static bool key_new(void)
{
    if (!model.merge)
        return true;
    uint64_t hash = key_hash();
    CHECK_LT(model.states * 2, model.room);
    for (size_t at = hash & (model.room - 1);; at = (at + 1) & (model.room - 1)) {
        if (model.seen[at] == hash)
            return false;
        if (!model.seen[at]) {
            model.seen[at] = hash;
            return true;
        }
    }
}

/* ---- snapshots ---- */

static void copy(char **at, void *what, size_t size, bool back)
{
    memcpy(back ? (char *)what : *at, back ? *at : (const char *)what, size);
    *at += size;
}

static void copy_all(char *at, bool back)
{
    thrum_state *state = thrum_state_here();
    copy(&at, state, sizeof *state, back);
    copy(&at, state->pool.lists, sizeof *state->pool.lists, back);
    copy(&at, &world, sizeof world, back);
    copy(&at, model.subject->own, model.subject->size, back);
    copy(&at, model.from, model.bytes, back);
}

static void save(void)
{
    CHECK_LT(model.depth, DEPTH);
    if (!model.snapshots[model.depth])
        model.snapshots[model.depth] = (char *)malloc(sizeof(thrum_state) + sizeof(struct pool_lists) + sizeof world +
                                                      model.subject->size + model.bytes);
    copy_all(model.snapshots[model.depth], false);
}

/* ---- what actors do ---- */

static void got(unsigned me)
{
    struct actor *actor = &world.actors[me];
    if (!model.subject->keeps)
        return;
    actor->holding = true;
    for (unsigned i = 0; i < model.actors; i++) {
        const struct actor *other = &world.actors[i];
        bool waits = other->task && other->task->waiter.node.state == NODE_PARKED && other->how == actor->how;
        if (i != me && waits && other->ticket < actor->ticket && !other->canceled && !other->fired)
            violation("who came later was served first");
    }
}

static ASYNC(plain, ARGS((unsigned, me), (unsigned, how)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(model.subject->wait(self->me, self->how));
    got(self->me);
    ASYNC_END;
}

static ASYNC(limited, ARGS((unsigned, me), (unsigned, how)), LOCALS(thrum_deadline limit;))
{
    ASYNC_BEGIN;
    WITH (self->limit, thrum_deadline_at(&self->limit, THRUM_NEVER)) {
        world.actors[self->me].limit = &self->limit;
        AWAIT(model.subject->wait(self->me, self->how));
        got(self->me);
    }
    world.actors[self->me].limit = NULL;
    ASYNC_END;
}

/* Tasks that have ended, and how. */
static void collect(void)
{
    for (unsigned i = 0; i < model.actors; i++) {
        struct actor *actor = &world.actors[i];
        if (!actor->task || !thrum_task_done(actor->task))
            continue;
        int error = thrum_task_result(actor->task, NULL);
        HOLDS(!actor->canceled || error == THRUM_ECANCELED);
        HOLDS(error != THRUM_ECANCELED || actor->canceled);
        HOLDS(error != THRUM_ETIMEDOUT || actor->fired);
        if (model.subject->ended)
            model.subject->ended(i, error);
        else if (error)
            HOLDS(!actor->holding && (actor->canceled || actor->fired));
        thrum_task_release(actor->task);
        actor->task = NULL;
        actor->limit = NULL;
        actor->limited = actor->canceled = actor->fired = false;
    }
}

/* Exactly the first ready node; what it makes ready goes to the tail. */
static void run_one(void)
{
    thrum_state *state = thrum_state_here();
    thrum_node rest;
    list_init(&rest);
    list_splice(&rest, state->ready);
    thrum_node *first = rest.next;
    list_remove(first);
    list_append(state->ready, first);
    thrum_core_batch(1);
    list_splice(&rest, state->ready);
    list_splice(state->ready, &rest);
    collect();
}

static void act(unsigned me, unsigned what)
{
    struct actor *actor = &world.actors[me];
    if (what == RUN) {
        run_one();
        return;
    }
    actor->started = true;
    actor->left--;
    world.left--;
    switch (what) {
    case CANCEL:
        actor->canceled = true;
        thrum_task_cancel(actor->task);
        break;
    case TIMEOUT:
        actor->fired = true;
        CHECK_EQ(thrum_deadline_reschedule(actor->limit, 0), 0);
        break;
    case RELEASE:
        actor->holding = false;
        model.subject->release(me);
        break;
    default:
        if (what >= EXTRA) {
            model.subject->extra(me, what - EXTRA);
            break;
        }
        actor->how = (uint8_t)(what / 2);
        actor->limited = what % 2;
        actor->ticket = world.tickets++;
        actor->task = thrum_spawn_eager(actor->limited ? limited(me, actor->how) : plain(me, actor->how));
        CHECK_NOT_NULL(actor->task);
    }
    collect();
}

static unsigned possible(unsigned me)
{
    const struct actor *actor = &world.actors[me];
    unsigned what = 0;
    if (!world.left || !actor->left)
        return 0;
    if (model.merge && me > 0 && !world.actors[me - 1].started)
        return 0; /* the actors are alike */
    if (actor->task)
        return 1u << CANCEL | (actor->limited && !actor->fired && actor->limit ? 1u << TIMEOUT : 0);
    for (unsigned how = 0; how < model.subject->hows; how++)
        if (model.subject->may_wait(me, how))
            what |= 3u << (2 * how);
    if (model.subject->release && actor->holding)
        what |= 1u << RELEASE;
    if (model.subject->extras)
        what |= model.subject->extras(me) << EXTRA;
    return what;
}

/* ---- the search ---- */

static void note(unsigned me, unsigned what)
{
    static const char letters[] = "wWrRxXyY!T-abcd";
    char *path = model.path[model.depth];
    path[0] = what == RUN ? ' ' : (char)('1' + me);
    path[1] = what == RUN ? '.' : letters[what];
    path[2] = '\0';
}

static void check(void)
{
    model.subject->always();
    if (!thrum_core_ready())
        model.subject->quiet();
}

static unsigned tasks_left(void)
{
    unsigned tasks = 0;
    for (unsigned i = 0; i < model.actors; i++)
        tasks += world.actors[i].task || world.actors[i].holding;
    return tasks;
}

/* The steps are used up: whoever holds something gives it back, until all have been served. */
static void end_run(void)
{
    model.runs++;
    for (unsigned turns = 0; !model.violation; turns++) {
        while (thrum_core_ready() && !model.violation) {
            run_one();
            check();
        }
        if (!tasks_left())
            break;
        if (turns > 4 * ACTORS) {
            violation("somebody waits for ever");
            break;
        }
        for (unsigned i = 0; i < model.actors && model.subject->release; i++)
            if (world.actors[i].holding && !world.actors[i].task) {
                world.actors[i].holding = false;
                model.subject->release(i);
            }
        if (model.subject->finish)
            model.subject->finish();
        check();
    }
    thrum_pool_stats stats;
    thrum_pool_stats_get(&stats);
    if (!model.violation && stats.used != sim.base)
        violation("memory is left");
}

static void explore(void)
{
    bool leaf = true;
    model.states++;
    save();
    for (unsigned me = 0; me <= model.actors && !model.violation; me++) {
        unsigned what = me < model.actors ? possible(me) : thrum_core_ready() ? 1u << RUN : 0;
        for (unsigned bit = 0; what && !model.violation; bit++) {
            if (!(what & 1u << bit))
                continue;
            what &= ~(1u << bit);
            leaf = leaf && bit == RUN;
            note(me, bit);
            act(me, bit);
            check();
            model.edges++;
            if (!model.violation && key_new()) {
                model.depth++;
                explore();
                if (!model.violation)
                    model.depth--;
            }
            if (model.violation)
                return; /* with the path as it is */
            copy_all(model.snapshots[model.depth], true);
        }
    }
    if (leaf && !model.violation) {
        model.path[model.depth][0] = '\0';
        end_run();
        if (!model.violation)
            copy_all(model.snapshots[model.depth], true);
    }
}

/* Once: a pool in an array, of which as little is free as is enough, since that is what is copied. */
static void open_core(void)
{
    static max_align_t memory[4096];
    static char *free_part;
    enum { ENOUGH = 6144 };
    struct thrum_pool *pool = &thrum_state_here()->pool;
    if (!free_part) {
        CHECK_EQ(thrum_pool_use_memory(memory, sizeof memory), 0);
        CHECK(thrum_core_open(&sim, 0, NULL));
        CHECK_LE(pool->memory + ENOUGH, pool->end);
        free_part = pool->memory;
        pool->end = free_part + ENOUGH;
    }
    thrum_pool_stats stats;
    thrum_pool_stats_get(&stats);
    sim.base = stats.used;
    model.from = free_part;
    model.bytes = ENOUGH;
}

/* All runs of so many actors; `each` steps for every actor, `all` together. */
static void model_check(const struct subject *subject, unsigned actors, unsigned each, unsigned all, bool merge)
{
    memset(&model, 0, sizeof model);
    memset(&world, 0, sizeof world);
    memset(&sim, 0, sizeof sim);
    model.subject = subject;
    model.actors = actors;
    model.merge = merge;
    if (merge) {
        model.room = (size_t)1 << 23;
        model.seen = (uint64_t *)calloc(model.room, sizeof *model.seen);
        CHECK_NOT_NULL(model.seen);
    }
    open_core();
    world.left = all;
    for (unsigned i = 0; i < actors; i++)
        world.actors[i].left = (uint8_t)each;
    memset(subject->own, 0, subject->size);
    subject->init();
    explore();
    printf("%s, %u actors, %u steps%s: %zu states, %zu edges, %zu runs\n", subject->name, actors, all,
           merge ? ", merged" : "", model.states, model.edges, model.runs);
    if (model.violation) {
        printf("violation: %s\n  after", model.violation);
        for (size_t i = 0; i <= model.depth && i < DEPTH; i++)
            printf(" %s", model.path[i]);
        printf("\n");
        fflush(stdout);
        FAIL("the model was violated");
    }
    fflush(stdout);
    free(model.seen);
    for (size_t i = 0; i < DEPTH; i++)
        free(model.snapshots[i]);
}

#endif
