/* Captured graphs as text. Lines are put together without a C library, and cut where they get too long. */
#include <thrum/graph.h>

#include "core/coroutines.h"
#include "core/panic.h"

enum { LINE_SIZE = 240, DEEPEST = 24 };

typedef struct line {
    char text[LINE_SIZE];
    size_t length;
    thrum_put_line *put;
    void *context;
} line;

/* An address or a line. */
#if UINTPTR_MAX > 0xffffffff
typedef uintptr_t number;
#else
typedef uint32_t number;
#endif

static void add(line *to, const char *text)
{
    while (*text && to->length < LINE_SIZE - 1)
        to->text[to->length++] = *text++;
}

static void add_number(line *to, number value, unsigned base, unsigned least)
{
    char digits[24], *at = digits + sizeof digits - 1;
    *at = '\0';
    do {
        *--at = "0123456789abcdef"[value % base];
        value /= base;
        least -= least > 0;
    } while ((value || least) && at > digits);
    add(to, at);
}

static void end(line *to)
{
    to->text[to->length] = '\0';
    to->length = 0;
    if (to->put)
        to->put(to->context, to->text);
    else if (thrum_line_hook)
        thrum_line_hook(to->text);
}

static void add_spaces(line *to, size_t count)
{
    while (count--)
        add(to, " ");
}

/* Ticks as seconds with three places. */
static void add_seconds(line *to, thrum_time ticks)
{
    enum { A_MILLISECOND = THRUM_TICKS_PER_SECOND >= 1000 ? THRUM_TICKS_PER_SECOND / 1000 : 1 };
    uint32_t rest = (uint32_t)(ticks % THRUM_TICKS_PER_SECOND);
    add_number(to, (number)(ticks / THRUM_TICKS_PER_SECOND), 10, 0);
    add(to, ".");
    add_number(to, THRUM_TICKS_PER_SECOND >= 1000 ? rest / A_MILLISECOND : rest * 1000 / THRUM_TICKS_PER_SECOND, 10, 3);
    add(to, " s");
}

static const char *state_name(const thrum_graph_node *node)
{
    static const char *const names[] = {"has not begun", "runs", "ready", "waits", "done"};
    return node->operation ? node->operation : names[node->state];
}

static void add_state(line *to, const thrum_graph *graph, const thrum_graph_node *node)
{
    if (node->operation)
        add(to, "waits in ");
    add(to, state_name(node));
    if (node->operation && node->since) {
        add(to, " for ");
        add_seconds(to, graph->now > node->since ? graph->now - node->since : 0); /* virtual time begins at 0 */
    }
}

/* ---- as a tree ---- */

static void print_frame(line *to, const thrum_graph_frame *frame, size_t indent)
{
    add_spaces(to, indent);
    add(to, "  |   ");
    if (frame->file) {
        add(to, "File '");
        add(to, frame->file);
        add(to, "', ");
        if (frame->line) {
            add(to, "line ");
            add_number(to, frame->line, 10, 0);
            add(to, ", ");
        }
    }
    add(to, "in async ");
    add(to, frame->function);
    add(to, "()");
    end(to);
}

static void print_node(line *to, const thrum_graph *graph, const thrum_graph_node *node, size_t level)
{
    size_t indent = (level < DEEPEST ? level : DEEPEST) * 4;
    add_spaces(to, indent);
    if (node->task) {
        add(to, "* Task(name='");
        add(to, node->name ? node->name : "?");
        add(to, "', id=0x");
        add_number(to, (uintptr_t)node->task, 16, 0);
        add(to, "), ");
        add_state(to, graph, node);
    } else {
        add(to, "* Future(id=0x");
        add_number(to, (uintptr_t)node->future, 16, 0);
        add(to, ")");
    }
    if (node->again)
        add(to, ", as elsewhere");
    end(to);
    if (node->again)
        return;
    if (node->frame_count) {
        add_spaces(to, indent);
        add(to, "  + Call stack:");
        end(to);
    }
    for (size_t i = 0; i < node->frame_count; i++)
        print_frame(to, &node->frames[i], indent);
    if (node->first) {
        add_spaces(to, indent);
        add(to, graph->tree ? "  + Waits for:" : "  + Awaited by:");
        end(to);
    }
}

void thrum_graph_print(const thrum_graph *graph, thrum_put_line *put, void *context)
{
    line to = {.put = put, .context = context};
    size_t level = 0;
    for (const thrum_graph_node *node = graph->first; node;) {
        print_node(&to, graph, node, level);
        if (node->first) {
            node = node->first;
            level++;
            continue;
        }
        while (node && !node->next) {
            node = node->above;
            level--;
        }
        node = node ? node->next : NULL;
    }
    if (graph->cut) {
        add(&to, "... and more");
        end(&to);
    }
}

typedef struct text {
    char *buffer;
    size_t size, length;
} text;

