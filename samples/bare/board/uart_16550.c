/* A 16550, the UART of PCs and of QEMU's RISC-V machines. It asks as long as there is something to do, so nothing is
 * acknowledged; what has nothing to send stops asking. */
#include "board.h"
#include "uart.h"

#define REGISTER(offset) (*(volatile uint8_t *)(BOARD_UART + (offset)))
#define DATA REGISTER(0)
#define INTERRUPTS REGISTER(1)
#define FIFO REGISTER(2)
#define FORMAT REGISTER(3)
#define STATE REGISTER(5)
enum { ON_RECEIVED = 1, ON_EMPTY = 2 };                 /* in INTERRUPTS */
enum { RECEIVED = 0x01, OVERRUN = 0x02, EMPTY = 0x20 }; /* in STATE; reading it clears an overrun */

void BOARD_UART_HANDLER(void);

static thrum_stream *stream;

static void begin(thrum_stream *one)
{
    (void)one;
    INTERRUPTS = ON_RECEIVED | ON_EMPTY;
}

static void stop(thrum_stream *one)
{
    (void)one;
    INTERRUPTS = 0;
}

const thrum_serial_driver board_uart = {begin, NULL, stop};

void BOARD_UART_HANDLER(void)
{
    uint8_t state;
    while ((state = STATE) & (RECEIVED | OVERRUN)) {
        if (state & OVERRUN)
            thrum_serial_lost_from_isr(stream, 1);
        if (state & RECEIVED)
            (void)thrum_serial_received_from_isr(stream, DATA);
    }
    while (INTERRUPTS & ON_EMPTY && STATE & EMPTY) {
        int byte = thrum_serial_next_from_isr(stream);
        if (byte >= 0)
            DATA = (uint8_t)byte;
        else
            INTERRUPTS = ON_RECEIVED;
    }
}

void board_uart_open(thrum_stream *one)
{
    stream = one;
    FORMAT = 3; /* 8 bits, no parity; the speed is as the machine starts with */
    FIFO = 1;
    INTERRUPTS = ON_RECEIVED;
    board_irq_on(BOARD_UART_LINE);
}
