/* The commands: each is an async function of the shell and its argument. */
#include "shell.h"

size_t shell_length(const char *text)
{
    size_t length = 0;
    while (text[length])
        length++;
    return length;
}

/* A number and the end of a line, at the end of `text`, which has room for 14; gives where it begins. */
static char *number_line(char *text, unsigned long number)
{
    char *at = text + 13;
    *at = '\0', *--at = '\n', *--at = '\r';
    do
        *--at = (char)('0' + (char)(number % 10));
    while ((number /= 10) != 0);
    return at;
}

/* 0 for what is no number. */
static unsigned long number_of(const char *text)
{
    unsigned long number = 0;
    while (*text >= '0' && *text <= '9' && number < 1000000)
        number = 10 * number + (unsigned long)(*text++ - '0');
    return *text ? 0 : number;
}

static thrum_awaitable say(struct shell *shell, const char *text)
{
    return thrum_stream_write(shell->console, text, shell_length(text));
}

static ASYNC(help, ARGS((struct shell *, shell), (char *, argument)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(say(self->shell, "echo TEXT   says it\r\n"
                           "count N     counts up to N, twice a second\r\n"
                           "uptime      seconds of the clock\r\n"
                           "help        this\r\n"
                           "Ctrl-C ends a command, Ctrl-D the shell.\r\n"));
    ASYNC_END;
}

static ASYNC(echo, ARGS((struct shell *, shell), (char *, argument)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(say(self->shell, self->argument));
    AWAIT(say(self->shell, "\r\n"));
    ASYNC_END;
}

static ASYNC(count, ARGS((struct shell *, shell), (char *, argument)), LOCALS(unsigned long i, most; char text[14];))
{
    ASYNC_BEGIN;
    self->most = number_of(self->argument);
    if (!self->most)
        ASYNC_RAISE(THRUM_EINVAL);
    for (self->i = 1; self->i <= self->most; self->i++) {
        AWAIT(say(self->shell, number_line(self->text, self->i)));
        AWAIT(thrum_sleep(MILLISECONDS(500)));
    }
FINALLY: /* also when Ctrl-C came */
    AWAIT(say(self->shell, "the count is over\r\n"));
    ASYNC_END;
}

static ASYNC(uptime, ARGS((struct shell *, shell), (char *, argument)), LOCALS(char text[14];))
{
    ASYNC_BEGIN;
    AWAIT(say(self->shell, number_line(self->text, (unsigned long)(thrum_now() / THRUM_TICKS_PER_SECOND))));
    ASYNC_END;
}

static ASYNC(nothing, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    ASYNC_END;
}

static const struct {
    const char *name;
    thrum_awaitable (*run)(struct shell *shell, char *argument);
} commands[] = {{"help", help}, {"echo", echo}, {"count", count}, {"uptime", uptime}};

static bool same(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return *a == *b;
}

thrum_awaitable shell_command(struct shell *shell, char *line)
{
    while (*line == ' ')
        line++;
    if (!*line)
        return nothing();
    char *argument = line;
    while (*argument && *argument != ' ')
        argument++;
    if (*argument)
        *argument++ = '\0';
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (same(line, commands[i].name))
            return commands[i].run(shell, argument);
    return thrum_awaitable_failing(THRUM_EINVAL);
}
