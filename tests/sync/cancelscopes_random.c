/* Random programs of nested cancel scopes, shields and levels, cancelled and uncancelled at every pass by others,
 * against a model that knows nothing of tasks: it runs the same program as a plain recursion over a stack of scopes. */
/* Cancellations are swallowed on purpose. thrum-check: ignore-file thrum-cancellation-swallowed */
#include <sim.h>

enum { NODES = 24, SCOPES = 8, PASSES = 40, LINES = 400 };
enum { BLOCK, YIELD, EVENT, CANCEL_SCOPE, CANCEL_TASK, UNCANCEL, UNSHIELD, KINDS };
enum { OUTSIDE = -1 };

typedef struct node {
    int kind, scope, children[4];
    bool catches, shield, level;
} node;

typedef struct action {
    int what, scope; /* a kind from CANCEL_SCOPE on; EVENT sets it */
} action;

typedef struct program {
    node nodes[NODES];
    int node_count, scope_count;
    action actions[PASSES];
} program;

typedef struct trace {
    int lines[LINES];
    int count;
} trace;

static void note(trace *to, int pass, int where, int what)
{
    if (to->count < LINES)
        to->lines[to->count++] = pass * 100000 + where * 1000 + what;
}

/* ---- making programs ---- */

static uint32_t seed;

static int random_below(int bound)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return (int)(seed % (uint32_t)bound);
}

static int make_node(program *p, int depth)
{
    int at = p->node_count++;
    node *n = &p->nodes[at];
    memset(n, 0, sizeof *n);
    n->kind = depth == 0 || (depth < 5 && random_below(3) && p->scope_count < SCOPES) ? BLOCK
                                                                                      : YIELD + random_below(KINDS - 1);
    if (random_below(3) && n->kind > EVENT)
        n->kind = YIELD;
    n->scope = n->kind == BLOCK ? p->scope_count++ : random_below(SCOPES);
    n->catches = random_below(3) == 0;
    n->shield = random_below(3) == 0;
    n->level = random_below(3) == 0;
    if (n->kind == BLOCK)
        for (int i = 0; i < 4 && p->node_count < NODES; i++)
            if (i == 0 || random_below(4)) {
                int child = make_node(p, depth + 1);
                p->nodes[at].children[i] = child;
            }
    return at;
}

static void make_program(program *p, uint32_t from)
{
    memset(p, 0, sizeof *p);
    seed = from * 2654435761u + 1;
    make_node(p, 0);
    for (int i = 0; i < PASSES; i++)
        if (random_below(2)) {
            p->actions[i].what = random_below(5) ? CANCEL_SCOPE + random_below(4) : EVENT;
            p->actions[i].scope = random_below(SCOPES);
        }
}

/* ---- running them ---- */

typedef struct machine {
    const program *p;
    thrum_cancel_scope scopes[SCOPES];
    thrum_event event;
    thrum_task *task;
    int pass;
    trace out;
} machine;

static void real_act(machine *m, int what, int scope)
{
    if (what == EVENT)
        thrum_event_set(&m->event);
    if (what == CANCEL_SCOPE)
        thrum_cancel_scope_cancel(&m->scopes[scope]);
    if (what == CANCEL_TASK)
        thrum_task_cancel(m->task);
    if (what == UNCANCEL)
        thrum_task_uncancel(m->task);
    if (what == UNSHIELD)
        thrum_cancel_scope_unshield(&m->scopes[scope]);
}

static ASYNC(run_node, ARGS((machine *, m), (int, at)),
             LOCALS(int error; int i; const node *n; thrum_cancel_scope * s;))
{
    ASYNC_BEGIN;
    self->n = &self->m->p->nodes[self->at];
    if (self->n->kind == BLOCK) {
        self->s = &self->m->scopes[self->n->scope];
        WITH (*self->s, thrum_cancel_scope_open(self->s, THRUM_NEVER, self->n->shield ? THRUM_NEVER : 0,
                                                self->n->level ? THRUM_CANCEL_LEVEL : THRUM_CANCEL_EDGE)) {
            for (self->i = 0; self->i < 4; self->i++)
                if (self->n->children[self->i])
                    AWAIT(run_node(self->m, self->n->children[self->i]));
        }
        note(&self->m->out, self->m->pass, self->at,
             thrum_cancel_scope_caught(self->s) * 100 + (int)thrum_task_cancelling(self->m->task));
        ASYNC_RETURN(0);
    }
    if (self->n->kind == YIELD)
        AWAIT_CATCH_ALL(self->error, thrum_yield());
    else if (self->n->kind == EVENT)
        AWAIT_CATCH_ALL(self->error, &self->m->event);
    else
        real_act(self->m, self->n->kind, self->n->scope);
    if (self->n->kind == EVENT && !self->error)
        thrum_event_clear(&self->m->event);
    note(&self->m->out, self->m->pass, self->at, (self->error ? 500 : 0) + (int)thrum_task_cancelling(self->m->task));
    if (self->error && !self->n->catches)
        ASYNC_RAISE(self->error);
    ASYNC_END;
}

