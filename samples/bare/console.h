/* The terminal or serial line that a program talks through, on whatever it runs on: a UART of the board, or standard
 * input and output. */
#ifndef CONSOLE_H
#define CONSOLE_H

#include <thrum.h>

/* The stream, with its device switched on; NULL when there is none. Once, in a program that runs. */
thrum_stream *console_open(void);

/* What was written has left. A terminal is as it was before. NULL does nothing. */
void console_close(thrum_stream *console);

#endif
