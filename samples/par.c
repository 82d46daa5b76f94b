/* Run commands side by side.
 *
 *     par [--jobs N] [--timeout SECONDS] [COMMAND]...
 *
 * Each COMMAND is a line for the shell; without any they are read from the standard input, one a line, as they come. At
 * most N (as many as there are processors) run at a time. What a command writes, to the standard output or error, comes
 * out whole when it has ended. Progress shows when the standard error is a terminal.
 *
 * Ctrl-C stops all of them, each with everything that it has started, and says what was running. Ends with 1 when a
 * command failed, and with 130 after Ctrl-C. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <thrum.h>

enum { LINE = 4096 };
#define GRACE SECONDS(2) /* between SIGTERM and SIGKILL */

/* All of it; the workers take commands off it. */
struct work {
    char **commands; /* or NULL: they are read from `in` */
    int count, next;
    int running, done, failed;
    long jobs;
    thrum_time timeout;
    thrum_stream *in;
    thrum_lock reading; /* one worker at a time reads a line */
    const char *latest; /* what was begun last and runs still */
};

static void clear_progress(void)
{
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r\033[K");
}

/* ---- one command ---- */

static void tell(const char *command, int code)
{
    clear_progress();
    if (code > 0)
        fprintf(stderr, "par: exit %d: %s\n", code, command);
    else if (code < 0)
        fprintf(stderr, "par: %s: %s\n", strsignal(-code), command);
}

/* Gives what the shell exited with, or -N after signal N. It leads a group, so that a pipeline ends as a whole. */
static ASYNC(run_one, ARGS((struct work *, work), (const char *, command)),
             LOCALS(thrum_process *child; thrum_process_output output; int error, code; bool ended;))
{
    static const thrum_subprocess_options options = {.size = sizeof options,
                                                     .in = {THRUM_STDIO_DEVNULL, 0},
                                                     .out = {THRUM_STDIO_PIPE, 0},
                                                     .err = {THRUM_STDIO_STDOUT, 0},
                                                     .new_process_group = true,
                                                     .whole_group = true};
    ASYNC_BEGIN;
    self->work->running++;
    self->work->latest = self->command;
    AWAIT_INTO(self->child, thrum_create_subprocess_shell(self->command, &options));
    AWAIT_CATCH_INTO(
        self->error, self->code,
        thrum_timeout(self->work->timeout, thrum_process_communicate(self->child, NULL, 0, &self->output)));
    if (self->error == THRUM_ETIMEDOUT) {
        clear_progress();
        fprintf(stderr, "par: its time is up: %s\n", self->command);
        AWAIT_INTO(self->code, thrum_process_stop(self->child, GRACE));
        if (!self->code)
            self->code = 1;
    } else if (self->error) {
        ASYNC_RAISE(self->error);
    }
    self->ended = true;
    clear_progress();
    (void)fwrite(self->output.out, 1, self->output.out_size, stdout);
    (void)fflush(stdout);
    ASYNC_RETURN(self->code);
FINALLY:
    self->work->running--;
    if (self->work->latest == self->command)
        self->work->latest = NULL;
    if (self->child && !self->ended) {
        clear_progress();
        fprintf(stderr, "par: stopped: %s\n", self->command);
        AWAIT_CATCH(self->error, thrum_process_stop(self->child, GRACE));
    }
    thrum_process_release(self->child);
    thrum_process_output_free(&self->output);
    ASYNC_END;
}

/* ---- many ---- */

/* Gives the next command as a char *, or NULL: there are no more. Lines are read into `line`. */
static ASYNC(next_command, ARGS((struct work *, work), (char *, line)), LOCALS(thrum_lock_hold turn; size_t length;))
{
    ASYNC_BEGIN;
    if (self->work->commands)
        ASYNC_RETURN((thrum_value)(intptr_t)(self->work->next < self->work->count
                                                 ? self->work->commands[self->work->next++]
                                                 : NULL));
    WITH (self->turn, thrum_lock_hold(&self->turn, &self->work->reading)) {
        do {
            AWAIT_INTO(self->length, thrum_stream_read_line(self->work->in, self->line, LINE));
            self->line[strcspn(self->line, "\n")] = '\0';
        } while (self->length && !self->line[0]);
        if (self->length)
            self->work->count++;
    }
    ASYNC_RETURN((thrum_value)(intptr_t)(self->length ? self->line : NULL));
    ASYNC_END;
}

static ASYNC(worker, ARGS((struct work *, work)), LOCALS(const char *command; int code;), BUFFERS(char line[LINE];))
{
    ASYNC_BEGIN;
    for (;;) {
        AWAIT_INTO(self->command, next_command(self->work, self->line));
        if (!self->command)
            break;
        AWAIT_INTO(self->code, run_one(self->work, self->command));
        tell(self->command, self->code);
        self->work->done++;
        self->work->failed += self->code != 0;
    }
    ASYNC_END;
}

static ASYNC(progress, ARGS((const struct work *, work)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    while (isatty(STDERR_FILENO)) {
        fprintf(stderr, "\r\033[K%d of %d done, %d failed, %d running: %.40s", self->work->done, self->work->count,
                self->work->failed, self->work->running, self->work->latest ? self->work->latest : "");
        AWAIT(thrum_sleep(MILLISECONDS(100)));
    }
FINALLY:
    clear_progress();
    ASYNC_END;
}

static ASYNC(app, ARGS((struct work *, work)),
             LOCALS(thrum_group workers; thrum_task * progress; long i; thrum_time begin;))
{
    ASYNC_BEGIN;
    self->begin = thrum_now();
    int error = self->work->commands ? 0 : thrum_open_stdin(&self->work->in, NULL);
    if (error)
        ASYNC_RAISE(error);
    self->progress = thrum_spawn(progress(self->work));
    WITH (self->workers, thrum_group_open(&self->workers)) {
        for (self->i = 0; self->i < self->work->jobs; self->i++)
            if (!thrum_group_spawn(&self->workers, worker(self->work)) &&
                self->i == 0) /* fewer than asked for will do */
                ASYNC_RAISE(THRUM_ENOMEM);
    }
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r\033[K%d command%s, %d failed, in %.1f s\n", self->work->done,
                self->work->done == 1 ? "" : "s", self->work->failed,
                (double)(thrum_now() - self->begin) / (double)SECONDS(1));
    if (self->work->failed)
        ASYNC_RAISE(thrum_error_set(THRUM_EEXIT, 0, "exit", 1, NULL));
FINALLY:
    if (self->progress)
        thrum_task_cancel(self->progress);
    thrum_task_release(self->progress);
    thrum_stream_release(self->work->in);
    ASYNC_END;
}

static int usage(const char *program)
{
    fprintf(stderr, "usage: %s [--jobs N] [--timeout SECONDS] [COMMAND]...\n", program);
    return 2;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"jobs", required_argument, NULL, 'j'}, {"timeout", required_argument, NULL, 't'}, {NULL, 0, NULL, 0}};
    const thrum_runner_options run = {.size = sizeof run, .terminate = true};
    struct work work = {.jobs = sysconf(_SC_NPROCESSORS_ONLN), .timeout = THRUM_NEVER};
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'j')
            work.jobs = atol(optarg);
        else if (option == 't')
            work.timeout = (thrum_time)(atof(optarg) * (double)SECONDS(1));
        else
            return usage(argv[0]);
    }
    if (work.jobs < 1 || work.timeout <= 0)
        return usage(argv[0]);
    work.count = argc - optind;
    work.commands = work.count ? argv + optind : NULL;
    return thrum_run_with(app(&work), &run);
}
