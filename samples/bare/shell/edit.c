/* Keys that edit a line. Nothing here waits. */
#include "shell.h"

enum { BACKSPACE = 8, CTRL_U = 21, ESCAPE = 27, DELETE = 127 };

/* Arrow keys and such: an escape, a bracket, some digits, a letter. They are passed over. */
static bool in_escape(struct shell *shell, char key)
{
    switch (shell->escape) {
    case 0:
        shell->escape = key == ESCAPE;
        return shell->escape != 0;
    case 1:
        shell->escape = key == '[' || key == 'O' ? 2 : 0;
        return true;
    default:
        shell->escape = (key >= '0' && key <= '9') || key == ';' ? 2 : 0;
        return true;
    }
}

bool shell_edit(struct shell *shell, char key)
{
    char *echo = shell->echo;
    bool complete = false;
    if (in_escape(shell, key)) {
        *echo = '\0';
        return false;
    }
    if (key == '\r' || key == '\n') {
        complete = !(key == '\n' && shell->last == '\r'); /* some send both */
        if (complete)
            *echo++ = '\r', *echo++ = '\n';
    } else if (key == BACKSPACE || key == DELETE || key == CTRL_U) {
        while (shell->length > 0) {
            shell->length--;
            *echo++ = '\b', *echo++ = ' ', *echo++ = '\b';
            if (key != CTRL_U)
                break;
        }
    } else if (key >= ' ' && key < DELETE && shell->length < SHELL_LINE - 1) {
        shell->line[shell->length++] = key;
        *echo++ = key;
    } else {
        *echo++ = '\a';
    }
    *echo = '\0';
    shell->last = key;
    return complete;
}
