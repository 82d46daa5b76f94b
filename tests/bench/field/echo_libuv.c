/* Echo with libuv: one read buffer for all, uv_try_write first, uv_write for what is left. */
#include "../support/listen.h"

#include <signal.h>
#include <uv.h>

struct rest {
    uv_write_t request;
    char data[];
};

static void on_closed(uv_handle_t *handle)
{
    free(handle);
}

static void on_written(uv_write_t *request, int status)
{
    (void)status;
    free(request);
}

static void on_buffer(uv_handle_t *handle, size_t wanted, uv_buf_t *result)
{
    static char buffer[ECHO_BUFFER];
    (void)handle;
    (void)wanted;
    *result = uv_buf_init(buffer, sizeof buffer);
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *data)
{
    uv_buf_t out;
    struct rest *rest;
    int sent;

    if (got == 0)
        return;
    if (got < 0) {
        uv_close((uv_handle_t *)stream, on_closed);
        return;
    }
    out = uv_buf_init(data->base, (unsigned)got);
    sent = uv_try_write(stream, &out, 1);
    if (sent < 0 && sent != UV_EAGAIN)
        return; /* the read side reports the same error */
    if (sent < 0)
        sent = 0;
    if (sent == got)
        return;
    rest = malloc(sizeof *rest + (size_t)(got - sent));
    if (!rest)
        abort();
    memcpy(rest->data, data->base + sent, (size_t)(got - sent));
    out = uv_buf_init(rest->data, (unsigned)(got - sent));
    uv_write(&rest->request, stream, &out, 1, on_written);
}

static void on_connection(uv_stream_t *server, int status)
{
    uv_tcp_t *client = malloc(sizeof *client);
    (void)status;
    if (!client)
        abort();
    uv_tcp_init(server->loop, client);
    if (uv_accept(server, (uv_stream_t *)client)) {
        uv_close((uv_handle_t *)client, on_closed);
        return;
    }
    uv_tcp_nodelay(client, 1);
    uv_read_start((uv_stream_t *)client, on_buffer, on_read);
}

int main(void)
{
    uv_loop_t *loop = uv_default_loop();
    uv_tcp_t server;

    signal(SIGPIPE, SIG_IGN);
    uv_tcp_init(loop, &server);
    uv_tcp_open(&server, echo_listen());
    uv_listen((uv_stream_t *)&server, ECHO_BACKLOG, on_connection);
    return uv_run(loop, UV_RUN_DEFAULT);
}
