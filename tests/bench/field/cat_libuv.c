/* cat over libuv: what is read is tried to be written at once; while some of it is left, nothing is read. */
#include <stdlib.h>
#include <uv.h>

static uv_pipe_t in, out;
static uv_write_t rest;
static char bytes[131072];

static void take(uv_stream_t *stream, ssize_t got, const uv_buf_t *data);

static void give(uv_handle_t *handle, size_t wanted, uv_buf_t *buffer)
{
    (void)handle, (void)wanted;
    *buffer = uv_buf_init(bytes, sizeof bytes);
}

static void on_written(uv_write_t *request, int status)
{
    (void)request;
    if (status)
        exit(1);
    uv_read_start((uv_stream_t *)&in, give, take);
}

static void take(uv_stream_t *stream, ssize_t got, const uv_buf_t *data)
{
    if (got == 0)
        return;
    if (got < 0) {
        uv_close((uv_handle_t *)&in, NULL);
        uv_close((uv_handle_t *)&out, NULL);
        return;
    }
    uv_buf_t buffer = uv_buf_init(data->base, (unsigned)got);
    int sent = uv_try_write((uv_stream_t *)&out, &buffer, 1);
    if (sent < 0 && sent != UV_EAGAIN)
        exit(1);
    sent = sent < 0 ? 0 : sent;
    if (sent == got)
        return;
    buffer = uv_buf_init(data->base + sent, (unsigned)(got - sent));
    uv_read_stop(stream);
    if (uv_write(&rest, (uv_stream_t *)&out, &buffer, 1, on_written))
        exit(1);
}

int main(void)
{
    uv_loop_t *loop = uv_default_loop();
    if (uv_pipe_init(loop, &in, 0) || uv_pipe_init(loop, &out, 0) || uv_pipe_open(&in, 0) || uv_pipe_open(&out, 1) ||
        uv_read_start((uv_stream_t *)&in, give, take))
        return 1;
    return uv_run(loop, UV_RUN_DEFAULT);
}
