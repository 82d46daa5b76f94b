#include "response.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dates.h"
#include "echo.h"
#include "files.h"
#include "ranges.h"

/* Room for the path that a redirection names. */
enum { LOCATION = RESPONSE_HEAD / 2 };

/* ---- what to answer ---- */

static void set_body(struct response *response, const char *type, const char *body, size_t size)
{
    response->type = type;
    response->body = body;
    response->length = size;
}

/* An error is its own page. */
static void fail(struct response *response, int status)
{
    response->status = status;
    int size = snprintf(response->note, sizeof response->note, "%d %s\n", status, status_text(status));
    set_body(response, "text/plain; charset=utf-8", response->note, (size_t)size);
}

static int status_of(int error)
{
    switch (-error) {
    case EACCES:
    case EPERM:
    case ELOOP: /* links that this server does not follow */
    case EXDEV: /* a link that leads out of the folder */
        return 403;
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
        return 404;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
        return 503; /* the next one may have more luck */
    default:
        return 500;
    }
}

/* Is what the client has still what is here? */
static bool not_modified(const struct request *request, time_t modified)
{
    return !request->none_match && request->modified_since >= 0 && modified <= request->modified_since;
}

static void answer_with_file(struct response *response, const struct request *request, int descriptor,
                             const struct stat *file)
{
    range_kind kind = RANGE_WHOLE;
    response->file = descriptor;
    response->modified = file->st_mtime;
    response->size = response->length = (uint64_t)file->st_size;
    response->status = 200;
    if (not_modified(request, file->st_mtime)) {
        response->status = 304;
        response->length = 0;
        return;
    }
    response->type = file_type(request->path, descriptor);
    /* A range of a file that has changed since would not fit to the rest: then the whole file is the answer. */
    if (request->parser.method == HTTP_GET && (!request->has_if_range || request->if_range == file->st_mtime))
        kind = range_parse(request->range, response->size, &response->first, &response->length);
    if (kind == RANGE_PART) {
        response->status = 206;
    } else if (kind == RANGE_BEYOND) {
        fail(response, 416);
        close(descriptor);
        response->file = -1;
    }
}

/* A folder is its index.html, or a list of what is in it. */
static int open_path(const struct request *request, const struct site *site, const char **name)
{
    static const char index[] = "index.html";
    char path[REQUEST_TARGET + sizeof index];
    size_t length = strlen(request->path);
    *name = request->path;
    if (length && request->path[length - 1] != '/')
        return file_open(site->root, request->path, site->portable);
    memcpy(path, request->path, length);
    memcpy(path + length, index, sizeof index);
    *name = index;
    int descriptor = file_open(site->root, path, site->portable);
    if (descriptor != -ENOENT)
        return descriptor;
    *name = request->path;
    return file_open(site->root, request->path, site->portable);
}

static void answer(struct response *response, const struct request *request, const struct site *site)
{
    struct stat file;
    const char *name;
    size_t length = strlen(request->path);
    int descriptor = open_path(request, site, &name);
    if (descriptor < 0) {
        fail(response, status_of(descriptor));
    } else if (fstat(descriptor, &file)) {
        fail(response, 500);
        close(descriptor);
    } else if (S_ISREG(file.st_mode)) {
        answer_with_file(response, request, descriptor, &file);
        if (response->type && name != request->path)
            response->type = response->status == 416 ? response->type : file_type(name, descriptor);
    } else if (!S_ISDIR(file.st_mode)) {
        fail(response, 403); /* a device, a FIFO, a socket */
        close(descriptor);
    } else if (length && request->path[length - 1] != '/') {
        /* With the slash, links in it mean what they should. */
        fail(response, length * 3 < LOCATION ? 301 : 414);
        close(descriptor);
    } else {
        response->folder = descriptor;
    }
}

/* The page, or the way to the WebSocket. http_parser has seen that the header Connection speaks of an upgrade. */
static void answer_echo(struct response *response, const struct request *request)
{
    if (!request->websocket || !request->parser.upgrade) {
        response->status = 200;
        set_body(response, "text/html; charset=utf-8", echo_page, strlen(echo_page));
    } else if (request->websocket_version != 13) {
        fail(response, 426);
    } else if (request->parser.method != HTTP_GET || strlen(request->websocket_key) != 24 || !request->keep_alive) {
        fail(response, 400);
    } else {
        response->status = 101;
        set_body(response, NULL, "", 0);
        response->keep_alive = false; /* no further request comes */
    }
}

/* ---- the head ---- */

