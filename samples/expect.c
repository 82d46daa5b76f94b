/* Drive a program that wants a user.
 *
 *     expect [--timeout SECONDS] SCRIPT PROGRAM [ARGUMENT]...
 *
 * PROGRAM runs on a terminal of its own, and what it says is copied to the standard output. The lines of SCRIPT are
 *
 *     expect TEXT     wait until it has said this
 *     send TEXT       type this; \n is the return key, \e escape, \\ a backslash, \x03 any character
 *     size ROWS COLUMNS
 *     hangup          close the terminal
 *
 * and empty ones, and those that begin with #. What does not come within SECONDS (10), or before PROGRAM ends, is an
 * error, and ends with 1. After the script PROGRAM may say what it wants and come to its end; its exit code is the one
 * of expect, 128 and the signal's number after a signal. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <thrum.h>

enum { TEXT = 1024, SCRIPT = 1 << 20 };

struct play {
    const char *script;
    const char *const *arguments;
    thrum_time timeout;
    int line; /* of the script, that is being done */
};

enum action { NOTHING, EXPECT, SEND, RESIZE, HANGUP, WRONG };

struct step {
    enum action action;
    char text[TEXT];
    size_t length;
    thrum_terminal_size size;
};

/* ---- the script ---- */

/* What stands behind a backslash; false: nothing that is known. */
static bool unescape(const char **at, char *to)
{
    static const char from[] = "nrte\\", meant[] = "\n\r\t\033\\";
    const char *known = **at ? strchr(from, **at) : NULL;
    unsigned code;
    int size = 0;
    if (known) {
        *to = meant[known - from];
        ++*at;
        return true;
    }
    if (sscanf(*at, "x%2x%n", &code, &size) != 1 || size != 3)
        return false;
    *to = (char)code;
    *at += size;
    return true;
}

static bool read_text(struct step *step, const char *at)
{
    for (step->length = 0; *at && step->length < TEXT; step->length++) {
        char *to = &step->text[step->length];
        if (*at != '\\') {
            *to = *at++;
            continue;
        }
        at++;
        if (!unescape(&at, to))
            return false;
    }
    return !*at && step->length;
}

static void read_step(struct step *step, const char *line)
{
    char word[16] = "", more;
    int begin = 0;
    memset(step, 0, sizeof *step);
    if (sscanf(line, "%15s %n", word, &begin) < 1 || word[0] == '#')
        return;
    if (strcmp(word, "expect") == 0 || strcmp(word, "send") == 0) {
        step->action = word[0] == 'e' ? EXPECT : SEND;
        if (begin && read_text(step, line + begin))
            return;
    } else if (strcmp(word, "size") == 0 &&
               sscanf(line + begin, "%u %u %c", &step->size.rows, &step->size.columns, &more) == 2) {
        step->action = RESIZE;
        return;
    } else if (strcmp(word, "hangup") == 0) {
        step->action = HANGUP;
        return;
    }
    step->action = WRONG;
}

/* ---- what is done ---- */

static void show(const char *text, size_t size)
{
    (void)fwrite(text, 1, size, stdout);
    (void)fflush(stdout);
}

/* Copy what the program says until it has said this. A stream finds it wherever it begins, also in pieces. */
static ASYNC(wait_for, ARGS((thrum_stream *, terminal), (const struct step *, step)),
             LOCALS(thrum_slice text; size_t size; int error;), BUFFERS(char said[4096];))
{
    ASYNC_BEGIN;
    self->text = (thrum_slice){self->step->text, self->step->length};
    do {
        AWAIT_CATCH_INTO(self->error, self->size,
                         thrum_stream_read_until(self->terminal, self->said, sizeof self->said, &self->text, 1));
        if (self->error == THRUM_ELIMIT) { /* much else came before: out of the way with it */
            self->size = (size_t)thrum_error_last()->number;
            if (self->size > sizeof self->said)
                self->size = sizeof self->said;
            AWAIT_INTO(self->size, thrum_stream_read(self->terminal, self->said, self->size));
        } else if (self->error == THRUM_EINCOMPLETE) {
            show(self->said, (size_t)thrum_error_last()->number);
            ASYNC_RAISE(self->error);
        } else if (self->error) {
            ASYNC_RAISE(self->error);
        }
        show(self->said, self->size);
    } while (self->error);
    ASYNC_END;
}

