/* oracle-run FILE: runs a program of the oracle on thrum, on virtual time, and prints its trace. `-` is stdin.
 *
 * Status 77: the program uses what is not supported here. 3: something was left behind. */
#include "machine.h"

#include <stdlib.h>
#include <string.h>

struct machine oracle;

static void ignore(thrum_loop *loop, const thrum_report *report, void *context)
{
    (void)loop, (void)report, (void)context;
}

/* Whether any of the first tasks still runs. */
static bool left(unsigned serial)
{
    for (const struct run *run = oracle.first; run && run->serial <= serial; run = run->next)
        if (!run->over)
            return true;
    return false;
}

/* The main task, then the end of what it left behind, as asyncio.run() does it. False at a deadlock. */
static bool run_all(thrum_loop *loop)
{
    struct run *first = keep(sizeof *first);
    first->who = "main";
    first->script = program_script(&oracle.program, "main");
    thrum_loop_run_until_complete(loop, script_task(first), NULL);
    if (!first->over)
        return false;
    oracle.limit = oracle.made ? oracle.made : 1;
    for (struct run *run = oracle.first; run; run = run->next)
        if (!run->over)
            thrum_task_cancel(run->task);
    while (left(oracle.limit)) {
        if (thrum_loop_next_deadline(loop) == THRUM_NEVER)
            return false;
        thrum_loop_step(loop, THRUM_NEVER);
    }
    for (int i = 0; i < 8; i++)
        thrum_loop_step(loop, 0); /* calls that are queued */
    return true;
}

int main(int argc, char **argv)
{
    FILE *file = argc == 2 ? strcmp(argv[1], "-") == 0 ? stdin : fopen(argv[1], "r") : NULL;
    if (!file) {
        fputs("usage: oracle-run FILE\n", stderr);
        return 2;
    }
    program_read(&oracle.program, file);
    fclose(file);

    thrum_loop *loop;
    thrum_loop_options options = {.size = sizeof options, .backend = THRUM_BACKEND_SIM};
    if (thrum_loop_new(&loop, &options) != 0)
        return 2;
    thrum_loop_set_exception_handler(loop, ignore, NULL);
    program_open(&oracle.program);
    if (!run_all(loop))
        note_deadlock();
    fflush(stdout);
    thrum_loop_close(loop);
    for (const struct name *slot = oracle.slots; slot; slot = slot->next) {
        struct run *run = slot->what;
        if (run && run->owned)
            thrum_task_release(run->task);
    }
    for (struct call *call = oracle.last_call; call; call = call->before)
        thrum_handle_cancel(&call->handle); /* one that still waits for a future keeps its context */
    program_close(&oracle.program);
    thrum_pool_stats stats;
    thrum_pool_stats_get(&stats);
    if (stats.blocks) {
        fprintf(stderr, "%zu blocks of the pool were left\n", stats.blocks);
        return 3;
    }
    return 0;
}
