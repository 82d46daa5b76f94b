/* The machine's first UART as a stream: one driver a machine (uart_NAME.c), linked when a program refers to it.
 *
 *     THRUM_SERIAL(console, &board_uart, NULL, 64, 64);
 *     board_uart_open(&console);                       before the loop runs or within it */
#ifndef BOARD_UART_H
#define BOARD_UART_H

#include <thrum.h>

extern const thrum_serial_driver board_uart;

/* Switch the UART on, 115200 baud where that says anything, with its interrupts for this stream, which stays. */
void board_uart_open(thrum_stream *stream);

#endif