static ASYNC(copy_the_rest, ARGS((thrum_stream *, terminal)), LOCALS(const void *data; size_t size;))
{
    ASYNC_BEGIN;
    do {
        AWAIT_INTO(self->size, thrum_stream_fill(self->terminal, &self->data, 1));
        show((const char *)self->data, self->size);
    } while (self->size);
    ASYNC_END;
}

static ASYNC(do_step, ARGS((const struct play *, play), (thrum_stream *, terminal), (const struct step *, step)),
             LOCALS_NONE)
{
    ASYNC_BEGIN;
    if (self->step->action == EXPECT)
        AWAIT(thrum_timeout(self->play->timeout, wait_for(self->terminal, self->step)));
    else if (self->step->action == SEND)
        AWAIT(thrum_timeout(self->play->timeout,
                            thrum_stream_write(self->terminal, self->step->text, self->step->length)));
    else if (self->step->action == HANGUP)
        AWAIT(thrum_stream_close(self->terminal));
    else if (self->step->action == WRONG)
        ASYNC_RAISE(THRUM_EINVAL);
    else if (self->step->action == RESIZE && thrum_pty_resize(self->terminal, &self->step->size))
        ASYNC_RAISE(THRUM_EINVAL);
    ASYNC_END;
}

static int complain(const struct play *play, const struct step *step, int error)
{
    fprintf(stderr, "\nexpect: %s:%d: ", play->script, play->line);
    if (error == THRUM_EINVAL)
        fprintf(stderr, "this is no step\n");
    else if (error == THRUM_ETIMEDOUT)
        fprintf(stderr, "it does not say: %.*s\n", (int)step->length, step->text);
    else if (error == THRUM_EINCOMPLETE)
        fprintf(stderr, "it has ended, and did not say: %.*s\n", (int)step->length, step->text);
    else
        fprintf(stderr, "%s\n", thrum_error_text(error));
    return thrum_error_set(THRUM_EEXIT, 0, "exit", 1, NULL);
}

static ASYNC(app, ARGS((struct play *, play)),
             LOCALS(thrum_stream *terminal; thrum_process * child; char *script, *next; int error, code; bool hung_up;
                    struct step step;))
{
    static const thrum_pty_options pty = {.size = sizeof pty, .rows = 24, .columns = 80};
    ASYNC_BEGIN;
    AWAIT(thrum_read_file(self->play->script, &self->script, SCRIPT));
    AWAIT_INTO(self->child, thrum_create_subprocess_pty(self->play->arguments, NULL, &pty, &self->terminal));
    for (self->next = self->script; self->next;) {
        char *line = self->next, *end = strchr(line, '\n');
        self->next = end ? end + 1 : NULL;
        if (end)
            *end = '\0';
        self->play->line++;
        read_step(&self->step, line);
        AWAIT_CATCH(self->error, do_step(self->play, self->terminal, &self->step));
        if (self->error)
            ASYNC_RAISE(complain(self->play, &self->step, self->error));
        self->hung_up = self->hung_up || self->step.action == HANGUP;
    }
    self->step.length = 0;
    AWAIT_CATCH(self->error,
                thrum_timeout(self->play->timeout, self->hung_up ? thrum_yield() : copy_the_rest(self->terminal)));
    if (!self->error)
        AWAIT_CATCH_INTO(self->error, self->code, thrum_timeout(self->play->timeout, thrum_process_wait(self->child)));
    if (self->error) {
        fprintf(stderr, "\nexpect: it does not come to its end\n");
        self->code = 1;
    }
    if (self->code)
        ASYNC_RAISE(thrum_error_set(THRUM_EEXIT, 0, "exit", self->code < 0 ? 128 - self->code : self->code, NULL));
FINALLY:
    free(self->script);
    thrum_stream_release(self->terminal); /* hangs up */
    AWAIT_CATCH(self->error, thrum_process_stop(self->child, SECONDS(1)));
    thrum_process_release(self->child);
    ASYNC_END;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"timeout", required_argument, NULL, 't'}, {NULL, 0, NULL, 0}};
    struct play play = {.timeout = SECONDS(10)};
    int option;
    while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1)
        if (option == 't')
            play.timeout = (thrum_time)(atof(optarg) * (double)SECONDS(1));
    if (argc - optind < 2 || play.timeout <= 0) {
        fprintf(stderr, "usage: %s [--timeout SECONDS] SCRIPT PROGRAM [ARGUMENT]...\n", argv[0]);
        return 2;
    }
    play.script = argv[optind];
    play.arguments = (const char *const *)(argv + optind + 1);
    return thrum_run(app(&play));
}
