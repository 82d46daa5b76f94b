/* What the shell and its commands share. */
#ifndef SHELL_H
#define SHELL_H

#include <thrum.h>

enum { SHELL_LINE = 64 };

struct shell {
    thrum_stream *console;
    size_t length;
    char line[SHELL_LINE];
    char echo[3 * SHELL_LINE + 1]; /* what the last key shows */
    char last;
    unsigned char escape; /* how far into a key's sequence */
};

size_t shell_length(const char *text);

/* One key while a command is typed. True: the line is complete. */
bool shell_edit(struct shell *shell, char key);

/* The command that a line asks for; it may change the line. THRUM_EINVAL when there is none of that name. */
thrum_awaitable shell_command(struct shell *shell, char *line);

#endif