static void run_real(machine *m, const program *p)
{
    memset(m, 0, sizeof *m);
    m->p = p;
    sim_open();
    m->task = thrum_spawn(run_node(m, 0));
    for (; m->pass < PASSES && !thrum_task_done(m->task); m->pass++) {
        if (m->pass)
            real_act(m, p->actions[m->pass].what, p->actions[m->pass].scope);
        sim_pass();
    }
    if (!thrum_task_done(m->task))
        note(&m->out, 0, 0, 999);
    else
        note(&m->out, m->pass, 0, thrum_task_cancelled(m->task) ? 998 : 997);
    thrum_task_release(m->task);
    sim_abandon();
    memset(&sim, 0, sizeof sim);
}

/* ---- the model ---- */

enum { NEW, EARLY, OPEN, ASKED, OVER };

typedef struct model {
    const program *p;
    int state[SCOPES], held[SCOPES], before[SCOPES];
    bool shield[SCOPES], level[SCOPES];
    int stack[SCOPES], depth;
    int count, pass;
    bool pending, event, out_of_time;
    trace out;
} model;

static int place_of(const model *m, int scope)
{
    for (int i = 0; i < m->depth; i++)
        if (m->stack[i] == scope)
            return i;
    return -1;
}

/* The level reaches the innermost block of a stack of this depth. */
static bool model_levelled(const model *m)
{
    for (int i = m->depth - 1; i >= 0; i--) {
        int scope = m->stack[i];
        if (m->level[scope] && m->state[scope] == ASKED)
            return true;
        if (m->shield[scope])
            return false;
    }
    return false;
}

static bool strikes(const model *m)
{
    return m->pending || model_levelled(m);
}

static void model_ask(model *m, int by)
{
    for (int i = place_of(m, by) + 1; i < m->depth; i++)
        if (m->shield[m->stack[i]]) {
            m->held[m->stack[i]]++;
            return;
        }
    m->count++;
    m->pending = true;
}

static void model_unshield(model *m, int scope)
{
    int inner = -1;
    m->shield[scope] = false;
    for (int i = m->depth - 1; i > place_of(m, scope); i--)
        if (m->shield[m->stack[i]])
            inner = m->stack[i];
    if (inner >= 0) {
        m->held[inner] += m->held[scope];
    } else {
        m->count += m->held[scope];
        m->pending = m->pending || m->held[scope];
    }
    m->held[scope] = 0;
}

static void model_act(model *m, int what, int scope)
{
    if (what == EVENT)
        m->event = true;
    if (what == CANCEL_TASK)
        model_ask(m, OUTSIDE);
    if (what == CANCEL_SCOPE && m->state[scope] == NEW)
        m->state[scope] = EARLY;
    if (what == CANCEL_SCOPE && m->state[scope] == OPEN) {
        m->state[scope] = ASKED;
        model_ask(m, scope);
    }
    if (what == UNSHIELD && m->shield[scope])
        model_unshield(m, scope);
    if (what == UNCANCEL && m->count) {
        if (--m->count == 0)
            m->pending = false;
    } else if (what == UNCANCEL) {
        for (int i = m->depth - 1; i >= 0; i--)
            if (m->held[m->stack[i]]) {
                m->held[m->stack[i]]--;
                break;
            }
    }
}

static int model_cancelling(const model *m)
{
    int count = m->count;
    for (int i = 0; i < m->depth; i++)
        count += m->held[m->stack[i]];
    return count;
}

