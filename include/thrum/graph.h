/**
 * @file graph.h
 * Who waits for whom: the call graph of a task or a future, and all tasks as a tree. Nothing is kept for it while the
 * program runs: on request every task of the thread is asked what it waits for (`awaits` in awaitables.h, the
 * counterpart of asyncio's future_add_to_awaited_by), so an edge is gone as soon as the wait is.
 *
 *     thrum_print_call_graph(NULL, 0, THRUM_ALL_FRAMES, NULL, NULL);   the task that runs, and who waits for it
 *     thrum_print_task_tree(NULL, NULL);                               every task, and what it waits for
 */
#ifndef THRUM_GRAPH_H
#define THRUM_GRAPH_H

#include <thrum/futures.h>
#include <thrum/tasks.h>

THRUM_BEGIN_DECLS

/** One frame of a task. */
typedef struct thrum_graph_frame {
    const char *function;
    const char *file; /**< NULL where a combinator of the library has none to tell */
    uint32_t line;    /**< where it waits; in the innermost frame of a task that runs, the await that it passed last;
                           0: it has not come to any */
} thrum_graph_frame;

/** What a task was doing when it was looked at. */
typedef enum thrum_task_state {
    THRUM_TASK_NEW,     /**< it has not begun */
    THRUM_TASK_RUNNING, /**< it is the current one */
    THRUM_TASK_READY,   /**< it waits for its turn only, or for a task that it has started eagerly */
    THRUM_TASK_WAITING, /**< it waits in `operation` */
    THRUM_TASK_DONE
} thrum_task_state;

/** A task or a future in a graph. Good as long as the memory that the graph was captured into; `task` and `future` are
 * not to be used once they may be gone. */
typedef struct thrum_graph_node {
    thrum_task *task;     /**< NULL: it is a future */
    thrum_future *future; /**< NULL: it is a task */
    const char *name;     /**< of a task, as thrum_task_name(); NULL of a future */
    thrum_task_state state;
    const char *operation;           /**< what a waiting task waits in: "lock"; NULL otherwise */
    thrum_time since;                /**< when that began, in the loop's time; 0: not known (debug mode knows) */
    const thrum_graph_frame *frames; /**< innermost first */
    size_t frame_count;              /**< after `limit` */
    struct thrum_graph_node *first;  /**< in a call graph: of those that wait for this one; in a tree: of those that
                                               it waits for; NULL: none */
    struct thrum_graph_node *next;   /**< beside this one, under the same `above` */
    struct thrum_graph_node *above;  /**< the one that has this among its own; NULL at the top */
    bool again;                      /**< it stands elsewhere in the graph as well, and has its own there */
    struct thrum_graph_node *last_, *chain_, *bucket_; /* private: the last one under it; nodes by address */
} thrum_graph_node;

/** A graph, in memory of the caller's: set `nodes`, `frames` and their room, zero the rest. */
typedef struct thrum_graph {
    thrum_graph_node *nodes;
    size_t node_room;
    thrum_graph_frame *frames;
    size_t frame_room;
    thrum_graph_node *first; /**< the top of a call graph; the first of those at the top of a tree */
    size_t node_count;
    size_t frame_count;
    thrum_time now; /**< the loop's time */
    bool tree;      /**< tasks over what they wait for, instead of under it */
    bool cut;       /**< the room did not suffice */
} thrum_graph;

/** For `limit`: every frame of each task. */
#define THRUM_ALL_FRAMES INT16_MAX

/**
 * The most room that any graph of this thread's tasks takes now.
 * [never waits · no allocation · O(tasks) · this loop's thread only]
 *
 * @param nodes   where the number of nodes goes
 * @param frames  where the number of frames goes
 *
 * asyncio: none
 */
THRUM_API void thrum_graph_room(size_t *nodes, size_t *frames);

/**
 * Capture a task, its frames, and who waits for it, who waits for that, and so on. A task that is met again, which
 * happens where tasks wait for one another in a circle too, is marked and not gone into again.
 * [never waits · no allocation · O(tasks * height of the graph) · this loop's thread only]
 *
 * @param graph  with its room; the rest is overwritten
 * @param task   any of this thread; NULL is the current one
 * @param depth  of the current task: how many of its innermost frames to pass over
 * @param limit  so many of the innermost frames of each task; below 0, so many of the outermost; 0: none
 * @return gives 0; THRUM_ESTATE when there is no current task; THRUM_ENOMEM when the room did not suffice (what fits is
 *         there)
 *
 * asyncio: capture_call_graph
 */
