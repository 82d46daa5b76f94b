/* The UART of an nRF51: six bytes of input, one of output; each that has moved is an event. */
#include "board.h"
#include "uart.h"

#define REGISTER(offset) (*(volatile uint32_t *)(BOARD_UART + (offset)))
#define START_RECEIVER REGISTER(0x000)
#define START_SENDER REGISTER(0x008)
#define RECEIVED REGISTER(0x108)
#define SENT REGISTER(0x11c)
#define FAILED REGISTER(0x124)
#define INTERRUPTS_ON REGISTER(0x304)
#define INTERRUPTS_OFF REGISTER(0x308)
#define ERROR_SOURCE REGISTER(0x480)
#define ENABLE REGISTER(0x500)
#define PIN_SEND REGISTER(0x50c)
#define PIN_RECEIVE REGISTER(0x514)
#define INPUT REGISTER(0x518)
#define OUTPUT REGISTER(0x51c)
#define BAUD REGISTER(0x524)
enum { ON_RECEIVED = 1 << 2, ON_SENT = 1 << 7, ON_FAILED = 1 << 9, OVERRUN = 1 };

void BOARD_UART_HANDLER(void);

static thrum_stream *stream;
static bool sending;

static void next(void)
{
    int byte = thrum_serial_next_from_isr(stream);
    sending = byte >= 0;
    if (sending)
        OUTPUT = (uint32_t)byte;
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
    INTERRUPTS_OFF = ON_RECEIVED | ON_SENT | ON_FAILED;
    ENABLE = 0;
}

const thrum_serial_driver board_uart = {begin, NULL, stop};

/* An event is cleared before its byte is taken: that makes room, and the next byte's event must not be cleared with
 * this one's. */
void BOARD_UART_HANDLER(void)
{
    while (RECEIVED) {
        RECEIVED = 0;
        (void)thrum_serial_received_from_isr(stream, (uint8_t)INPUT);
    }
    if (FAILED) {
        FAILED = 0;
        uint32_t why = ERROR_SOURCE;
        ERROR_SOURCE = why;
        if (why & OVERRUN)
            thrum_serial_lost_from_isr(stream, 1);
    }
    if (SENT) {
        SENT = 0;
        next();
    }
}

void board_uart_open(thrum_stream *one)
{
    stream = one;
    sending = false;
    PIN_SEND = 24; /* where a microbit has its USB chip */
    PIN_RECEIVE = 25;
    BAUD = 0x01d7e000; /* 115200 */
    ENABLE = 4;
    RECEIVED = SENT = FAILED = 0;
    INTERRUPTS_ON = ON_RECEIVED | ON_SENT | ON_FAILED;
    START_RECEIVER = 1;
    START_SENDER = 1;
    board_irq_on(BOARD_UART_LINE);
}
