/* The one file that knows the HTTP parser (http_parser.h): it finds methods, targets, headers and bodies, and refuses
 * what is malformed or ambiguous. What is decided here is what a request for a file needs of it. */
#include "request.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "dates.h"

/* ---- targets ---- */

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "/a%20b//c/" becomes "a b/c/". False for what is no path below a folder: NUL, "..", a broken escape. */
static bool decode(char *to, const char *from, size_t size)
{
    char *component = to;
    const char *end = from + size;
    for (;; from++) {
        int c = from < end ? (unsigned char)*from : '/';
        if (c == '%') {
            if (end - from < 3 || digit(from[1]) < 0 || digit(from[2]) < 0)
                return false;
            c = digit(from[1]) * 16 + digit(from[2]);
            from += 2;
        }
        if (c == '\0')
            return false;
        if (c == '/') {
            size_t length = (size_t)(to - component);
            if (length == 2 && !memcmp(component, "..", 2))
                return false;
            if (length == 1 && component[0] == '.')
                to = component; /* "." is where we are */
            else if (length && from < end)
                *to++ = '/';
            component = to;
            if (from >= end)
                break;
        } else {
            *to++ = (char)c;
        }
    }
    *to = '\0';
    return true;
}

/* Where the path stands in the target ("/a?b", "http://host/a"), and what it means. */
static int find_path(struct request *request)
{
    struct http_parser_url url;
    http_parser_url_init(&url);
    if (http_parser_parse_url(request->target, request->target_length, 0, &url))
        return 400;
    if (!(url.field_set & (1 << UF_PATH)))
        return url.field_set & (1 << UF_HOST) ? 0 : 400; /* "http://host" is the root */
    const char *path = request->target + url.field_data[UF_PATH].off;
    return path[0] == '/' && decode(request->path, path, url.field_data[UF_PATH].len) ? 0 : 400;
}

/* ---- headers ---- */

static bool is(const struct request *request, const char *name)
{
    return request->name[0] && !strcasecmp(request->name, name);
}

/* A header has come to its end. Values that were too long to be kept are empty: they do not mean anything here. */
static void header_over(struct request *request)
{
    if (is(request, "host")) {
        request->hosts++;
        if (strpbrk(request->value, " \t/\\?#@,"))
            request->status = 400;
    } else if (is(request, "range")) {
        memcpy(request->range, request->value, sizeof request->range);
    } else if (is(request, "if-modified-since")) {
        request->modified_since = date_parse(request->value);
    } else if (is(request, "if-none-match")) {
        request->none_match = true;
    } else if (is(request, "if-range")) {
        request->has_if_range = true;
        request->if_range = date_parse(request->value);
    } else if (is(request, "upgrade")) {
        request->websocket = !strcasecmp(request->value, "websocket");
    } else if (is(request, "sec-websocket-version")) {
        request->websocket_version = atoi(request->value);
    } else if (is(request, "sec-websocket-key")) {
        memcpy(request->websocket_key, request->value, sizeof request->websocket_key);
    }
    request->name[0] = request->value[0] = '\0';
    request->name_length = request->value_length = 0;
    request->in_value = false;
}

/* Add a piece to a text that is kept whole or not at all. */
static void add(char *text, size_t *length, size_t room, const char *at, size_t size)
{
    if (size >= room || *length + size >= room) {
        text[0] = '\0';
        *length = room;
        return;
    }
    memcpy(text + *length, at, size);
    *length += size;
    text[*length] = '\0';
}

/* ---- what the parser calls ---- */

static int on_url(http_parser *parser, const char *at, size_t size)
{
    struct request *self = (struct request *)parser->data;
    if (size >= sizeof self->target - self->target_length) {
        self->status = 414;
        return -1;
    }
    memcpy(self->target + self->target_length, at, size);
    self->target_length += size;
    self->target[self->target_length] = '\0';
    return 0;
}

static int on_header_field(http_parser *parser, const char *at, size_t size)
{
    struct request *self = (struct request *)parser->data;
    if (self->in_value)
        header_over(self);
    add(self->name, &self->name_length, sizeof self->name, at, size);
    return 0;
}

static int on_header_value(http_parser *parser, const char *at, size_t size)
{
    struct request *self = (struct request *)parser->data;
    self->in_value = true;
    add(self->value, &self->value_length, sizeof self->value, at, size);
    return 0;
}

static int on_headers_complete(http_parser *parser)
{
    struct request *self = (struct request *)parser->data;
    if (self->name_length)
        header_over(self);
    if (self->status)
        ;
    else if (parser->http_major != 1)
        self->status = 505;
    else if (self->hosts > 1 || (parser->http_minor > 0 && !self->hosts))
        self->status = 400;
    else if (parser->method != HTTP_GET && parser->method != HTTP_HEAD)
        self->status = 405;
    else if (parser->content_length != ULLONG_MAX && parser->content_length > REQUEST_BODY)
        self->status = 413;
    else
        self->status = find_path(self);
    /* With a wrong request nobody waits for its body: its end would have to be believed. */
    return self->status ? -1 : 0;
}

static int on_body(http_parser *parser, const char *at, size_t size)
{
    struct request *self = (struct request *)parser->data;
    (void)at;
    self->body += size;
    if (self->body > REQUEST_BODY)
        self->status = 413;
    return self->status ? -1 : 0;
}

static int on_message_complete(http_parser *parser)
{
    struct request *self = (struct request *)parser->data;
    self->complete = true;
    self->keep_alive = http_should_keep_alive(parser) != 0;
    http_parser_pause(parser, 1); /* what follows is the next struct request */
    return 0;
}

static const http_parser_settings settings = {
    .on_url = on_url,
    .on_header_field = on_header_field,
    .on_header_value = on_header_value,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

/* ---- the whole ---- */

/* The parser knows the methods that exist. Another word in capitals is a method that it does not know. */
static bool is_method(const char *data, size_t size)
{
    size_t i = 0;
    while (i < size && ((data[i] >= 'A' && data[i] <= 'Z') || data[i] == '-' || data[i] == '_'))
        i++;
    return i > 0 && (i == size || data[i] == ' ');
}

static int status_of(enum http_errno error, bool first, const char *data, size_t size)
{
    if (error == HPE_HEADER_OVERFLOW)
        return 431;
    if (error == HPE_INVALID_METHOD && first && is_method(data, size))
        return 501;
    return error == HPE_INVALID_VERSION ? 505 : 400;
}

void request_begin(struct request *request)
{
    http_parser_set_max_header_size(REQUEST_HEADERS);
    memset(request, 0, offsetof(struct request, target)); /* of the two long texts only the ends */
    request->target[0] = request->path[0] = '\0';
    request->modified_since = request->if_range = -1;
    http_parser_init(&request->parser, HTTP_REQUEST);
    request->parser.data = request;
}

size_t request_take(struct request *request, const char *data, size_t size)
{
    bool first = !request->begun;
    request->begun = true;
    size_t used = http_parser_execute(&request->parser, &settings, data, size);
    enum http_errno error = HTTP_PARSER_ERRNO(&request->parser);
    if (error && error != HPE_PAUSED && !request->status)
        request->status = status_of(error, first, data, size);
    if (request->status)
        request->keep_alive = false;
    return used;
}

const char *status_text(int status)
{
    return http_status_str((enum http_status)status);
}

const char *request_method(const struct request *request)
{
    return request->target_length ? http_method_str((enum http_method)request->parser.method) : "-";
}
