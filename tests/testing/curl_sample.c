/* The sample curl, with everything that can come in between, over real sockets: a server in the same loop answers. A
 * transfer that is cancelled leaves nothing behind: no handle, no descriptor, no call of libcurl's. */
#include "samples.h"

#include "../../samples/curl/main.c"
#undef main

static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello";

static ASYNC(answer_one, ARGS((thrum_stream *, client), (void *, context)), LOCALS(char line[256]; size_t size;))
{
    ASYNC_BEGIN;
    do
        AWAIT_INTO(self->size, thrum_stream_read_line(self->client, self->line, sizeof self->line));
    while (self->size > 2);
    AWAIT(thrum_stream_write(self->client, answer, sizeof answer - 1));
    ASYNC_END;
}

static ASYNC(fetch_some, ARGS((void *, context)),
             LOCALS(thrum_server *server; struct job job; char url[THRUM_ADDRESS_TEXT + 32]; char *urls[3]; int error;))
{
    char address[THRUM_ADDRESS_TEXT];
    ASYNC_BEGIN;
    AWAIT_INTO(self->server, thrum_start_server(answer_one, NULL, "127.0.0.1", "0"));
    thrum_server_address(self->server, 0, address, sizeof address);
    (void)snprintf(self->url, sizeof self->url, "http://%s/path?query#fragment", address);
    self->urls[0] = self->urls[1] = self->url;
    self->urls[2] = (char *)(uintptr_t) "nonsense://nowhere";
    self->job = (struct job){.urls = self->urls, .count = 3, .limit = 2, .timeout = SECONDS(60)};
    AWAIT_CATCH(self->error, app(&self->job));
    if (self->error != THRUM_EEXIT || self->job.failed != 1)
        ASYNC_RAISE(self->error ? self->error : THRUM_EINCOMPLETE);
    ASYNC_RAISE(THRUM_EEXIT); /* one of the URLs is none */
FINALLY:
    thrum_server_close(self->server);
    thrum_server_release(self->server);
    ASYNC_END;
}

static int descriptors_before;

static int all_descriptors_are_back(void *context, const thrum_test_options *run, const thrum_test_result *result)
{
    (void)context;
    (void)run;
    (void)result;
    int next = dup(0);
    close(next);
    return next != descriptors_before;
}

TEST_LIMIT(testing_samples, curl, 60)
{
    const thrum_test_options run = {.size = sizeof run, .backend = THRUM_BACKEND_LIBEV, .most_time = SECONDS(20)};
    const thrum_test_explore_options options = {.size = sizeof options,
                                                .run = &run,
                                                .check = all_descriptors_are_back,
                                                .seeds = 3,
                                                .most = 60,
                                                .expected = THRUM_EEXIT};
    CHECK_EQ(curl_global_init(CURL_GLOBAL_DEFAULT), 0);
    descriptors_before = dup(0);
    close(descriptors_before);
    explore_twice(fetch_some, NULL, &options, 6);
    curl_global_cleanup();
}
