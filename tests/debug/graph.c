/* Call graphs: what a graph consists of through every way of waiting, that it ends, and that no edge outlives its
 * wait. */
#include "support.h"

static char seen[TEXT];

static void look(thrum_task *task)
{
    strcpy(seen, shape_of_task(task));
}

static ASYNC(deep, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_yield());
    AWAIT(thrum_yield());
    look(NULL);
    ASYNC_END;
}

static ASYNC(nested, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(deep());
    ASYNC_END;
}

static ASYNC(await_task, ARGS((thrum_task *, task)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(self->task);
    ASYNC_END;
}

static ASYNC(await_future, ARGS((thrum_future *, future)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(self->future);
    ASYNC_END;
}

/* ---- tasks and groups ---- */

static ASYNC(in_group, ARGS_NONE, LOCALS(thrum_group group; thrum_task * child;))
{
    ASYNC_BEGIN;
    WITH (self->group, thrum_group_open(&self->group)) {
        self->child = thrum_group_spawn(&self->group, nested());
        thrum_task_set_name(self->child, "c2_root");
        thrum_task_set_name(thrum_group_spawn(&self->group, await_task(self->child)), "sub_main_1");
        thrum_task_set_name(thrum_group_spawn(&self->group, await_task(self->child)), "sub_main_2");
    }
    ASYNC_END;
}

/* test_stack_tgroup */
TEST(graph, group)
{
    CHECK_EQ(sim_run(in_group(), NULL), 0);
    CHECK_STR(seen, "T<c2_root> [deep nested] (T<in_group> [in_group])"
                    " (T<sub_main_1> [await_task] (T<in_group>^)) (T<sub_main_2> [await_task] (T<in_group>^))");
}

static ASYNC(await_nested, ARGS_NONE, LOCALS(thrum_task *task;))
{
    ASYNC_BEGIN;
    self->task = thrum_spawn(nested());
    thrum_task_set_name(self->task, "there there");
    AWAIT(self->task);
FINALLY:
    thrum_task_release(self->task);
    ASYNC_END;
}

static ASYNC(outer, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(await_nested());
    ASYNC_END;
}

/* test_stack_task */
TEST(graph, task)
{
    CHECK_EQ(sim_run(outer(), NULL), 0);
    CHECK_STR(seen, "T<there there> [deep nested] (T<outer> [await_nested outer])");
}

static ASYNC(limited, ARGS_NONE, LOCALS(thrum_deadline limit;))
{
    ASYNC_BEGIN;
    WITH (self->limit, thrum_deadline_after(&self->limit, SECONDS(1))) {
        AWAIT(thrum_timeout(SECONDS(2), deep()));
    }
    ASYNC_END;
}

static ASYNC(await_limited, ARGS_NONE, LOCALS(thrum_task *task;))
{
    ASYNC_BEGIN;
    self->task = thrum_spawn(limited());
    AWAIT(thrum_timeout(SECONDS(1), thrum_task_wait(self->task)));
FINALLY:
    thrum_task_release(self->task);
    ASYNC_END;
}

/* test_stack_timeout */
TEST(graph, timeouts)
{
    CHECK_EQ(sim_run(await_limited(), NULL), 0);
    CHECK_STR(seen, "T<limited> [deep thrum_timeout limited] (T<await_limited> [thrum_timeout await_limited])");
}

/* ---- futures ---- */

static thrum_future the_future;

static ASYNC(await_future_inside, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(await_future(&the_future));
    ASYNC_END;
}

static ASYNC(two_wait, ARGS_NONE, LOCALS(thrum_group group;))
{
    ASYNC_BEGIN;
    WITH (self->group, thrum_group_open(&self->group)) {
        thrum_task_set_name(thrum_group_spawn(&self->group, await_future_inside()), "A");
        thrum_task_set_name(thrum_group_spawn(&self->group, await_future(&the_future)), "B");
        AWAIT(thrum_yield());
        AWAIT(thrum_yield());
        strcpy(seen, shape_of_future(&the_future));
        thrum_future_set_result(&the_future, 0);
        CHECK_STR(shape_of_future(&the_future), "F []"); /* they are woken: nobody waits any more */
    }
    ASYNC_END;
}

/* test_stack_future; whoever opened a group waits for its children also while it is busy in the block */
TEST(graph, future)
{
    thrum_future_init(&the_future);
    CHECK_EQ(sim_run(two_wait(), NULL), 0);
    CHECK_STR(seen, "F [] (T<A> [await_future await_future_inside] (T<two_wait> [two_wait])) "
                    "(T<B> [await_future] (T<two_wait>^))");
}

TEST(graph, future_of_nobody)
{
    thrum_future_init(&the_future);
    sim_open();
    CHECK_STR(shape_of_future(&the_future), "F []");
    thrum_graph graph = graph_with_room();
    CHECK_EQ(thrum_capture_future_call_graph(&graph, NULL, 1), THRUM_EINVAL);
    sim_close();
}

/* ---- an operation of one's own ---- */

typedef struct either {
    thrum_task *task;
    thrum_future *future;
} either;

static thrum_step either_start(thrum_task *task, thrum_record *record)
{
    (void)record;
    return thrum_parked(task);
}

static thrum_cancel_result either_cancel(thrum_task *task)
{
    (void)task;
    return THRUM_DETACHED;
}

static void either_awaits(thrum_task *task, thrum_awaits *tell, void *context)
{
    const either *what = (const either *)task->object;
    tell(context, what->task, NULL);
    tell(context, NULL, what->future);
    tell(context, what->task, NULL); /* saying so again adds nothing */
}

static const thrum_operations either_operations = {either_start, NULL, either_cancel, NULL, "either", either_awaits};

static ASYNC(await_either, ARGS((either *, what)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_awaitable_make(&either_operations, self->what, 0, 0));
    ASYNC_END;
}

/* future_add_to_awaited_by, future_discard_from_awaited_by: what the verb `awaits` is for */
TEST(graph, custom_operation)
{
    thrum_future_init(&the_future);
    sim_open();
    thrum_task *task = thrum_spawn(await_future(&the_future));
    either what = {task, &the_future};
    thrum_task *waits = thrum_spawn(await_either(&what));
    CHECK_STR(shape_of_task(task), "T<await_future> [await_future]"); /* nobody has begun to wait */
    sim_pass();
    CHECK_STR(shape_of_task(task), "T<await_future> [await_future] (T<await_either> [await_either])");
    CHECK_STR(shape_of_future(&the_future),
              "F [] (T<await_either> [await_either]) (T<await_future> [await_future] (T<await_either>^))");
    CHECK_STR(shape_of_all(), "T<await_either> [await_either] (T<await_future> [await_future] (F [])) (F^)");
    thrum_task_cancel(waits);
    CHECK_STR(shape_of_task(task), "T<await_future> [await_future]"); /* gone with the wait */
    sim_settle();
    thrum_future_cancel(&the_future);
    sim_settle();
    thrum_task_release(task);
    thrum_task_release(waits);
    sim_close();
}

/* ---- circles ---- */

static thrum_task *ring[3];

static ASYNC(await_next, ARGS((int, next)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(ring[self->next]);
    ASYNC_END;
}

static const char *const ring_names[] = {"a", "b", "c"};

/* Where there is nothing else to go by, tasks come as they stand in memory, here those made last first. */
static void use_array(void)
{
    static char memory[65536];
    CHECK_EQ(thrum_pool_use_memory(memory, sizeof memory), 0);
}

static void open_ring(void)
{
    use_array();
    sim_open();
    for (int i = 0; i < 3; i++) {
        ring[i] = thrum_spawn(await_next((i + 1) % 3));
        thrum_task_set_name(ring[i], ring_names[i]);
    }
    sim_settle();
}

static void close_ring(void)
{
    thrum_task_cancel(ring[0]);
    thrum_task_cancel(ring[2]);
    sim_settle();
    for (int i = 0; i < 3; i++) {
        CHECK(thrum_task_done(ring[i]));
        thrum_task_release(ring[i]);
    }
    sim_close();
}

/* test_tools: cycle_detection */
TEST(graph, circle)
{
    open_ring();
    CHECK_STR(shape_of_task(ring[0]), "T<a> [await_next] (T<c> [await_next] (T<b> [await_next] (T<a>^)))");
    CHECK_STR(shape_of_all(), "T<b> [await_next] (T<c> [await_next] (T<a> [await_next] (T<b>^)))");
    close_ring();
}

/* test_tools: multiple_cycles_same_node, only_cycles */
TEST(graph, two_circles_through_one_task)
{
    use_array();
    sim_open();
    thrum_future_init(&the_future);
    either both = {NULL, &the_future};
    ring[0] = thrum_spawn(await_either(&both));
    ring[1] = thrum_spawn(await_next(0));
    ring[2] = thrum_spawn(await_either(&both));
    both.task = ring[1];
    for (int i = 0; i < 3; i++)
        thrum_task_set_name(ring[i], ring_names[i]);
    sim_settle();
    CHECK_STR(shape_of_task(ring[0]), "T<a> [await_either] (T<b> [await_next] (T<a>^) (T<c> [await_either]))");
    CHECK_STR(shape_of_all(), "T<c> [await_either] (T<b> [await_next] (T<a> [await_either] (T<b>^) (F^))) (F [])");
    close_ring();
}

/* ---- one task that several wait for, in groups of groups ---- */

static thrum_task *timer;

static ASYNC(root, ARGS((const char *, first), (const char *, second)), LOCALS(thrum_group group;))
{
    ASYNC_BEGIN;
    WITH (self->group, thrum_group_open(&self->group)) {
        thrum_task_set_name(thrum_group_spawn(&self->group, await_task(timer)), self->first);
        thrum_task_set_name(thrum_group_spawn(&self->group, await_task(timer)), self->second);
    }
    ASYNC_END;
}

static ASYNC(two_roots, ARGS_NONE, LOCALS(thrum_group group;))
{
    ASYNC_BEGIN;
    WITH (self->group, thrum_group_open(&self->group)) {
        thrum_task_set_name(thrum_group_spawn(&self->group, root("1_1", "2_1")), "root1");
        thrum_task_set_name(thrum_group_spawn(&self->group, root("1_2", "2_2")), "root2");
    }
    ASYNC_END;
}

/* test_tools: complex_tree. Whoever is cancelled waits no more, however many there are above. */
TEST(graph, tree_of_groups)
{
    use_array();
    sim_open();
    thrum_future_init(&the_future);
    timer = thrum_spawn(await_future(&the_future));
    thrum_task_set_name(timer, "timer");
    thrum_task *top = thrum_spawn(two_roots());
    sim_settle();
    CHECK_STR(shape_of_task(timer), "T<timer> [await_future] "
                                    "(T<1_1> [await_task] (T<root1> [root] (T<two_roots> [two_roots]))) "
                                    "(T<1_2> [await_task] (T<root2> [root] (T<two_roots>^))) "
                                    "(T<2_1> [await_task] (T<root1>^)) (T<2_2> [await_task] (T<root2>^))");
    thrum_task_cancel(top);
    CHECK_EQ(sim_until(top), 0);
    CHECK_STR(shape_of_task(timer), "T<timer> []"); /* they asked it to end as well */
    CHECK_EQ(thrum_task_result(timer, NULL), THRUM_ECANCELED);
    CHECK_STR(shape_of_future(&the_future), "F []");
    thrum_task_release(top);
    thrum_task_release(timer);
    sim_close();
}

/* ---- what is left out ---- */

static ASYNC(three_deep, ARGS((int, level)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    if (self->level < 3)
        AWAIT(three_deep(self->level + 1));
    else
        AWAIT(thrum_sleep(SECONDS(1)));
    ASYNC_END;
}

static size_t frames_of(thrum_task *task, unsigned depth, int limit, unsigned *first_line)
{
    thrum_graph graph = graph_with_room();
    CHECK_EQ(thrum_capture_call_graph(&graph, task, depth, limit), 0);
    *first_line = graph.first->frame_count ? graph.first->frames[0].line : 0;
    return graph.first->frame_count;
}

/* capture_call_graph: limit, depth */
TEST(graph, limits)
{
    unsigned line, sleeps, calls;
    sim_open();
    thrum_task *task = thrum_spawn(three_deep(1));
    CHECK_EQ(frames_of(task, 0, THRUM_ALL_FRAMES, &line), 1);
    CHECK_EQ(line, 0); /* it has not begun */
    sim_pass();
    CHECK_EQ(frames_of(task, 0, THRUM_ALL_FRAMES, &sleeps), 3);
    CHECK_EQ(frames_of(task, 0, -1, &calls), 1);
    CHECK_EQ(sleeps, calls + 2);
    CHECK_EQ(frames_of(task, 0, 2, &line), 2);
    CHECK_EQ(line, sleeps);
    CHECK_EQ(frames_of(task, 0, -2, &line), 2);
    CHECK_EQ(line, calls);
    CHECK_EQ(frames_of(task, 0, -9, &line), 3);
    CHECK_EQ(frames_of(task, 0, INT16_MIN, &line), 3);
    CHECK_EQ(frames_of(task, 0, 0, &line), 0);
    CHECK_EQ(frames_of(task, 2, THRUM_ALL_FRAMES, &line), 3); /* depth is for the current task */
    sim_until(task);
    thrum_task_release(task);
    sim_close();
}

static ASYNC(skips, ARGS((unsigned, depth)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    thrum_graph graph = graph_with_room();
    CHECK_EQ(thrum_capture_call_graph(&graph, NULL, self->depth, THRUM_ALL_FRAMES), 0);
    strcpy(seen, shape(&graph));
    ASYNC_END;
}

static ASYNC(calls_skips, ARGS((unsigned, depth)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(skips(self->depth));
    ASYNC_END;
}

TEST(graph, depth_of_the_current_task)
{
    CHECK_EQ(sim_run(calls_skips(0), NULL), 0);
    CHECK_STR(seen, "T<calls_skips> [skips calls_skips]");
    CHECK_EQ(sim_run(calls_skips(1), NULL), 0);
    CHECK_STR(seen, "T<calls_skips> [calls_skips]");
    CHECK_EQ(sim_run(calls_skips(7), NULL), 0);
    CHECK_STR(seen, "T<calls_skips> []");
}

TEST(graph, no_current_task)
{
    thrum_graph graph = graph_with_room();
    CHECK_EQ(thrum_capture_call_graph(&graph, NULL, 0, 1), THRUM_ESTATE);
    CHECK_EQ(thrum_print_call_graph(NULL, 0, 1, NULL, NULL), THRUM_ESTATE);
    CHECK_EQ(thrum_capture_task_tree(&graph, 1), 0);
    CHECK_NULL(graph.first);
}

static thrum_task *open_row(void)
{
    sim_open();
    for (int i = 0; i < 2; i++)
        ring[i] = thrum_spawn(await_next(i + 1));
    ring[2] = thrum_spawn(three_deep(1));
    sim_settle();
    return ring[2];
}

static void close_row(void)
{
    sim_until(ring[0]);
    for (int i = 0; i < 3; i++)
        thrum_task_release(ring[i]);
    sim_close();
}

/* Whatever the room, what fits is a graph, and exactly the room that is said to be needed is enough. */
TEST(graph, little_room)
{
    size_t nodes, frames;
    thrum_task *task = open_row();
    thrum_graph_room(&nodes, &frames);
    CHECK_LE(nodes, ROOM);
    for (size_t i = 0; i <= nodes; i++)
        for (size_t j = 0; j <= frames; j++) {
            thrum_graph graph = {.nodes = nodes_, .node_room = i, .frames = frames_, .frame_room = j};
            int error = thrum_capture_call_graph(&graph, task, 0, THRUM_ALL_FRAMES);
            CHECK_EQ(error, i < 3 || j < 5 ? THRUM_ENOMEM : 0);
            CHECK_LE(graph.node_count, i);
            CHECK_LE(graph.frame_count, j);
            CHECK_EQ(graph.cut, error != 0);
            shape(&graph);
            error = thrum_capture_task_tree(&graph, THRUM_ALL_FRAMES);
            CHECK_EQ(error, i < 3 || j < 5 ? THRUM_ENOMEM : 0);
            shape(&graph);
        }
    close_row();
}

/* ---- how it looks ---- */

/* Addresses differ: 0x and digits become 0x_. */
static void without_addresses(char *text)
{
    char *to = text;
    for (const char *at = text; *at;) {
        bool address = at[0] == '0' && at[1] == 'x';
        *to++ = *at++;
        if (!address)
            continue;
        *to++ = *at++;
        while ((*at >= '0' && *at <= '9') || (*at >= 'a' && *at <= 'f'))
            at++;
        *to++ = '_';
    }
    *to = '\0';
}

/* From its path to its name. */
static void without_folders(char *text)
{
    for (char *at; (at = strstr(text, "tests/debug/")) != NULL;) {
        char *begin = at;
        while (begin > text && begin[-1] != '\'' && begin[-1] != ' ')
            begin--;
        memmove(begin, at + 12, strlen(at + 12) + 1);
    }
}

TEST(graph, printed)
{
    static lines printed;
    use_array();
    sim_open();
    thrum_future_init(&the_future);
    thrum_task *task = thrum_spawn(await_future(&the_future));
    thrum_task *waits = thrum_spawn(await_task(task));
    thrum_task_set_name(waits, "waits");
    sim_settle();
    CHECK_EQ(thrum_print_call_graph(task, 0, THRUM_ALL_FRAMES, put_line, &printed), 0);
    CHECK_EQ(thrum_print_task_tree(put_line, &printed), 0);
    CHECK_EQ(thrum_print_task_table(put_line, &printed), 0);
    without_addresses(printed.text);
    without_folders(printed.text);
    CHECK_STR(printed.text,
              "* Task(name='await_future', id=0x_), waits in future\n"
              "  + Call stack:\n"
              "  |   File 'graph.c', line 38, in async await_future()\n"
              "  + Awaited by:\n"
              "    * Task(name='waits', id=0x_), waits in task\n"
              "      + Call stack:\n"
              "      |   File 'graph.c', line 31, in async await_task()\n"
              "* Task(name='waits', id=0x_), waits in task\n"
              "  + Call stack:\n"
              "  |   File 'graph.c', line 31, in async await_task()\n"
              "  + Waits for:\n"
              "    * Task(name='await_future', id=0x_), waits in future\n"
              "      + Call stack:\n"
              "      |   File 'graph.c', line 38, in async await_future()\n"
              "      + Waits for:\n"
              "        * Future(id=0x_)\n"
              "task                name                state                     innermost function <- its caller; "
              "awaited by\n"
              "0x_      waits               waits in task             await_task graph.c:31\n"
              "0x_      await_future        waits in future           await_future graph.c:38; awaited by waits\n");
    thrum_future_set_result(&the_future, 0);
    sim_settle();
    thrum_task_release(task);
    thrum_task_release(waits);
    sim_close();
}

TEST(graph, formatted)
{
    char whole[1024], part[1024];
    thrum_task *task = open_row();
    thrum_graph graph = graph_with_room();
    CHECK_EQ(thrum_capture_call_graph(&graph, task, 0, 0), 0);
    size_t length = thrum_graph_format(&graph, whole, sizeof whole);
    CHECK_EQ(strlen(whole), length);
    CHECK_NE(whole[length - 1], '\n');
    CHECK_EQ(thrum_graph_format(&graph, NULL, 0), length);
    lines printed = {0};
    thrum_graph_print(&graph, put_line, &printed);
    CHECK_EQ(strlen(printed.text), length + 1);
    CHECK_MEM(printed.text, whole, length);
    for (size_t size = 1; size <= length + 1; size++) {
        memset(part, 'x', sizeof part);
        CHECK_EQ(thrum_graph_format(&graph, part, size), length);
        CHECK_EQ(strlen(part), size - 1);
        CHECK_MEM(part, whole, size - 1);
        CHECK_EQ(part[size], 'x');
    }
    close_row();
}

static void *no_memory(void *context, size_t size)
{
    (void)context;
    (void)size;
    return NULL;
}

/* To print takes memory of the pool; without it nothing is printed, and nothing breaks. */
TEST(graph, no_memory)
{
    static const thrum_allocator none = {.allocate = no_memory};
    static lines printed;
    CHECK_EQ(thrum_pool_use_allocator(&none), 0);
    CHECK_EQ(thrum_print_task_tree(put_line, &printed), THRUM_ENOMEM);
    CHECK_EQ(thrum_print_task_table(put_line, &printed), THRUM_ENOMEM);
    CHECK_EQ(printed.count, 0);
}

static void put_log(void *context, const char *line)
{
    put_line(context, line);
}

/* Without a place of its own the text goes to the log. */
TEST(graph, to_the_log)
{
    static lines printed;
    thrum_log_set(put_log, &printed);
    open_row();
    CHECK_EQ(thrum_print_task_tree(NULL, NULL), 0);
    thrum_log_set(NULL, NULL);
    CHECK_GT(printed.count, 6);
    close_row();
}
