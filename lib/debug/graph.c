/* Call graphs. An edge is what a task says that it waits for when it is asked; here every task of the thread is asked,
 * once for each level of the graph. Nodes are found by address in a table whose heads stand in the nodes themselves. */
#include <thrum/graph.h>

#include "core/coroutines.h"
#include "core/details.h"
#include "core/scheduler.h"
#include "sync/taskgroups.h"

typedef struct builder {
    thrum_graph *graph;
    int limit;
    thrum_graph_node *begin, *end; /* the level whose waiters are looked for */
    thrum_task *asked;             /* the task that is being asked */
    thrum_graph_node *asked_node;
    size_t edges, frames;
} builder;

/* ---- nodes ---- */

static thrum_graph_node **bucket_of(thrum_graph *graph, const void *object)
{
    return &graph->nodes[((uintptr_t)object / 16 * 31) % graph->node_room].bucket_;
}

/* The node of a task or future that has its own under it; NULL when there is none. */
static thrum_graph_node *find(thrum_graph *graph, const void *object)
{
    thrum_graph_node *node = graph->node_room ? *bucket_of(graph, object) : NULL;
    while (node && (node->again || (node->task ? (void *)node->task : (void *)node->future) != object))
        node = node->chain_;
    return node;
}

static thrum_task_state state_of(const thrum_task *task)
{
    switch (task->waiter.node.state) {
    case NODE_PARKED:
    case NODE_TIMED:
        return task->operations ? THRUM_TASK_WAITING : THRUM_TASK_RUNNING;
    case NODE_ENDED:
    case NODE_DONE:
        return THRUM_TASK_DONE;
    default:
        if (task == thrum_state_here()->current)
            return THRUM_TASK_RUNNING;
        return task->leaf && frame_untouched(task->leaf) ? THRUM_TASK_NEW : THRUM_TASK_READY;
    }
}

static size_t depth_of(const thrum_task *task)
{
    size_t depth = 0;
    for (const thrum_coro *coro = task->leaf; coro; coro = coro->caller)
        depth++;
    return depth;
}

static void copy_frames(builder *build, thrum_graph_node *node, size_t skip)
{
    thrum_graph *graph = build->graph;
    size_t depth = depth_of(node->task);
    if (skip > depth)
        skip = depth;
    depth -= skip;
    if (build->limit >= 0 && depth > (size_t)build->limit) {
        depth = (size_t)build->limit;
    } else if (build->limit < 0 && depth > (size_t)0 - (size_t)build->limit) {
        skip += depth - ((size_t)0 - (size_t)build->limit);
        depth = (size_t)0 - (size_t)build->limit;
    }
    const thrum_coro *coro = node->task->leaf;
    while (skip--)
        coro = coro->caller;
    node->frames = graph->frames + graph->frame_count;
    for (; depth--; coro = coro->caller) {
        if (graph->frame_count == graph->frame_room) {
            graph->cut = true;
            return;
        }
        thrum_graph_frame *frame = &graph->frames[graph->frame_count++];
        bool function = !coro->head.operations->start;
        frame->function = coro->head.operations->name;
        frame->file = function ? thrum_function_file(function_of(coro)) : NULL;
        frame->line = function ? line_of(coro) : 0;
        node->frame_count++;
    }
}

/* A new node, in no list yet. */
static thrum_graph_node *add(builder *build, thrum_task *task, thrum_future *future, size_t skip)
{
    thrum_graph *graph = build->graph;
    const void *object = task ? (const void *)task : (const void *)future;
    if (graph->node_count == graph->node_room) {
        graph->cut = true;
        return NULL;
    }
    thrum_graph_node *same = find(graph, object);
    thrum_graph_node *node = &graph->nodes[graph->node_count++];
    node->task = task;
    node->future = future;
    node->again = same != NULL;
    /* Those of one object stand together, the one that has its own under it in front, then the newest. */
    thrum_graph_node **link = same ? &same->chain_ : bucket_of(graph, object);
    node->chain_ = *link;
    *link = node;
    if (task) {
        node->name = thrum_task_name(task);
        node->state = state_of(task);
        if (node->state == THRUM_TASK_WAITING) {
            node->operation = task->operations->name ? task->operations->name : "?";
            node->since = thrum_task_since(task);
        }
        if (same) {
            node->frames = same->frames;
            node->frame_count = same->frame_count;
        } else {
            copy_frames(build, node, skip);
        }
    }
    return node;
}

/* Put a node last under another one. */
static void hang(thrum_graph_node *node, thrum_graph_node *above)
{
    node->above = above;
    if (above->last_)
        above->last_->next = node;
    else
        above->first = node;
    above->last_ = node;
}

/* ---- asking ---- */

/* A task waits for the children of its open groups also while it does something else in their blocks. */
static void ask(thrum_task *task, thrum_awaits *tell, void *context)
{
    uint8_t state = task->waiter.node.state;
    if ((state == NODE_PARKED || state == NODE_TIMED) && task->operations && task->operations->awaits)
        task->operations->awaits(task, tell, context);
    for (const thrum_scope *scope = task->scopes; scope; scope = scope->outer)
        thrum_group_awaits(scope, tell, context);
}

