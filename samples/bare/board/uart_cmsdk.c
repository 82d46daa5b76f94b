/* The UART of Arm's CMSDK: a byte in each direction, an interrupt line for each. */
#include "board.h"
#include "uart.h"

#define REGISTER(offset) (*(volatile uint32_t *)(BOARD_UART + (offset)))
#define DATA REGISTER(0x00)
#define STATE REGISTER(0x04)
#define CONTROL REGISTER(0x08)
#define ACKNOWLEDGE REGISTER(0x0c)
#define DIVIDER REGISTER(0x10)
enum { RECEIVED = 2, OVERRUN = 8 };        /* in STATE */
enum { SENT_LINE = 1, RECEIVED_LINE = 2 }; /* in ACKNOWLEDGE */

void BOARD_UART_HANDLER(void);
void BOARD_UART_SENT_HANDLER(void);

static thrum_stream *stream;
static bool sending;

/* The interrupt comes when a byte has left, so the first one has to be sent without. */
static void next(void)
{
    int byte = thrum_serial_next_from_isr(stream);
    sending = byte >= 0;
    if (sending)
        DATA = (uint32_t)byte;
}

static void begin(thrum_stream *one)
{
    (void)one;
    if (!sending)
        next();
}

static void stop(thrum_stream *one)
{
    (void)one;
    CONTROL = 0;
}

const thrum_serial_driver board_uart = {begin, NULL, stop};

/* Acknowledged first: a byte that comes while the last one is taken asks anew. */
void BOARD_UART_HANDLER(void)
{
    ACKNOWLEDGE = RECEIVED_LINE;
    while (STATE & RECEIVED)
        (void)thrum_serial_received_from_isr(stream, (uint8_t)DATA);
    if (STATE & OVERRUN) {
        STATE = OVERRUN;
        thrum_serial_lost_from_isr(stream, 1);
    }
}

void BOARD_UART_SENT_HANDLER(void)
{
    ACKNOWLEDGE = SENT_LINE;
    next();
}

void board_uart_open(thrum_stream *one)
{
    stream = one;
    sending = false;
    DIVIDER = BOARD_HZ / 115200;
    CONTROL = 0x0f; /* both directions, and their interrupts */
    board_irq_on(BOARD_UART_LINE);
    board_irq_on(BOARD_UART_SENT_LINE);
}