/* Wait, at most until `what` has happened. Whether the wait was cancelled. */
static bool model_wait(model *m, int what)
{
    bool struck = what == EVENT && strikes(m);
    if (what == EVENT && m->event)
        return false;
    if (struck)
        m->pending = false;
    for (;;) {
        if (++m->pass >= PASSES) {
            m->out_of_time = true;
            return false;
        }
        model_act(m, m->p->actions[m->pass].what, m->p->actions[m->pass].scope);
        if (strikes(m)) {
            m->pending = false; /* 38: two requests before it runs are one */
            return true;
        }
        if (struck || what == YIELD || m->event)
            return struck;
    }
}

static bool model_node(model *m, int at);

static bool model_block(model *m, int at)
{
    const node *n = &m->p->nodes[at];
    int scope = n->scope;
    bool error = false, ours = false, caught = false, early = m->state[scope] == EARLY;
    m->state[scope] = OPEN;
    if (n->shield && m->pending) {
        if (m->count && !model_levelled(m)) { /* a level is no request */
            m->held[scope]++;
            m->count--;
        }
        m->pending = false;
    }
    m->before[scope] = m->count - (m->pending && !model_levelled(m) && m->count ? 1 : 0);
    m->shield[scope] = n->shield;
    m->level[scope] = n->level;
    m->stack[m->depth++] = scope;
    if (early) {
        m->state[scope] = ASKED;
        model_ask(m, scope);
    }
    for (int i = 0; i < 4 && !error && !m->out_of_time; i++)
        if (n->children[i])
            error = model_node(m, n->children[i]);
    if (m->out_of_time)
        return false;
    bool asked = m->state[scope] == ASKED;
    m->state[scope] = OVER;
    m->depth--;
    if (asked) {
        if (m->count && --m->count == 0)
            m->pending = false;
        ours = m->count <= m->before[scope];
        if (ours || (m->level[scope] && error))
            m->pending = false;
        else if (m->level[scope])
            m->pending = true; /* somebody asked beside the level: who catches all sees it afterwards */
        if (ours && error) {
            error = false;
            caught = true;
        }
    }
    if (m->shield[scope]) {
        m->count += m->held[scope];
        if (m->held[scope] && !error)
            m->pending = true;
        m->held[scope] = 0;
        m->shield[scope] = false;
    }
    if (!error)
        note(&m->out, m->pass, at, caught * 100 + model_cancelling(m));
    return error;
}

static bool model_node(model *m, int at)
{
    const node *n = &m->p->nodes[at];
    bool error = false;
    if (n->kind == BLOCK)
        return model_block(m, at);
    if (n->kind == YIELD || n->kind == EVENT) {
        error = model_wait(m, n->kind);
        if (m->out_of_time)
            return false;
        if (n->kind == EVENT && !error)
            m->event = false;
    } else {
        model_act(m, n->kind, n->scope);
    }
    note(&m->out, m->pass, at, (error ? 500 : 0) + model_cancelling(m));
    return error && !n->catches;
}

static void run_model(model *m, const program *p)
{
    memset(m, 0, sizeof *m);
    m->p = p;
    bool error = model_node(m, 0);
    if (m->out_of_time)
        note(&m->out, 0, 0, 999);
    else
        note(&m->out, m->pass + 1, 0, error || m->pending ? 998 : 997);
}

TEST_LIMIT(cancelscopes_random, like_the_model, 60)
{
    static program p;
    static machine real;
    static model wanted;
    int caught = 0, struck = 0;
    for (uint32_t i = 1; i <= (THRUM_HOSTED ? 20000 : 200); i++) {
        make_program(&p, i);
        run_real(&real, &p);
        run_model(&wanted, &p);
        for (int line = 0; line < wanted.out.count || line < real.out.count; line++) {
            if (line >= real.out.count || line >= wanted.out.count || real.out.lines[line] != wanted.out.lines[line]) {
                CHECK_EQ(i, 0); /* the seed */
            }
            caught += wanted.out.lines[line] % 1000 / 100 == 1;
            struck += wanted.out.lines[line] % 1000 / 100 == 5;
        }
    }
    CHECK_GT(caught, THRUM_HOSTED ? 1000 : 10);
    CHECK_GT(struck, THRUM_HOSTED ? 10000 : 100);
}
