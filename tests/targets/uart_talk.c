/* A program that answers on the UART, for uart.py: each line is a command, and what it does is what a client sees. */
#include <board.h>
#include <thrum.h>
#include <uart.h>

enum { INPUT = 32, OUTPUT = 32 };
THRUM_SERIAL(console, &board_uart, NULL, INPUT, OUTPUT);

static char text[64];

static size_t length_of(const char *what)
{
    size_t length = 0;
    while (what[length])
        length++;
    return length;
}

static thrum_awaitable put(const char *what)
{
    return thrum_stream_write(&console, what, length_of(what));
}

static char digits[12];

static const char *number(const char *label, unsigned value)
{
    char *at = digits + sizeof digits - 1;
    *at-- = '\0';
    *at-- = '\n';
    do
        *at-- = (char)('0' + value % 10);
    while (value /= 10);
    *at = *label;
    return at;
}

/* A line is being read when its reader is cancelled, in the middle; the next one reads all of it. */
static ASYNC(cancel_in_the_middle, ARGS_NONE, LOCALS(thrum_task *task; int error; char line[16];))
{
    ASYNC_BEGIN;
    self->task = thrum_spawn(thrum_stream_read_line(&console, self->line, sizeof self->line));
    AWAIT(put("reading\n"));
    while (thrum_stream_buffered(&console) < 4)
        AWAIT(thrum_sleep(MILLISECONDS(1)));
    thrum_task_cancel(self->task);
    AWAIT_CATCH_ALL(self->error, self->task);
    AWAIT(put(self->error == THRUM_ECANCELED && thrum_stream_buffered(&console) == 4 ? "cancelled\n" : "wrong\n"));
FINALLY:
    thrum_task_release(self->task);
    ASYNC_END;
}

/* Nobody reads: what does not fit is lost, and counted; then the rest is read away, up to the end of the flood. */
static ASYNC(flood, ARGS_NONE, LOCALS(unsigned before; int error; char some[16];))
{
    ASYNC_BEGIN;
    self->before = thrum_serial_overruns(&console);
    AWAIT(put("go\n"));
    while (thrum_serial_overruns(&console) - self->before < 10)
        AWAIT(thrum_sleep(MILLISECONDS(1)));
    AWAIT(thrum_sleep(MILLISECONDS(20)));
    AWAIT(put(thrum_stream_buffered(&console) == INPUT ? "full\n" : "wrong\n"));
    do
        AWAIT_CATCH(self->error, thrum_timeout(MILLISECONDS(20), thrum_stream_read(&console, self->some, 16)));
    while (!self->error);
    AWAIT(put(number("=", thrum_serial_overruns(&console) - self->before)));
    ASYNC_END;
}

/* More than fits into the ring, cancelled on its way: the client counts what came. */
static ASYNC(write_cancelled, ARGS_NONE, LOCALS(thrum_task *task; int error;))
{
    static const char stars[] = "****************************************************************"
                                "****************************************************************";
    ASYNC_BEGIN;
    self->task = thrum_spawn(thrum_stream_write(&console, stars, sizeof stars - 1));
    AWAIT(thrum_yield());
    thrum_task_cancel(self->task);
    AWAIT_CATCH_ALL(self->error, self->task);
    AWAIT(put(number("=", self->error ? (unsigned)thrum_serial_done(&console) : (unsigned)sizeof stars - 1)));
FINALLY:
    thrum_task_release(self->task);
    ASYNC_END;
}

static ASYNC(talk, ARGS_NONE, LOCALS(size_t size; int error; unsigned i;))
{
    ASYNC_BEGIN;
    board_uart_open(&console);
    AWAIT(put("ready\n"));
    for (;;) {
        AWAIT_CATCH(self->error, thrum_stream_read_line(&console, text, sizeof text));
        if (self->error == THRUM_ELIMIT) {
            AWAIT(put("too long\n"));
            continue;
        }
        if (self->error)
            ASYNC_RAISE(self->error);
        if (text[0] == 'q')
            break;
        if (text[0] == 'c')
            AWAIT(cancel_in_the_middle());
        else if (text[0] == 'f')
            AWAIT(flood());
        else if (text[0] == 'w')
            AWAIT(write_cancelled());
        else if (text[0] == 't') {
            AWAIT_CATCH(self->error,
                        thrum_timeout(MILLISECONDS(30), thrum_stream_read_line(&console, text, sizeof text)));
            AWAIT(put(self->error == THRUM_ETIMEDOUT ? "timed out\n" : "wrong\n"));
        } else if (text[0] == 'l') {
            for (self->i = 0; self->i < 100; self->i++)
                AWAIT(put("0123456789"));
            AWAIT(put("\n"));
        } else {
            AWAIT(put(text));
        }
    }
    AWAIT(put("bye\n"));
    AWAIT(thrum_stream_close(&console));
    ASYNC_END;
}

static uint64_t memory[128];

int main(void)
{
    if (thrum_pool_use_memory(memory, sizeof memory))
        return 2;
    return thrum_run(talk());
}
