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

/* Keys while a command runs: Ctrl-C ends it, the others are passed over. */
static ASYNC(watch, ARGS((struct shell *, shell), (thrum_group *, command)), LOCALS(char key; size_t got;))
{
    ASYNC_BEGIN;
    do
        AWAIT_INTO(self->got, thrum_stream_read(self->shell->console, &self->key, 1));
    while (self->got != 0 && self->key != CTRL_C);
    if (self->got != 0)
        thrum_group_cancel(self->command);
    ASYNC_END;
}

/* Whatever a command does, there is a prompt behind it. When the line ends meanwhile the command is waited for. */
static ASYNC(run_command, ARGS((struct shell *, shell)), LOCALS(thrum_group command; bool over; int error;))
{
    ASYNC_BEGIN;
    WITH (self->command, thrum_group_open(&self->command)) {
        if (!thrum_group_spawn(&self->command, watch(self->shell, &self->command)))
            self->error = THRUM_ENOMEM;
        else
            AWAIT_CATCH(self->error, shell_command(self->shell, self->shell->line));
        self->over = true;
        thrum_group_cancel(&self->command); /* nobody need watch any more */
    }
    if (!self->over)
        AWAIT(say(self->shell, "^C\r\n"));
    else if (self->error)
        AWAIT(say(self->shell, self->error == THRUM_EINVAL ? "what? (help says)\r\n" : "failed\r\n"));
    AWAIT(say(self->shell, "> "));
    ASYNC_END;
}

static ASYNC(run_shell, ARGS((struct shell *, shell)), LOCALS(char key; size_t got; bool complete;))
{
    ASYNC_BEGIN;
    AWAIT(say(self->shell, "help says what there is\r\n> "));
    for (;;) {
        AWAIT_INTO(self->got, thrum_stream_read(self->shell->console, &self->key, 1));
        if (self->got == 0 || (self->key == CTRL_D && self->shell->length == 0))
            break;
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
            AWAIT(run_command(self->shell));
        }
    }
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
