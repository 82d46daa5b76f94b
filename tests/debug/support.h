/* Graphs as short texts: "T<name> [innermost outer] (T<who waits> [frames])", T for a task, F for a future, ^ for what
 * stands elsewhere. Those under one are in the order of their names. */
#ifndef THRUM_TEST_DEBUG_SUPPORT_H
#define THRUM_TEST_DEBUG_SUPPORT_H

#include <sim.h>

enum { ROOM = 64, TEXT = 4096 };

static thrum_graph_node nodes_[ROOM];
static thrum_graph_frame frames_[ROOM];

static inline thrum_graph graph_with_room(void)
{
    thrum_graph graph = {.nodes = nodes_, .node_room = ROOM, .frames = frames_, .frame_room = ROOM};
    return graph;
}

/* By name, futures last. */
static inline int compare_(const thrum_graph_node *a, const thrum_graph_node *b)
{
    return strcmp(a->name ? a->name : "~", b->name ? b->name : "~");
}

static inline void walk_(const thrum_graph_node *node, char *text)
{
    char *at = text + strlen(text);
    if (node->task) {
        const char *parts[] = {"T<", node->name, ">"};
        for (size_t i = 0; i < 3; i++, at += strlen(at))
            strcpy(at, parts[i]);
    } else {
        strcpy(at, "F");
    }
    if (node->again) {
        strcat(text, "^");
        return;
    }
    strcat(text, " [");
    for (size_t i = 0; i < node->frame_count; i++) {
        strcat(text, i ? " " : "");
        strcat(text, node->frames[i].function);
    }
    strcat(text, "]");
    const thrum_graph_node *last = NULL;
    for (;;) {
        const thrum_graph_node *least = NULL;
        for (const thrum_graph_node *under = node->first; under; under = under->next)
            if ((!last || compare_(under, last) > 0) && (!least || compare_(under, least) < 0))
                least = under;
        if (!least)
            return;
        strcat(text, " (");
        walk_(least, text);
        strcat(text, ")");
        last = least;
    }
}

/* The graph as a text, in static memory. */
static inline const char *shape(const thrum_graph *graph)
{
    static char text[TEXT];
    text[0] = '\0';
    for (const thrum_graph_node *node = graph->first; node; node = node->next) {
        strcat(text, node == graph->first ? "" : "; ");
        walk_(node, text);
    }
    return text;
}

static inline const char *shape_of_task(thrum_task *task)
{
    thrum_graph graph = graph_with_room();
    CHECK_EQ(thrum_capture_call_graph(&graph, task, 0, THRUM_ALL_FRAMES), 0);
    return shape(&graph);
}

static inline const char *shape_of_future(thrum_future *future)
{
    thrum_graph graph = graph_with_room();
    CHECK_EQ(thrum_capture_future_call_graph(&graph, future, THRUM_ALL_FRAMES), 0);
    return shape(&graph);
}

static inline const char *shape_of_all(void)
{
    thrum_graph graph = graph_with_room();
    CHECK_EQ(thrum_capture_task_tree(&graph, THRUM_ALL_FRAMES), 0);
    return shape(&graph);
}

/* Lines, separated by newlines, for the functions that print. */
typedef struct lines {
    char text[TEXT];
    size_t count;
} lines;

static inline void put_line(void *context, const char *line)
{
    lines *to = (lines *)context;
    CHECK_LT(strlen(to->text) + strlen(line) + 2, sizeof to->text);
    strcat(to->text, line);
    strcat(to->text, "\n");
    to->count++;
}

#endif
