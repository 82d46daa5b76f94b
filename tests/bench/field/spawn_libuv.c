/* spawn wait|pipe N over libuv. */
#include "../support/bench.h"

#include <uv.h>

static long count, done;
static long long total;
static uv_process_t child;
static uv_pipe_t from;
static char bytes[131072];

static void start(void);

static void on_closed(uv_handle_t *handle)
{
    (void)handle;
    if (++done < count)
        start();
}

static void on_exit_(uv_process_t *process, int64_t status, int signal)
{
    if (status || signal)
        exit(1);
    uv_close((uv_handle_t *)process, on_closed);
}

static void start(void)
{
    char *arguments[] = {"/bin/true", NULL};
    uv_process_options_t options = {.exit_cb = on_exit_, .file = arguments[0], .args = arguments};
    uv_stdio_container_t three[] = {{.flags = UV_INHERIT_FD, .data.fd = 0},
                                    {.flags = UV_INHERIT_FD, .data.fd = 1},
                                    {.flags = UV_INHERIT_FD, .data.fd = 2}};
    options.stdio = three;
    options.stdio_count = 3;
    if (uv_spawn(uv_default_loop(), &child, &options))
        exit(1);
}

static void give(uv_handle_t *handle, size_t wanted, uv_buf_t *buffer)
{
    (void)handle, (void)wanted;
    *buffer = uv_buf_init(bytes, sizeof bytes);
}

static void take(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer)
{
    (void)buffer;
    if (got > 0)
        total += got;
    else if (got < 0)
        uv_close((uv_handle_t *)stream, NULL);
}

static void on_reader_exit(uv_process_t *process, int64_t status, int signal)
{
    (void)status, (void)signal;
    uv_close((uv_handle_t *)process, NULL);
}

static void read_all(void)
{
    static char size[32], *arguments[] = {"/usr/bin/head", "-c", size, "/dev/zero", NULL};
    uv_process_options_t options = {.exit_cb = on_reader_exit, .file = arguments[0], .args = arguments};
    uv_stdio_container_t three[] = {
        {.flags = UV_IGNORE}, {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE}, {.flags = UV_IGNORE}};
    snprintf(size, sizeof size, "%ldM", count);
    uv_pipe_init(uv_default_loop(), &from, 0);
    three[1].data.stream = (uv_stream_t *)&from;
    options.stdio = three;
    options.stdio_count = 3;
    if (uv_spawn(uv_default_loop(), &child, &options))
        exit(1);
    uv_read_start((uv_stream_t *)&from, give, take);
}

int main(int argc, char **argv)
{
    if (argc != 3 || (count = atol(argv[2])) <= 0)
        return 2;
    int pipe = strcmp(argv[1], "pipe") == 0;
    if (pipe)
        read_all();
    bench_begin();
    if (!pipe)
        start();
    uv_run(uv_default_loop(), UV_RUN_DEFAULT);
    bench_end(count);
    return pipe && total != (long long)count << 20;
}