THRUM_API int thrum_capture_call_graph(thrum_graph *graph, thrum_task *task, unsigned depth, int limit);

/**
 * The same for a future.
 * [never waits · no allocation · O(tasks * height of the graph) · this loop's thread only]
 *
 * @param graph   with its room; the rest is overwritten
 * @param future  any
 * @param limit   as of thrum_capture_call_graph()
 * @return gives 0; THRUM_EINVAL for NULL; THRUM_ENOMEM as above
 *
 * asyncio: capture_call_graph
 */
THRUM_API int thrum_capture_future_call_graph(thrum_graph *graph, thrum_future *future, int limit);

/**
 * Capture every task of this thread as a tree: at the top those that nobody waits for, under each what it waits for.
 * Of tasks that wait for one another in a circle one stands at the top.
 * [never waits · no allocation · O(tasks * height of the tree) · this loop's thread only]
 *
 * @param graph  with its room; the rest is overwritten
 * @param limit  as of thrum_capture_call_graph()
 * @return gives 0; THRUM_ENOMEM as above
 *
 * asyncio: `python -m asyncio pstree`
 */
THRUM_API int thrum_capture_task_tree(thrum_graph *graph, int limit);

/** Takes a line, without its newline. The same as thrum_log_function. */
typedef void thrum_put_line(void *context, const char *line);

/**
 * Write a captured graph line by line.
 * [never waits · no allocation · runs other code · this loop's thread only]
 *
 * @param graph    captured
 * @param put      called once a line; NULL: to the log
 * @param context  for it
 *
 * asyncio: print_call_graph
 */
THRUM_API void thrum_graph_print(const thrum_graph *graph, thrum_put_line *put, void *context);

/**
 * Write a captured graph into memory, lines separated by newlines, cut to its size and always terminated.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param graph   captured
 * @param buffer  where the text goes; may be NULL when `size` is 0
 * @param size    bytes
 * @return gives the length of the whole text, without the terminator
 *
 * asyncio: format_call_graph
 */
THRUM_API size_t thrum_graph_format(const thrum_graph *graph, char *buffer, size_t size);

/**
 * Write a captured graph as a table, a line a task: its address, name, state, frames, and who waits for it.
 * [never waits · no allocation · runs other code · this loop's thread only]
 *
 * @param graph    captured by thrum_capture_task_tree()
 * @param put      called once a line; NULL: to the log
 * @param context  for it
 *
 * asyncio: `python -m asyncio ps`
 */
THRUM_API void thrum_graph_print_table(const thrum_graph *graph, thrum_put_line *put, void *context);

/**
 * Capture and print the call graph of a task.
 * [never waits · takes a block of the pool · runs other code · this loop's thread only]
 *
 * @param task     any of this thread; NULL is the current one
 * @param depth    as of thrum_capture_call_graph()
 * @param limit    as of thrum_capture_call_graph()
 * @param put      called once a line; NULL: to the log
 * @param context  for it
 * @return gives 0; THRUM_ESTATE when there is no current task; THRUM_ENOMEM when the pool has no room (nothing is
 *         printed)
 *
 * asyncio: print_call_graph
 */
THRUM_API int thrum_print_call_graph(thrum_task *task, unsigned depth, int limit, thrum_put_line *put, void *context);

/**
 * Capture and print every task of this thread as a tree.
 * [never waits · takes a block of the pool · runs other code · this loop's thread only]
 *
 * @param put      called once a line; NULL: to the log
 * @param context  for it
 * @return gives 0; THRUM_ENOMEM when the pool has no room (nothing is printed)
 *
 * asyncio: `python -m asyncio pstree`
 */
THRUM_API int thrum_print_task_tree(thrum_put_line *put, void *context);

/**
 * Capture and print every task of this thread as a table.
 * [never waits · takes a block of the pool · runs other code · this loop's thread only]
 *
 * @param put      called once a line; NULL: to the log
 * @param context  for it
 * @return gives 0; THRUM_ENOMEM when the pool has no room (nothing is printed)
 *
 * asyncio: `python -m asyncio ps`
 */
THRUM_API int thrum_print_task_table(thrum_put_line *put, void *context);

THRUM_END_DECLS

#endif