static void append(void *context, const char *line_text)
{
    text *to = (text *)context;
    for (;; line_text++) {
        char next = *line_text ? *line_text : '\n';
        if (to->length + 1 < to->size)
            to->buffer[to->length] = next;
        to->length++;
        if (!*line_text)
            return;
    }
}

size_t thrum_graph_format(const thrum_graph *graph, char *buffer, size_t size)
{
    text to = {buffer, size, 0};
    thrum_graph_print(graph, append, &to);
    if (to.length)
        to.length--; /* newlines separate */
    if (size)
        buffer[to.length < size ? to.length : size - 1] = '\0';
    return to.length;
}

/* ---- as a table ---- */

/* To the column that begins there, and at least one space. */
static void column(line *to, size_t at)
{
    do
        add(to, " ");
    while (to->length < at);
}

enum { NAME_AT = 20, STATE_AT = 40, FRAMES_AT = 66 };

static void print_row(line *to, const thrum_graph *graph, const thrum_graph_node *node)
{
    add(to, "0x");
    add_number(to, (uintptr_t)node->task, 16, 0);
    column(to, NAME_AT);
    add(to, node->name ? node->name : "?");
    column(to, STATE_AT);
    add_state(to, graph, node);
    column(to, FRAMES_AT);
    for (size_t i = 0; i < node->frame_count; i++) {
        const thrum_graph_frame *frame = &node->frames[i];
        if (i)
            add(to, " <- ");
        add(to, frame->function);
        if (frame->file && frame->line) {
            add(to, " ");
            add(to, frame->file);
            add(to, ":");
            add_number(to, frame->line, 10, 0);
        }
    }
    /* Everybody who waits for it: where it hangs, and where it is named. */
    const char *before = "; awaited by ";
    for (const thrum_graph_node *same = node; same && same->task == node->task; same = same->chain_)
        if (same->above) {
            add(to, before);
            add(to, same->above->name ? same->above->name : "?");
            before = ", ";
        }
    end(to);
}

void thrum_graph_print_table(const thrum_graph *graph, thrum_put_line *put, void *context)
{
    line to = {.put = put, .context = context};
    add(&to, "task");
    column(&to, NAME_AT);
    add(&to, "name");
    column(&to, STATE_AT);
    add(&to, "state");
    column(&to, FRAMES_AT);
    add(&to, "innermost function <- its caller; awaited by");
    end(&to);
    for (size_t i = 0; i < graph->node_count; i++)
        if (graph->nodes[i].task && !graph->nodes[i].again)
            print_row(&to, graph, &graph->nodes[i]);
    if (graph->cut) {
        add(&to, "... and more");
        end(&to);
    }
}

/* ---- in memory of the pool ---- */

typedef struct room {
    thrum_graph graph;
    size_t size;
    void *memory;
} room;

static bool room_take(room *taken)
{
    thrum_clear_(taken, sizeof *taken);
    thrum_graph *graph = &taken->graph;
    thrum_graph_room(&graph->node_room, &graph->frame_room);
    size_t nodes = graph->node_room * sizeof *graph->nodes;
    taken->size = nodes + graph->frame_room * sizeof *graph->frames;
    taken->memory = pool_take(&thrum_state_here()->pool, taken->size, POOL_OTHER);
    if (!taken->memory)
        return false;
    graph->nodes = (thrum_graph_node *)taken->memory;
    graph->frames = (thrum_graph_frame *)(void *)((char *)taken->memory + nodes);
    return true;
}

static void room_give(room *taken)
{
    pool_give(&thrum_state_here()->pool, taken->memory, taken->size, POOL_OTHER);
}

int thrum_print_call_graph(thrum_task *task, unsigned depth, int limit, thrum_put_line *put, void *context)
{
    room taken;
    if (!task && !thrum_state_here()->current)
        return THRUM_ESTATE;
    if (!room_take(&taken))
        return THRUM_ENOMEM;
    thrum_capture_call_graph(&taken.graph, task, depth, limit);
    thrum_graph_print(&taken.graph, put, context);
    room_give(&taken);
    return 0;
}

static int print_all(thrum_put_line *put, void *context,
                     void (*print)(const thrum_graph *graph, thrum_put_line *put, void *context))
{
    room taken;
    if (!room_take(&taken))
        return THRUM_ENOMEM;
    thrum_capture_task_tree(&taken.graph, THRUM_ALL_FRAMES);
    print(&taken.graph, put, context);
    room_give(&taken);
    return 0;
}

int thrum_print_task_tree(thrum_put_line *put, void *context)
{
    return print_all(put, context, thrum_graph_print);
}

int thrum_print_task_table(thrum_put_line *put, void *context)
{
    return print_all(put, context, thrum_graph_print_table);
}

#if THRUM_HOSTED && defined(__GNUC__)
/* For thrum_runner_options.dump_signal, which does not name this file. */
__attribute__((constructor)) static void set_hook(void)
{
    thrum_tree_hook = thrum_print_task_tree;
}
#endif
