/* Pseudo-terminals, and programs that run on them. */
#include <thrum/terminals.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <thrum/async.h>

#include "loop/system.h"

/* ---- the two ends ---- */

/* The end for programs, made as the options say. */
static int open_program_end(int here, const thrum_pty_options *options)
{
    thrum_terminal_mode before;
    const thrum_terminal_size size = {options->rows, options->columns};
    int there = system_open_pty_program(here);
    if (there < 0)
        return there;
    int error = size.rows || size.columns ? thrum_terminal_set_size(there, &size) : 0;
    if (!error && options->raw)
        error = thrum_terminal_raw(there, &before);
    if (!error)
        return there;
    (void)close(there);
    return error;
}

int thrum_open_pty(thrum_stream **stream, int *program, const thrum_pty_options *options)
{
    thrum_pty_options all = {.size = sizeof all};
    *stream = NULL;
    *program = -1;
    if (options && (options->size == 0 || options->size > sizeof all))
        return THRUM_EINVAL;
    if (options)
        memcpy(&all, options, options->size);
    int here = system_open_pty();
    if (here < 0)
        return here;
    int there = open_program_end(here, &all);
    int error = there < 0 ? there : thrum_stream_adopt_pipe(stream, here, all.stream);
    if (!error) {
        *program = there;
        return 0;
    }
    if (there >= 0)
        (void)close(there);
    (void)close(here);
    return error;
}

int thrum_pty_resize(const thrum_stream *stream, const thrum_terminal_size *size)
{
    int descriptor, error = thrum_stream_get_extra_info(stream, "pipe", &descriptor, sizeof descriptor);
    return error ? error : thrum_terminal_set_size(descriptor, size);
}

/* ---- a program on one ---- */

/* Its own three are the terminal, whatever was asked for. */
static int options_there(thrum_subprocess_options *all, const thrum_subprocess_options *options, int program)
{
    const thrum_stdio terminal = {THRUM_STDIO_DESCRIPTOR, program};
    memset(all, 0, sizeof *all);
    if (options && (options->size == 0 || options->size > sizeof *all))
        return THRUM_EINVAL;
    if (options)
        memcpy(all, options, options->size);
    all->size = sizeof *all;
    all->in = all->out = all->err = terminal;
    all->new_session = all->controlling_terminal = true;
    all->new_process_group = false;
    all->process_group = 0;
    return 0;
}

ASYNC(thrum_create_subprocess_pty,
      ARGS((const char *const *, arguments), (const thrum_subprocess_options *, options),
           (const thrum_pty_options *, pty), (thrum_stream **, terminal)),
      LOCALS(thrum_subprocess_options there; thrum_process * process; int program;))
{
    ASYNC_BEGIN;
    int error = thrum_open_pty(self->terminal, &self->program, self->pty);
    if (!error)
        error = options_there(&self->there, self->options, self->program);
    if (error)
        ASYNC_RAISE(error);
    AWAIT_INTO(self->process, thrum_create_subprocess_exec(self->arguments, &self->there));
    ASYNC_RETURN((thrum_value)(intptr_t)self->process);
FINALLY:
    if (self->program >= 0)
        (void)close(self->program); /* the child has it, and alone keeps the terminal open */
    if (!self->process && *self->terminal) {
        thrum_stream_abort(*self->terminal);
        thrum_stream_release(*self->terminal);
        *self->terminal = NULL;
    }
    ASYNC_END;
}