static void count_edge(void *context, thrum_task *task, thrum_future *future)
{
    (void)task;
    (void)future;
    ((builder *)context)->edges++;
}

static void count_task(thrum_task *task, void *context)
{
    builder *build = (builder *)context;
    build->edges++; /* its own node */
    build->frames += depth_of(task);
    ask(task, count_edge, build);
}

void thrum_graph_room(size_t *nodes, size_t *frames)
{
    builder build = {0};
    thrum_core_each_task(count_task, &build);
    *nodes = build.edges + 1;
    *frames = build.frames + 1;
}

static void begin(builder *build, thrum_graph *graph, int limit, bool tree)
{
    thrum_clear_(build, sizeof *build);
    build->graph = graph;
    build->limit = limit;
    graph->first = NULL;
    graph->node_count = graph->frame_count = 0;
    graph->now = thrum_now();
    graph->tree = tree;
    graph->cut = false;
    for (size_t i = 0; i < graph->node_room; i++)
        thrum_clear_(&graph->nodes[i], sizeof *graph->nodes);
}

/* ---- who waits for it ---- */

static void note_waiter(void *context, thrum_task *task, thrum_future *future)
{
    builder *build = (builder *)context;
    thrum_graph *graph = build->graph;
    thrum_graph_node *target = find(graph, task ? (const void *)task : (const void *)future);
    if (!target || target < build->begin || target >= build->end)
        return;
    /* A task may say the same twice. */
    for (thrum_graph_node *same = find(graph, build->asked); same && same->task == build->asked; same = same->chain_)
        if (same->above == target)
            return;
    thrum_graph_node *node = add(build, build->asked, NULL, 0);
    if (node)
        hang(node, target);
}

static void ask_task(thrum_task *task, void *context)
{
    builder *build = (builder *)context;
    build->asked = task;
    ask(task, note_waiter, build);
}

static int capture(thrum_graph *graph, thrum_task *task, thrum_future *future, unsigned depth, int limit)
{
    builder build;
    begin(&build, graph, limit, false);
    bool current = task && task == thrum_state_here()->current;
    graph->first = add(&build, task, future, current ? depth : 0);
    if (!graph->first)
        return THRUM_ENOMEM;
    build.end = graph->nodes;
    while (build.end < graph->nodes + graph->node_count) {
        build.begin = build.end;
        build.end = graph->nodes + graph->node_count;
        thrum_core_each_task(ask_task, &build);
    }
    return graph->cut ? THRUM_ENOMEM : 0;
}

int thrum_capture_call_graph(thrum_graph *graph, thrum_task *task, unsigned depth, int limit)
{
    if (!task)
        task = thrum_state_here()->current;
    return task ? capture(graph, task, NULL, depth, limit) : THRUM_ESTATE;
}

int thrum_capture_future_call_graph(thrum_graph *graph, thrum_future *future, int limit)
{
    return future ? capture(graph, NULL, future, 0, limit) : THRUM_EINVAL;
}

/* ---- all tasks ---- */

static bool stands_over(const thrum_graph_node *node, const thrum_graph_node *over)
{
    while (node && node != over)
        node = node->above;
    return node != NULL;
}

static void note_awaited(void *context, thrum_task *task, thrum_future *future)
{
    builder *build = (builder *)context;
    thrum_graph *graph = build->graph;
    thrum_graph_node *target = find(graph, task ? (const void *)task : (const void *)future);
    if (!build->asked_node)
        return;
    /* A task may say the same twice: then what it said before is the newest. */
    thrum_graph_node *newest = target ? target->chain_ : NULL;
    bool said = newest && newest->task == task && newest->future == future && newest->above == build->asked_node;
    if (said || (target && target->above == build->asked_node))
        return;
    /* One that hangs nowhere yet hangs here, unless this hangs under it; otherwise it is only named. */
    if (!target || target->above || stands_over(build->asked_node, target))
        target = add(build, task, future, 0);
    if (target)
        hang(target, build->asked_node);
}

static void add_task(thrum_task *task, void *context)
{
    add((builder *)context, task, NULL, 0);
}

static void ask_for_tree(thrum_task *task, void *context)
{
    builder *build = (builder *)context;
    build->asked = task;
    build->asked_node = find(build->graph, task);
    ask(task, note_awaited, build);
}

int thrum_capture_task_tree(thrum_graph *graph, int limit)
{
    builder build;
    begin(&build, graph, limit, true);
    thrum_core_each_task(add_task, &build);
    size_t tasks = graph->node_count;
    thrum_core_each_task(ask_for_tree, &build);
    thrum_graph_node *last = NULL;
    for (size_t i = 0; i < tasks; i++)
        if (!graph->nodes[i].above) {
            if (last)
                last->next = &graph->nodes[i];
            else
                graph->first = &graph->nodes[i];
            last = &graph->nodes[i];
        }
    return graph->cut ? THRUM_ENOMEM : 0;
}
