/* One run: a loop, the program, what is done to it, and what it leaves behind. */
#include "run.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <thrum/graph.h>
#include <thrum/runners.h>
#include <thrum/tasks.h>
#include <thrum/timeouts.h>

enum { PASSES = 1000000, REAL_SECONDS = 60, LINE = 400 };

/* A run that goes on. */
typedef struct test_run {
    const thrum_test_options *options;
    thrum_test_result *result;
    thrum_loop *loop;
    thrum_task *ended; /* the last that did; only to be compared */
    bool named;        /* which run it is has been told */
    char place[LINE];  /* where it was led astray */
} test_run;

/* ---- memory ---- */

/* Stays where it is: blocks that were never given back are given back here, if ever. */
static _Thread_local struct {
    bool counting;
    size_t count, refused; /* blocks asked for in this run; the one not to be given, or 0 */
    bool reached;
} memory;

static _Thread_local uint64_t seed;

uint64_t thrum_test_seed(void)
{
    return seed;
}

static void *take(void *context, size_t size)
{
    (void)context;
    if (++memory.count == memory.refused) {
        memory.reached = true;
        return NULL;
    }
    return malloc(size);
}

static void give(void *context, void *block, size_t size)
{
    (void)context;
    (void)size;
    free(block);
}

static void *take_plainly(void *context, size_t size)
{
    (void)context;
    return malloc(size);
}

int run_allocator_begin(void)
{
    static const thrum_allocator one_by_one = {take, give, NULL, true};
    if (memory.counting)
        return 0;
    memory.refused = 0;
    int error = thrum_pool_use_allocator(&one_by_one);
    memory.counting = !error;
    return error;
}

void run_allocator_end(void)
{
    static const thrum_allocator plain = {take_plainly, give, NULL, false};
    memory.refused = 0;
    if (thrum_pool_use_allocator(&plain) == 0)
        memory.counting = false;
}

static size_t blocks(size_t *bytes)
{
    thrum_pool_stats stats;
    thrum_pool_stats_get(&stats);
    *bytes = stats.used;
    return stats.blocks;
}

/* ---- text ---- */

void run_say(const thrum_test_options *options, const char *format, ...)
{
    char line[LINE];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (options->put)
        options->put(options->context, line);
    else
        fprintf(stderr, "%s\n", line);
}

void run_name(char *name, const thrum_test_options *options)
{
    static const char *const injections[] = {"", "waiting", "woken", "allocation"};
    size_t used = 0;
    name[0] = '\0';
    if (options->seed)
        used = (size_t)snprintf(name, RUN_NAME, "seed=%llu", (unsigned long long)options->seed);
    if (options->injection)
        (void)snprintf(name + used, RUN_NAME - used, "%s%s=%zu", used ? " " : "", injections[options->injection],
                       options->at);
}

/* Something is wrong: which run it is comes first. */
static void fail(test_run *run, const char *format, ...)
{
    char line[LINE], name[RUN_NAME];
    va_list arguments;
    if (!run->named) {
        run_name(name, run->options);
        run_say(run->options, "thrum_test: %s%s%s", name[0] ? name : "the plain run", run->place[0] ? ": " : "",
                run->place);
        run->named = true;
    }
    va_start(arguments, format);
    (void)vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    run_say(run->options, "    %s", line);
    run->result->failures++;
}

static void put_tree(void *context, const char *line)
{
    run_say(((test_run *)context)->options, "      %s", line);
}

static void say_tasks(test_run *run)
{
    (void)thrum_print_task_tree(put_tree, run);
}

/* Which task, in what, at which line. */
static void note_place(test_run *run, thrum_task *task)
{
    thrum_graph_node nodes[16];
    thrum_graph_frame frames[16];
    thrum_graph graph = {.nodes = nodes, .node_room = 16, .frames = frames, .frame_room = 16};
    (void)thrum_capture_call_graph(&graph, task, 0, 1);
    const thrum_graph_node *node = graph.first;
    if (!node)
        return;
    const thrum_graph_frame *frame = node->frame_count ? &node->frames[0] : NULL;
    const char *between = node->operation ? " waiting for " : "", *operation = node->operation ? node->operation : "";
    if (!frame || !frame->line)
        (void)snprintf(run->place, sizeof run->place, "task %s%s%s", node->name, between, operation);
    else
        (void)snprintf(run->place, sizeof run->place, "task %s%s%s, in %s, %s:%u", node->name, between, operation,
                       frame->function, frame->file ? frame->file : "?", (unsigned)frame->line);
}

