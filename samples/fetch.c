/* Fetch many URLs at once over plain HTTP.
 *
 *     fetch [--limit N] [--timeout SECONDS] [--save FOLDER] URL...
 *
 * At most N (8) are under way at a time, each may take so long (30 s). A line says how each went; with --save their
 * bodies go into FOLDER/1, FOLDER/2 and so on. Progress shows when the standard error is a terminal. Ends with 1 when
 * one of them failed. */
#include <errno.h>
#include <getopt.h>
#include <http_parser.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <thrum.h>

enum { HOST = 256 };

/* The whole job; the workers take URLs off it. */
struct job {
    char **urls;
    int count, next; /* how many, and which is to be fetched next */
    int done, failed;
    size_t bytes;
    int limit;
    thrum_time timeout;
    const char *folder; /* where bodies go, or NULL */
};

/* One URL being fetched. */
struct fetch {
    struct job *job;
    const char *url;
    FILE *file; /* where the body goes, or NULL */
    char host[HOST], port[8];
    http_parser parser;
    bool complete;
    size_t bytes;
    char request[HOST + 2048];
};

/* ---- HTTP, by a parser that knows it ---- */

static int on_body(http_parser *parser, const char *at, size_t size)
{
    struct fetch *fetch = (struct fetch *)parser->data;
    fetch->bytes += size;
    fetch->job->bytes += size;
    return fetch->file && fwrite(at, 1, size, fetch->file) != size ? -1 : 0;
}

static int on_message_complete(http_parser *parser)
{
    ((struct fetch *)parser->data)->complete = true;
    http_parser_pause(parser, 1);
    return 0;
}

static const http_parser_settings settings = {.on_body = on_body, .on_message_complete = on_message_complete};

/* Take the URL apart and write the request. False: it is none that this program can fetch. */
static bool prepare(struct fetch *fetch)
{
    struct http_parser_url parts;
    const char *url = fetch->url, *path = "/";
    size_t path_size = 1;
    http_parser_url_init(&parts);
    if (http_parser_parse_url(url, strlen(url), 0, &parts) || !(parts.field_set & (1 << UF_HOST)) ||
        strncmp(url, "http://", 7) != 0 || parts.field_data[UF_HOST].len >= HOST)
        return false;
    (void)snprintf(fetch->host, sizeof fetch->host, "%.*s", parts.field_data[UF_HOST].len,
                   url + parts.field_data[UF_HOST].off);
    (void)snprintf(fetch->port, sizeof fetch->port, "%d", parts.field_set & (1 << UF_PORT) ? parts.port : 80);
    if (parts.field_set & (1 << UF_PATH)) {
        path = url + parts.field_data[UF_PATH].off;
        path_size = strcspn(path, "#"); /* with the query */
    }
    /* An address of IP version 6 stands in brackets. */
    const char *format = strchr(fetch->host, ':') ? "GET %.*s HTTP/1.1\r\nHost: [%s]:%s\r\nConnection: close\r\n\r\n"
                                                  : "GET %.*s HTTP/1.1\r\nHost: %s:%s\r\nConnection: close\r\n\r\n";
    int size = snprintf(fetch->request, sizeof fetch->request, format, (int)path_size, path, fetch->host, fetch->port);
    http_parser_init(&fetch->parser, HTTP_RESPONSE);
    fetch->parser.data = fetch;
    return size > 0 && (size_t)size < sizeof fetch->request;
}

/* ---- one URL ---- */

/* Gives the HTTP status. The body is read in pieces that the loop lends: no buffer, however large it is. */
static ASYNC(get, ARGS((struct fetch *, fetch)), LOCALS(thrum_stream *stream; const void *data; size_t size;))
{
    http_parser *parser;
    ASYNC_BEGIN;
    if (!prepare(self->fetch))
        ASYNC_RAISE(thrum_error_set(THRUM_EINVAL, 0, "fetch", 0, "this is no http:// URL"));
    AWAIT_INTO(self->stream, thrum_open_connection(self->fetch->host, self->fetch->port));
    AWAIT(thrum_stream_write(self->stream, self->fetch->request, strlen(self->fetch->request)));
    do {
        AWAIT_INTO(self->size, thrum_stream_fill(self->stream, &self->data, 1));
        parser = &self->fetch->parser;
        (void)http_parser_execute(parser, &settings, (const char *)self->data, self->size); /* 0 bytes: the end */
        if (HTTP_PARSER_ERRNO(parser) != HPE_OK && HTTP_PARSER_ERRNO(parser) != HPE_PAUSED)
            ASYNC_RAISE(
                thrum_error_set(-EPROTO, EPROTO, "fetch", 0, http_errno_description(HTTP_PARSER_ERRNO(parser))));
    } while (self->size && !self->fetch->complete);
    if (!self->fetch->complete)
        ASYNC_RAISE(THRUM_EINCOMPLETE);
    ASYNC_RETURN(self->fetch->parser.status_code);
FINALLY: /* also when the time is up: then the connection is dropped, and not left to itself */
    thrum_stream_release(self->stream);
    ASYNC_END;
}

