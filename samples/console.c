/* The console of a program on a host: standard input and output, a terminal or not, as one stream. A terminal gives
 * each key at once, Ctrl-C too, and is restored at the end. */
#include "bare/console.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

static thrum_stream *console;
static struct termios before;
static bool raw;
static int flags[2];

static intptr_t console_receive(void *link, void *to, size_t size)
{
    (void)link;
    ssize_t got = read(STDIN_FILENO, to, size);
    return got >= 0 ? got : errno == EAGAIN || errno == EINTR ? THRUM_CARRIER_LATER : -errno;
}

static intptr_t console_send(void *link, const thrum_slice *pieces, size_t count)
{
    (void)link;
    for (size_t i = 0; i < count; i++) {
        if (pieces[i].size == 0)
            continue;
        ssize_t sent = write(STDOUT_FILENO, pieces[i].data, pieces[i].size);
        return sent >= 0 ? sent : errno == EAGAIN || errno == EINTR ? THRUM_CARRIER_LATER : -errno;
    }
    return THRUM_CARRIER_LATER;
}

static void console_end(void *link)
{
    (void)link;
}

static void ready_to_read(thrum_handle *handle)
{
    (void)handle;
    thrum_stream_carrier_ready(console, THRUM_CARRIER_READ);
}

static void ready_to_write(thrum_handle *handle)
{
    (void)handle;
    thrum_stream_carrier_ready(console, THRUM_CARRIER_WRITE);
}

/* What cannot be watched, a file, is ready at all times; a handle calls then. */
static thrum_handle reads = THRUM_HANDLE_INIT(ready_to_read, NULL), writes = THRUM_HANDLE_INIT(ready_to_write, NULL);

static void console_watch(void *link, unsigned events)
{
    (void)link;
    thrum_remove_reader(STDIN_FILENO);
    thrum_remove_writer(STDOUT_FILENO);
    if (events & THRUM_CARRIER_READ && thrum_add_reader(STDIN_FILENO, ready_to_read, NULL))
        thrum_call_soon(&reads);
    if (events & THRUM_CARRIER_WRITE && thrum_add_writer(STDOUT_FILENO, ready_to_write, NULL))
        thrum_call_soon(&writes);
}

static void restore(void)
{
    if (raw)
        tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
    raw = false;
    for (int i = 0; i < 2; i++)
        if (flags[i] >= 0)
            fcntl(i, F_SETFL, flags[i]);
}

static void console_end_all(void *link, bool late)
{
    (void)link;
    thrum_remove_reader(STDIN_FILENO);
    thrum_remove_writer(STDOUT_FILENO);
    if (!late) {
        thrum_handle_cancel(&reads);
        thrum_handle_cancel(&writes);
    }
    console = NULL;
    restore();
}

static const thrum_carrier carrier = {
    .size = sizeof carrier,
    .name = "console",
    .receive = console_receive,
    .send = console_send,
    .end = console_end,
    .close = console_end_all,
    .watch = console_watch,
};

thrum_stream *console_open(void)
{
    static bool registered;
    if (!registered)
        atexit(restore);
    registered = true;
    for (int i = 0; i < 2; i++) {
        flags[i] = fcntl(i, F_GETFL);
        if (flags[i] >= 0)
            fcntl(i, F_SETFL, flags[i] | O_NONBLOCK);
    }
    if (isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &before) == 0) {
        struct termios keys = before;
        keys.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG);
        keys.c_iflag &= ~(tcflag_t)ICRNL;
        keys.c_oflag &= ~(tcflag_t)OPOST;
        raw = tcsetattr(STDIN_FILENO, TCSADRAIN, &keys) == 0;
    }
    if (thrum_stream_carry(&console, &carrier, NULL, NULL))
        console = NULL;
    return console;
}

void console_close(thrum_stream *stream)
{
    thrum_stream_release(stream);
}