static void put(struct response *response, const char *format, ...)
{
    size_t room = sizeof response->head - response->head_length;
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(response->head + response->head_length, room, format, arguments);
    va_end(arguments);
    if (size > 0)
        response->head_length += (size_t)size < room ? (size_t)size : room - 1;
}

/* Now, as text: it is the same for a whole second. */
static const char *now_text(void)
{
    static char text[DATE_TEXT];
    static time_t when = -1;
    time_t now = time(NULL);
    if (now != when) {
        when = now;
        date_print(text, now);
    }
    return text;
}

static void put_location(struct response *response, const char *path)
{
    char escaped[LOCATION];
    url_escape(escaped, sizeof escaped, path);
    put(response, "Location: /%s/\r\n", escaped);
}

static void put_accept(struct response *response, const char *key)
{
    char accept[ECHO_ACCEPT];
    echo_accept(accept, key);
    put(response, "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n", accept);
}

static void write_head(struct response *response, const struct request *request)
{
    char date[DATE_TEXT];
    put(response, "HTTP/1.1 %d %s\r\nServer: thrum\r\nDate: %s\r\n", response->status, status_text(response->status),
        now_text());
    if (response->type)
        put(response, "Content-Type: %s\r\n", response->type);
    if (response->status != 304 && response->status != 101)
        put(response, "Content-Length: %" PRIu64 "\r\n", response->length);
    if (response->modified >= 0) {
        date_print(date, response->modified);
        put(response, "Last-Modified: %s\r\n", date);
    }
    if (response->status == 206)
        put(response, "Content-Range: bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64 "\r\n", response->first,
            response->first + response->length - 1, response->size);
    else if (response->status == 416)
        put(response, "Content-Range: bytes */%" PRIu64 "\r\n", response->size);
    else if (response->status == 200 && response->file >= 0)
        put(response, "Accept-Ranges: bytes\r\n");
    else if (response->status == 301)
        put_location(response, request->path);
    else if (response->status == 405)
        put(response, "Allow: GET, HEAD\r\n");
    else if (response->status == 503)
        put(response, "Retry-After: 1\r\n");
    else if (response->status == 426)
        put(response, "Sec-WebSocket-Version: 13\r\n");
    if (response->status == 101)
        put_accept(response, request->websocket_key);
    else if (!response->keep_alive)
        put(response, "Connection: close\r\n");
    else if (request->parser.http_minor == 0)
        put(response, "Connection: keep-alive\r\n");
    put(response, "\r\n");
}

/* ---- the whole ---- */

static void begin(struct response *response)
{
    memset(response, 0, offsetof(struct response, head));
    response->file = response->folder = -1;
    response->modified = -1;
}

void response_make(struct response *response, const struct request *request, const struct site *site)
{
    begin(response);
    response->keep_alive = request->keep_alive && !site->stopping;
    if (request->status)
        fail(response, request->status);
    else if (echo_wanted(site, request))
        answer_echo(response, request);
    else
        answer(response, request, site);
    if (response->folder < 0)
        write_head(response, request);
}

struct listing {
    int folder;
    const char *path;
    char *page;
    size_t size;
};

static int list(void *argument, thrum_value *value)
{
    struct listing *listing = (struct listing *)argument;
    (void)value;
    listing->page = folder_page(listing->folder, listing->path, &listing->size);
    listing->folder = -1;
    return listing->page ? 0 : THRUM_ENOMEM;
}

/* When it is cancelled, the thread has come back before FINALLY runs. */
ASYNC(response_list, ARGS((struct response *, response), (const struct request *, request)),
      LOCALS(struct listing listing; int error;))
{
    ASYNC_BEGIN;
    self->listing.folder = self->response->folder;
    self->listing.path = self->request->path;
    self->response->folder = -1;
    AWAIT_CATCH(self->error, thrum_to_thread(list, &self->listing));
    if (self->error) {
        fail(self->response, 503);
    } else {
        self->response->status = 200;
        self->response->page = self->listing.page;
        set_body(self->response, "text/html; charset=utf-8", self->listing.page, self->listing.size);
        self->listing.page = NULL;
    }
    write_head(self->response, self->request);
FINALLY:
    if (self->listing.folder >= 0)
        close(self->listing.folder);
    free(self->listing.page);
    ASYNC_END;
}

void response_refuse(struct response *response, int status)
{
    begin(response);
    fail(response, status);
    write_head(response, NULL);
}

void response_end(struct response *response)
{
    if (response->file >= 0)
        close(response->file);
    if (response->folder >= 0)
        close(response->folder);
    free(response->page);
    response->file = response->folder = -1;
    response->page = NULL;
}
