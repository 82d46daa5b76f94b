/* USART 0 of an AVR: a byte in each direction, an interrupt for each. */
#include <avr/interrupt.h>
#include <avr/io.h>

#include "board.h"
#include "uart.h"

static thrum_stream *stream;

static void begin(thrum_stream *one)
{
    (void)one;
    UCSR0B |= 1 << UDRIE0;
}

static void stop(thrum_stream *one)
{
    (void)one;
    UCSR0B = 0;
}

const thrum_serial_driver board_uart = {begin, NULL, stop};

/* The state belongs to the byte that is read after it. */
ISR(USART0_RX_vect)
{
    uint8_t state = UCSR0A;
    (void)thrum_serial_received_from_isr(stream, UDR0);
    if (state & 1 << DOR0)
        thrum_serial_lost_from_isr(stream, 1);
}

/* It asks as long as there is room: what has nothing to send stops it. */
ISR(USART0_UDRE_vect)
{
    int byte = thrum_serial_next_from_isr(stream);
    if (byte >= 0)
        UDR0 = (uint8_t)byte;
    else
        UCSR0B &= (uint8_t) ~(1 << UDRIE0);
}

void board_uart_open(thrum_stream *one)
{
    stream = one;
    UBRR0 = (uint16_t)(BOARD_HZ / 8 / 115200 - 1);
    UCSR0A = 1 << U2X0;
    UCSR0C = 3 << UCSZ00;
    UCSR0B = 1 << RXCIE0 | 1 << RXEN0 | 1 << TXEN0;
}
