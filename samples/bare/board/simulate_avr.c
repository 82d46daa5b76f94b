/* Runs a program for an AVR with libsimavr: what ../emulate starts where it starts QEMU for others.
 *
 *     simulate_avr MCU HZ PROGRAM.elf ARGUMENTS READ_FD WRITE_FD IDLE
 *
 * UART 0 reads and writes those descriptors (-1: nothing). IDLE is `wait`, which passes in real time what the program
 * sleeps, or `skip`. The program talks as start_avr.c says: its text goes to standard error, its status becomes ours.
 * SIGTERM prints the registers and ends with status 124; a processor that crashed prints them, too, and gives 99. */
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <simavr/avr_uart.h>
#include <simavr/sim_avr.h>
#include <simavr/sim_elf.h>

enum { GPIOR0 = 0x3e, GPIOR1 = 0x4a, GPIOR2 = 0x4b }; /* of an ATmega1284P */
enum { LOOK_EVERY = 2000 };                           /* cycles between looks at the descriptor */

static volatile sig_atomic_t stopped;
static const char *arguments;
static int in, out, status;
static bool ready_for_input = true;
static avr_irq_t *uart_input;

static void stop(int number)
{
    (void)number;
    stopped = 1;
}

static void put_status(avr_t *avr, avr_io_addr_t at, uint8_t value, void *context)
{
    (void)context;
    avr->data[at] = value;
    status = value;
}

static void put_text(avr_t *avr, avr_io_addr_t at, uint8_t value, void *context)
{
    (void)avr, (void)at, (void)context;
    fputc(value, stderr);
}

static uint8_t get_argument(avr_t *avr, avr_io_addr_t at, void *context)
{
    (void)context;
    avr->data[at] = (uint8_t)*arguments;
    if (*arguments)
        arguments++;
    return avr->data[at];
}

static void put_byte(avr_irq_t *irq, uint32_t value, void *context)
{
    const uint8_t byte = (uint8_t)value;
    (void)irq, (void)context;
    if (out >= 0 && write(out, &byte, 1) < 0)
        out = -1;
}

static void may_send(avr_irq_t *irq, uint32_t value, void *context)
{
    (void)irq, (void)value;
    ready_for_input = context != NULL;
}

static void look_at_input(int milliseconds)
{
    struct pollfd what = {.fd = in, .events = POLLIN};
    uint8_t byte;
    if (in < 0 || !ready_for_input || poll(&what, 1, milliseconds) <= 0)
        return;
    if (read(in, &byte, 1) == 1)
        avr_raise_irq(uart_input, byte);
    else
        in = -1;
}

static avr_cycle_count_t look(avr_t *avr, avr_cycle_count_t when, void *context)
{
    (void)avr, (void)context;
    look_at_input(0);
    return when + LOOK_EVERY;
}

static void do_not_sleep(avr_t *avr, avr_cycle_count_t cycles)
{
    (void)avr, (void)cycles;
}

static void print_registers(const avr_t *avr)
{
    for (int i = 0; i < 32; i++)
        fprintf(stderr, "%sr%-2d %02x", i % 8 ? "  " : "\n", i, avr->data[i]);
    fprintf(stderr, "\npc  %05x  sp  %02x%02x  sreg ", avr->pc, avr->data[R_SPH], avr->data[R_SPL]);
    for (int i = 0; i < 8; i++)
        fputc(avr->sreg[i] ? "CZNVSHTI"[i] : '-', stderr);
    fputc('\n', stderr);
}

static void say_nothing(avr_t *avr, const int level, const char *format, va_list parts)
{
    if (avr && avr->log >= level && level == LOG_ERROR)
        vfprintf(stderr, format, parts);
}

int main(int argc, char **argv)
{
    elf_firmware_t program;
    if (argc != 8) {
        fputs("usage: simulate_avr MCU HZ PROGRAM ARGUMENTS READ_FD WRITE_FD IDLE\n", stderr);
        return 2;
    }
    arguments = argv[4];
    in = atoi(argv[5]);
    out = atoi(argv[6]);
    signal(SIGTERM, stop);
    signal(SIGPIPE, SIG_IGN);
    avr_global_logger_set(say_nothing);

    memset(&program, 0, sizeof program);
    if (elf_read_firmware(argv[3], &program) != 0)
        return 2;
    avr_t *avr = avr_make_mcu_by_name(argv[1]);
    if (!avr || avr_init(avr) != 0)
        return 2;
    avr_load_firmware(avr, &program);
    avr->frequency = (uint32_t)strtoul(argv[2], NULL, 10);
    if (strcmp(argv[7], "skip") == 0)
        avr->sleep = do_not_sleep;

    avr_register_io_write(avr, GPIOR0, put_status, NULL);
    avr_register_io_write(avr, GPIOR1, put_text, NULL);
    avr_register_io_read(avr, GPIOR2, get_argument, NULL);
    uint32_t flags = 0;
    avr_ioctl(avr, AVR_IOCTL_UART_GET_FLAGS('0'), &flags);
    flags &= (uint32_t) ~(AVR_UART_FLAG_STDIO | AVR_UART_FLAG_POLL_SLEEP);
    avr_ioctl(avr, AVR_IOCTL_UART_SET_FLAGS('0'), &flags);
    avr_irq_t *uart = avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), 0);
    uart_input = uart + UART_IRQ_INPUT;
    avr_irq_register_notify(uart + UART_IRQ_OUTPUT, put_byte, NULL);
    avr_irq_register_notify(uart + UART_IRQ_OUT_XON, may_send, &ready_for_input);
    avr_irq_register_notify(uart + UART_IRQ_OUT_XOFF, may_send, NULL);
    avr_cycle_timer_register(avr, LOOK_EVERY, look, NULL);

    int state = cpu_Running;
    while (!stopped && state != cpu_Done && state != cpu_Crashed)
        state = avr_run(avr);
    fflush(stderr);
    if (state == cpu_Done)
        return status;
    fputs(stopped ? "still running" : "crashed", stderr);
    print_registers(avr);
    return stopped ? 124 : 99;
}
