/* Keep programs running.
 *
 *     supervise [--grace SECONDS] FILE
 *
 * A line of FILE is the name of a program, what to do when it ends, and its command, which the shell gets:
 *
 *     web     always     exec httpd --port 8080 /srv
 *     job     failure    ./job --all
 *     once    never      ./migrate
 *
 * `always` starts it again, `failure` when it failed, `never` does not. One that ends soon is started again later and
 * later: after 0.1 s, 0.2 s, ... 10 s; when it has run for 10 s, after 0.1 s again. What starts with # is a comment.
 *
 * SIGHUP reads FILE again: programs that are new begin, those that are gone end, and those whose command is another one
 * are started again. A file with a mistake changes nothing. SIGTERM and Ctrl-C end all: SIGTERM, and after the grace
 * (5 s) SIGKILL, for each and what it has started. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <thrum.h>

enum { PROGRAMS = 64, NAME = 32, COMMAND = 1024, FILE_SIZE = 1 << 20 };

enum policy { ALWAYS, FAILURE, NEVER };

struct line {
    char name[NAME], command[COMMAND];
    enum policy policy;
};

/* A program that is kept; its task leaves the place free. */
struct program {
    struct line line;
    bool kept, wanted;
    thrum_cancel_scope turn; /* one start and what comes of it: cancelled, it ends */
};

struct supervise {
    const char *path;
    thrum_time grace, first, last; /* delays before a start */
    struct program programs[PROGRAMS];
    struct line lines[PROGRAMS]; /* as the file says */
    size_t count;
};

/* ---- the file ---- */

static bool read_policy(const char *word, enum policy *policy)
{
    static const char *const names[] = {"always", "failure", "never"};
    for (int i = 0; i < 3; i++)
        if (strcmp(word, names[i]) == 0) {
            *policy = (enum policy)i;
            return true;
        }
    return false;
}

/* Take the text apart. Gives 0, or the number of the line that is wrong. */
static int parse(struct supervise *all, char *text)
{
    int number = 0;
    all->count = 0;
    for (char *at = text, *next; at; at = next) {
        char word[16] = "";
        struct line *line = &all->lines[all->count];
        int begin = 0;
        number++;
        next = strchr(at, '\n');
        if (next)
            *next++ = '\0';
        at += strspn(at, " \t\r");
        if (!*at || *at == '#')
            continue;
        if (all->count == PROGRAMS || sscanf(at, "%31s %15s %n", line->name, word, &begin) != 2 || !begin ||
            !at[begin] || strlen(at + begin) >= COMMAND || !read_policy(word, &line->policy))
            return number;
        (void)snprintf(line->command, sizeof line->command, "%s", at + begin);
        for (size_t i = 0; i < all->count; i++)
            if (strcmp(all->lines[i].name, line->name) == 0)
                return number;
        all->count++;
    }
    return 0;
}

/* ---- one program ---- */

/* Start it and wait for its end: gives what it exited with, or -N after signal N. Cancelled, it ends it. */
static ASYNC(run_once, ARGS((const struct supervise *, all), (const struct program *, program)),
             LOCALS(thrum_process *child; int code, error;))
{
    static const thrum_subprocess_options options = {
        .size = sizeof options, .in = {THRUM_STDIO_DEVNULL, 0}, .new_process_group = true, .whole_group = true};
    ASYNC_BEGIN;
    AWAIT_INTO(self->child, thrum_create_subprocess_shell(self->program->line.command, &options));
    printf("%s: started, %d\n", self->program->line.name, thrum_process_pid(self->child));
    AWAIT_INTO(self->code, thrum_process_wait(self->child));
    ASYNC_RETURN(self->code);
FINALLY: /* an error here would take the place of a cancellation; what cannot be asked to end is killed */
    AWAIT_CATCH(self->error, thrum_process_stop(self->child, self->all->grace));
    thrum_process_release(self->child);
    ASYNC_END;
}

static void tell_end(const char *name, int error, int code)
{
    if (error)
        printf("%s: not started: %s\n", name, thrum_error_text(error));
    else if (code < 0)
        printf("%s: ended by %s\n", name, strsignal(-code));
    else
        printf("%s: exited with %d\n", name, code);
}

static bool starts_again(const struct program *program, int error, int code)
{
    return program->line.policy == ALWAYS || (program->line.policy == FAILURE && (error || code));
}

