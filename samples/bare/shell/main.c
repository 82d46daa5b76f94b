/* A command line on a serial line: keys are edited (edit.c), commands are async functions (commands.c), and Ctrl-C
 * cancels the one that runs, which then cleans up and ends. */
#include <thrum.h>

#include "../console.h"
#include "shell.h"

enum { CTRL_C = 3, CTRL_D = 4 };

#if !THRUM_HOSTED
static uint64_t memory[320];
#endif

static thrum_awaitable say(struct shell *shell, const char *text)
{
    return thrum_stream_write(shell->console, text, shell_length(text));
}

/* Whatever a command does, there is a prompt behind it. */
static ASYNC(run_command, ARGS((struct shell *, shell), (char *, line)), LOCALS(int error;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH_ALL(self->error, shell_command(self->shell, self->line));
    if (self->error == THRUM_ECANCELED) {
        thrum_uncancel();
        AWAIT(say(self->shell, "^C\r\n"));
    } else if (self->error) {
        AWAIT(say(self->shell, self->error == THRUM_EINVAL ? "what? (help says)\r\n" : "failed\r\n"));
    }
    AWAIT(say(self->shell, "> "));
FINALLY:
    self->shell->running = NULL;
    ASYNC_END;
}

static ASYNC(run_shell, ARGS((struct shell *, shell)),
             LOCALS(thrum_group commands; char key; size_t got; bool complete;))
{
    ASYNC_BEGIN;
    WITH (self->commands, thrum_group_open(&self->commands)) {
        AWAIT(say(self->shell, "help says what there is\r\n> "));
        for (;;) {
            AWAIT_INTO(self->got, thrum_stream_read(self->shell->console, &self->key, 1));
            if (self->got == 0 || (self->key == CTRL_D && !self->shell->running && self->shell->length == 0))
                break;
            if (self->shell->running) {
                if (self->key == CTRL_C)
                    thrum_task_cancel(self->shell->running);
                continue;
            }
            if (self->key == CTRL_C) {
                self->shell->length = 0;
                AWAIT(say(self->shell, "^C\r\n> "));
                continue;
            }
            self->complete = shell_edit(self->shell, self->key);
            AWAIT(say(self->shell, self->shell->echo));
            if (self->complete) {
                self->shell->line[self->shell->length] = '\0';
                self->shell->length = 0;
                self->shell->running = thrum_group_spawn(&self->commands, run_command(self->shell, self->shell->line));
            }
        }
    } /* a command that runs when the line ends is waited for */
    AWAIT(say(self->shell, "\r\n"));
    AWAIT(thrum_stream_flush(self->shell->console));
    ASYNC_END;
}

static ASYNC(app, ARGS_NONE, LOCALS(struct shell state;))
{
    ASYNC_BEGIN;
    self->state.console = console_open();
    if (!self->state.console)
        ASYNC_RAISE(THRUM_ENOMEM);
    AWAIT(run_shell(&self->state));
FINALLY:
    console_close(self->state.console);
    ASYNC_END;
}

int main(void)
{
#if !THRUM_HOSTED
    thrum_pool_use_memory(memory, sizeof memory);
#endif
    return thrum_run(app());
}