/* ---- what the loop tells ---- */

static void hear(thrum_loop *loop, const thrum_report *report, void *context)
{
    test_run *run = (test_run *)context;
    (void)loop;
    if (strncmp(report->message, "deadlock", 8) == 0) {
        fail(run, "%s", report->message);
        say_tasks(run);
        run->result->deadlock = true;
        return;
    }
    if (report->error && (run->options->errors_may_be_reported || run->options->injection))
        return;
    char function[LINE / 2] = "", error[LINE / 4] = "";
    if (report->function)
        (void)snprintf(function, sizeof function, ", %s, %s:%u", thrum_function_name(report->function),
                       thrum_function_file(report->function), (unsigned)report->line);
    if (report->error)
        (void)snprintf(error, sizeof error, " (%s)", thrum_error_name(report->error));
    fail(run, "reported: %s%s%s", report->message, error, function);
}

#if THRUM_TASK_HOOKS
static void strike(test_run *run, thrum_task *task)
{
    run->result->injected = true;
    note_place(run, task);
    (void)thrum_task_cancel(task);
}

static void step_begins(thrum_task *task, void *context)
{
    test_run *run = (test_run *)context;
    if (++run->result->steps == run->options->at && run->options->injection == THRUM_TEST_CANCEL_WOKEN)
        strike(run, task);
}

static void step_ends(thrum_task *task, void *context)
{
    test_run *run = (test_run *)context;
    if (task == run->ended) {
        run->ended = NULL;
        return;
    }
    if (++run->result->suspensions == run->options->at && run->options->injection == THRUM_TEST_CANCEL_WAITING)
        strike(run, task);
}

static void task_ends(thrum_task *task, void *context)
{
    ((test_run *)context)->ended = task;
}

static void begin_hooks(test_run *run)
{
    const thrum_task_hooks hooks = {.size = sizeof hooks,
                                    .context = run,
                                    .ended = task_ends,
                                    .step_begin = step_begins,
                                    .step_end = step_ends,
                                    .in_a_row = run->options->every_await};
    (void)thrum_loop_set_task_hooks(run->loop, &hooks);
    if (run->options->eager)
        thrum_loop_set_task_factory(run->loop, thrum_eager_task_factory, NULL);
}
#else
static void begin_hooks(test_run *run)
{
    (void)run;
}
#endif

/* ---- the run ---- */

int run_options(const thrum_test_options *given, thrum_test_options *options)
{
    memset(options, 0, sizeof *options);
    if (given) {
        if (given->size == 0 || given->size > sizeof *options)
            return THRUM_EINVAL;
        memcpy(options, given, given->size);
    }
    options->size = sizeof *options;
    if (options->backend == THRUM_BACKEND_DEFAULT)
        options->backend = THRUM_BACKEND_SIM;
    if (!options->most_passes)
        options->most_passes = PASSES;
    if (!options->most_time)
        options->most_time = options->backend == THRUM_BACKEND_SIM ? THRUM_NEVER : THRUM_SECONDS(REAL_SECONDS);
    return options->injection < THRUM_TEST_NOTHING || options->injection > THRUM_TEST_FAIL_ALLOCATION ||
                   (options->seed && options->backend != THRUM_BACKEND_SIM)
               ? THRUM_EINVAL
               : 0;
}

static void drive(test_run *run, const thrum_task *task)
{
    const thrum_test_options *options = run->options;
    const bool real = options->backend != THRUM_BACKEND_SIM;
    thrum_time began = thrum_loop_time(run->loop);
    while (!thrum_task_done(task) && !run->result->deadlock) {
        run->result->duration = thrum_loop_time(run->loop) - began;
        if (run->result->passes >= options->most_passes || run->result->duration > options->most_time) {
            fail(run, "it does not come to an end, after %zu passes and %lld ms", run->result->passes,
                 (long long)(run->result->duration / THRUM_MILLISECONDS(1)));
            say_tasks(run);
            return;
        }
        run->result->passes++;
        int error = thrum_loop_step(run->loop, real ? THRUM_SECONDS(1) : THRUM_NEVER);
        if (error && !run->result->deadlock) {
            fail(run, "the loop failed: %s", thrum_error_name(error));
            return;
        }
    }
    run->result->duration = thrum_loop_time(run->loop) - began;
}

