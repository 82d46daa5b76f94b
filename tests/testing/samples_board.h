/* Firmware that talks over a serial line, at the other end of a connection in memory. */
#ifndef TEST_TESTING_SAMPLES_BOARD_H
#define TEST_TESTING_SAMPLES_BOARD_H

#include "../../samples/bare/console.h"
#include "samples.h"

#undef main
#define main board_main
int board_main(void);

static thrum_stream *samples_console; /* belongs to the connection */

thrum_stream *console_open(void)
{
    return samples_console;
}

void console_close(thrum_stream *console)
{
    (void)console;
    (void)samples_text; /* firmware does not print */
}

#endif
