/* The console of a board: its first UART. */
#include "../console.h"

#include "uart.h"

THRUM_SERIAL(board_console, &board_uart, NULL, 128, 128);

thrum_stream *console_open(void)
{
    board_uart_open(&board_console);
    return &board_console;
}

/* The loop may have ended; interrupts go on. */
void console_close(thrum_stream *console)
{
    while (console && thrum_stream_unsent(console))
        continue;
}