static ASYNC(keep, ARGS((struct supervise *, all), (struct program *, program)),
             LOCALS(thrum_time delay, begin; int error, code; bool again;), ON_DROP(self->program->kept = false;))
{
    ASYNC_BEGIN;
    for (;;) {
        self->delay = self->all->first;
        self->again = true;
        WITH (self->program->turn, thrum_cancel_scope_open(&self->program->turn, THRUM_NEVER, 0, THRUM_CANCEL_EDGE)) {
            while (self->again) {
                self->begin = thrum_now();
                AWAIT_CATCH_INTO(self->error, self->code, run_once(self->all, self->program));
                tell_end(self->program->line.name, self->error, self->code);
                self->again = starts_again(self->program, self->error, self->code);
                if (thrum_now() - self->begin >= self->all->last)
                    self->delay = self->all->first;
                if (self->again)
                    AWAIT(thrum_sleep(self->delay));
                self->delay = self->delay * 2 < self->all->last ? self->delay * 2 : self->all->last;
            }
            AWAIT(thrum_sleep(THRUM_NEVER)); /* it is over, until the file says something else */
        }
        if (!self->program->wanted)
            break;
        printf("%s: another command\n", self->program->line.name);
        memset(&self->program->turn, 0, sizeof self->program->turn);
    }
    printf("%s: stopped\n", self->program->line.name);
FINALLY:
    self->program->kept = false;
    ASYNC_END;
}

/* ---- all of them ---- */

static struct program *find(struct supervise *all, const char *name)
{
    for (int i = 0; i < PROGRAMS; i++)
        if (name ? all->programs[i].kept && strcmp(all->programs[i].line.name, name) == 0 : !all->programs[i].kept)
            return &all->programs[i];
    return NULL;
}

/* Have what runs be what the file says. */
static void settle(struct supervise *all, thrum_group *group)
{
    for (int i = 0; i < PROGRAMS; i++)
        all->programs[i].wanted = false;
    for (size_t i = 0; i < all->count; i++) {
        const struct line *line = &all->lines[i];
        struct program *program = find(all, line->name);
        bool is_new = !program;
        if (is_new && !(program = find(all, NULL)))
            continue; /* 64 that come to their end still */
        program->wanted = true;
        if (is_new) {
            program->line = *line;
            program->kept = true;
            memset(&program->turn, 0, sizeof program->turn); /* it may be cancelled before its task begins */
            thrum_group_spawn_detached(group, keep(all, program));
        } else if (strcmp(program->line.command, line->command) != 0 || program->line.policy != line->policy) {
            program->line = *line;
            thrum_cancel_scope_cancel(&program->turn);
        }
    }
    for (int i = 0; i < PROGRAMS; i++)
        if (all->programs[i].kept && !all->programs[i].wanted)
            thrum_cancel_scope_cancel(&all->programs[i].turn);
}

/* Read the file; gives whether it is right. What it says stands in `all` then. */
static ASYNC(load, ARGS((struct supervise *, all)), LOCALS(char *text; int error;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH(self->error, thrum_read_file(self->all->path, &self->text, FILE_SIZE));
    int wrong = self->error ? 0 : parse(self->all, self->text);
    if (self->error)
        fprintf(stderr, "supervise: %s: %s\n", self->all->path, thrum_error_text(self->error));
    else if (wrong)
        fprintf(stderr, "supervise: %s:%d: this is no NAME, always|failure|never and COMMAND, or it is there already\n",
                self->all->path, wrong);
    ASYNC_RETURN(!self->error && !wrong);
FINALLY:
    free(self->text);
    ASYNC_END;
}

static ASYNC(app, ARGS((struct supervise *, all)),
             LOCALS(thrum_signal_receiver *receiver; thrum_group group; thrum_iteration each; int number; bool right;))
{
    static const int numbers[] = {SIGHUP, SIGINT, SIGTERM};
    ASYNC_BEGIN;
    int error = thrum_signal_receiver_open(&self->receiver, numbers, 3);
    if (error)
        ASYNC_RAISE(error);
    AWAIT_INTO(self->right, load(self->all));
    if (!self->right)
        ASYNC_RAISE(thrum_error_set(THRUM_EEXIT, 0, "exit", 1, NULL));
    WITH (self->group, thrum_group_open(&self->group)) {
        settle(self->all, &self->group);
        ASYNC_FOR (self->number, self->each, thrum_signal_receiver_each(self->receiver)) {
            if (self->number != SIGHUP)
                break;
            AWAIT_INTO(self->right, load(self->all));
            if (self->right)
                settle(self->all, &self->group);
        }
        self->all->count = 0; /* none is wanted any more; the block ends when all have */
        settle(self->all, &self->group);
    }
FINALLY:
    thrum_signal_receiver_close(self->receiver);
    ASYNC_END;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"grace", required_argument, NULL, 'g'}, {NULL, 0, NULL, 0}};
    static struct supervise all = {.grace = SECONDS(5), .first = MILLISECONDS(100), .last = SECONDS(10)};
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
        if (option == 'g')
            all.grace = (thrum_time)(atof(optarg) * (double)SECONDS(1));
    if (optind != argc - 1 || all.grace < 0) {
        fprintf(stderr, "usage: %s [--grace SECONDS] FILE\n", argv[0]);
        return 2;
    }
    all.path = argv[optind];
    setvbuf(stdout, NULL, _IOLBF, 0);
    return thrum_run(app(&all));
}