static void run_program(test_run *run, thrum_awaitable what)
{
    thrum_task *task = thrum_spawn(what);
    if (!task) {
        run->result->error = THRUM_ENOMEM;
        return;
    }
    drive(run, task);
    run->result->error = THRUM_ESTATE;
    if (thrum_task_done(task))
        run->result->error = thrum_task_result(task, &run->result->value);
    size_t left = thrum_all_tasks(NULL, 0);
    if (run->options->no_tasks_left && left && thrum_task_done(task)) {
        fail(run, "%zu tasks run still", left);
        say_tasks(run);
    }
    thrum_task_release(task);
}

/* The runner's own last steps, as waiting for the threads, may be what the injection met: that is none of the program's
 * business. */
static bool is_injected(const thrum_test_options *options, int error)
{
    if (options->injection == THRUM_TEST_FAIL_ALLOCATION)
        return error == THRUM_ENOMEM;
    return options->injection != THRUM_TEST_NOTHING && error == THRUM_ECANCELED;
}

void run_once(thrum_test_program *program, void *context, thrum_awaitable what, const thrum_test_options *options,
              thrum_test_result *result)
{
    test_run run = {.options = options, .result = result};
    const thrum_loop_options loop = {
        .size = sizeof loop, .backend = options->backend, .seed = options->seed, .debug = options->debug};
    const thrum_runner_options settings = {.size = sizeof settings, .loop = &loop, .no_signals = true};
    thrum_runner runner;
    size_t bytes_before, bytes, before = blocks(&bytes_before);
    memset(result, 0, sizeof *result);
    memory.count = 0;
    memory.reached = false;
    memory.refused = options->injection == THRUM_TEST_FAIL_ALLOCATION ? options->at : 0;
    seed = options->seed;
    if (program)
        what = program(context);
    else
        before = bytes_before = 0; /* `what` is made already, and counts among what has to go */
    (void)thrum_runner_init(&runner, &settings);
    run.loop = thrum_runner_loop(&runner);
    if (run.loop) {
        thrum_loop_set_exception_handler(run.loop, hear, &run);
        begin_hooks(&run);
        run_program(&run, what);
        int error = thrum_runner_close(&runner);
        if (error && !is_injected(options, error))
            fail(&run, "what was left did not end when it was cancelled: %s", thrum_error_name(error));
    } else {
        thrum_drop(what);
        result->error = THRUM_ENOMEM; /* whoever called has seen to it that there is no other loop */
        (void)thrum_runner_close(&runner);
    }
    result->allocations = memory.count;
    result->injected |= memory.reached;
    memory.refused = 0;
    seed = 0;
    size_t left = blocks(&bytes);
    if (left > before)
        fail(&run, "%zu blocks of the pool, %zu bytes, are in use still", left - before, bytes - bytes_before);
}

static int outcome(const thrum_test_result *result)
{
    return result->error ? result->error : result->failures ? THRUM_ESTATE : 0;
}

int thrum_test_run(thrum_awaitable what, const thrum_test_options *options)
{
    thrum_test_options checked;
    thrum_test_result result;
    int error = run_options(options, &checked);
    if (!error && checked.injection == THRUM_TEST_FAIL_ALLOCATION)
        error = THRUM_EINVAL;
    if (!error && thrum_loop_current())
        error = THRUM_ESTATE;
    if (error) {
        thrum_drop(what);
        return error;
    }
    run_once(NULL, NULL, what, &checked, &result);
    return outcome(&result);
}

int thrum_test_run_program(thrum_test_program *program, void *context, const thrum_test_options *options,
                           thrum_test_result *result)
{
    thrum_test_options checked;
    thrum_test_result own;
    const thrum_awaitable none = {0};
    int error = program ? run_options(options, &checked) : THRUM_EINVAL;
    if (!error && thrum_loop_current())
        error = THRUM_ESTATE;
    if (!error)
        error = run_allocator_begin();
    if (error)
        return error;
    run_once(program, context, none, &checked, result ? result : &own);
    run_allocator_end();
    return outcome(result ? result : &own);
}