/* ---- many ---- */

static void clear_progress(void)
{
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r\033[K");
}

/* Fetch one URL after the other, as long as there are any. As many workers as --limit says do this at the same time. */
static ASYNC(worker, ARGS((struct job *, job)),
             LOCALS(struct fetch fetch; int error, number, status; thrum_time begin;))
{
    char path[4096];
    const thrum_error *detail;
    ASYNC_BEGIN;
    while (self->job->next < self->job->count) {
        self->number = ++self->job->next;
        memset(&self->fetch, 0, sizeof self->fetch);
        self->fetch.job = self->job;
        self->fetch.url = self->job->urls[self->number - 1];
        if (self->job->folder) {
            (void)snprintf(path, sizeof path, "%s/%d", self->job->folder, self->number);
            self->fetch.file = fopen(path, "wb");
            if (!self->fetch.file)
                ASYNC_RAISE(thrum_error_set(-errno, errno, "open", 0, path)); /* the group cancels the others */
        }
        self->begin = thrum_now();
        AWAIT_CATCH_INTO(self->error, self->status, thrum_timeout(self->job->timeout, get(&self->fetch)));
        detail = thrum_error_last();
        clear_progress();
        if (self->error)
            printf("%s failed: %s%s%s\n", self->fetch.url, thrum_error_text(self->error),
                   detail && detail->text[0] ? ", " : "", detail ? detail->text : "");
        else
            printf("%s %d, %zu bytes in %.3f s\n", self->fetch.url, self->status, self->fetch.bytes,
                   (double)(thrum_now() - self->begin) / (double)SECONDS(1));
        fflush(stdout);
        self->job->done++;
        self->job->failed += self->error || self->status >= 400;
        if (self->fetch.file && fclose(self->fetch.file))
            self->job->failed++;
        self->fetch.file = NULL;
    }
FINALLY:
    if (self->fetch.file)
        (void)fclose(self->fetch.file);
    ASYNC_END;
}

static ASYNC(progress, ARGS((const struct job *, job)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    while (isatty(STDERR_FILENO)) {
        fprintf(stderr, "\r\033[K%d of %d, %.1f MB", self->job->done, self->job->count, (double)self->job->bytes / 1e6);
        AWAIT(thrum_sleep(MILLISECONDS(100)));
    }
FINALLY:
    clear_progress();
    ASYNC_END;
}

static ASYNC(app, ARGS((struct job *, job)), LOCALS(thrum_group workers; thrum_task * progress; int i;))
{
    ASYNC_BEGIN;
    self->progress = thrum_spawn(progress(self->job));
    /* The block ends when every worker has. */
    WITH (self->workers, thrum_group_open(&self->workers)) {
        for (self->i = 0; self->i < self->job->limit && self->i < self->job->count; self->i++)
            if (!thrum_group_spawn(&self->workers, worker(self->job)) &&
                self->i == 0) /* fewer than asked for will do */
                ASYNC_RAISE(THRUM_ENOMEM);
    }
    if (self->job->failed)
        ASYNC_RAISE(thrum_error_set(THRUM_EEXIT, 0, "exit", 1, NULL));
FINALLY:
    if (self->progress)
        thrum_task_cancel(self->progress);
    thrum_task_release(self->progress);
    ASYNC_END;
}

static int usage(const char *program)
{
    fprintf(stderr, "usage: %s [--limit N] [--timeout SECONDS] [--save FOLDER] URL...\n", program);
    return 2;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"limit", required_argument, NULL, 'l'},
                                            {"timeout", required_argument, NULL, 't'},
                                            {"save", required_argument, NULL, 's'},
                                            {NULL, 0, NULL, 0}};
    struct job job = {.limit = 8, .timeout = SECONDS(30)};
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'l')
            job.limit = atoi(optarg);
        else if (option == 't')
            job.timeout = (thrum_time)(atof(optarg) * (double)SECONDS(1));
        else if (option == 's')
            job.folder = optarg;
        else
            return usage(argv[0]);
    }
    job.urls = argv + optind;
    job.count = argc - optind;
    if (job.count < 1 || job.limit < 1 || job.timeout <= 0)
        return usage(argv[0]);
    return thrum_run(app(&job));
}
