/* A frame is a head of 2 to 14 bytes, which says how many bytes follow, and these bytes, which clients mask. A message
 * comes in one or more frames; pings, pongs and the close may stand between these. */
#include "websocket.h"

#include <string.h>

void ws_begin(struct websocket *ws)
{
    memset(ws, 0, offsetof(struct websocket, message));
}

/* ---- UTF-8 ---- */

/* What may follow the first byte of a character: neither forms that are longer than need be, nor halves of UTF-16, nor
 * what lies beyond Unicode. */
static bool first_byte(struct utf8 *text, unsigned char byte)
{
    text->low = 0x80;
    text->high = 0xbf;
    if (byte < 0x80)
        return true;
    if (byte < 0xc2 || byte > 0xf4)
        return false;
    text->missing = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    if (byte == 0xe0)
        text->low = 0xa0;
    else if (byte == 0xed)
        text->high = 0x9f;
    else if (byte == 0xf0)
        text->low = 0x90;
    else if (byte == 0xf4)
        text->high = 0x8f;
    return true;
}

bool utf8_goes_on(struct utf8 *text, const unsigned char *bytes, size_t size)
{
    for (const unsigned char *end = bytes + size; bytes < end; bytes++) {
        if (!text->missing) {
            if (!first_byte(text, *bytes))
                return false;
            continue;
        }
        if (*bytes < text->low || *bytes > text->high)
            return false;
        text->missing--;
        text->low = 0x80;
        text->high = 0xbf;
    }
    return true;
}

static bool is_utf8(const unsigned char *bytes, size_t size)
{
    struct utf8 text = {0, 0, 0};
    return utf8_goes_on(&text, bytes, size) && !text.missing;
}

/* ---- the head of a frame ---- */

static size_t head_needed(const struct websocket *ws)
{
    if (ws->head_size < 2)
        return 2;
    const unsigned length = ws->head[1] & 127;
    return 2U + (length == 126 ? 2 : length == 127 ? 8 : 0) + (ws->head[1] & 128 ? 4 : 0);
}

/* The length, which has to be written in the shortest way. */
static bool read_length(struct websocket *ws)
{
    const unsigned length = ws->head[1] & 127;
    const size_t more = length == 126 ? 2 : length == 127 ? 8 : 0;
    ws->left = more ? 0 : length;
    for (size_t i = 0; i < more; i++)
        ws->left = ws->left << 8 | ws->head[2 + i];
    return !more || ws->left > (more == 2 ? 125 : 65535);
}

/* The head is whole. Gives 0, or a code. */
static int begin_frame(struct websocket *ws)
{
    const unsigned first = ws->head[0];
    ws->final = first & 128;
    ws->frame = (ws_kind)(first & 15);
    if (first & 0x70 || !(ws->head[1] & 128) || !read_length(ws))
        return WS_PROTOCOL_ERROR; /* an extension that nobody asked for; no mask */
    memcpy(ws->mask, ws->head + ws->head_size - 4, 4);
    ws->masked = 0;
    ws->in_payload = true;
    if (ws->frame >= WS_CLOSE) {
        ws->control_size = 0;
        return ws->frame > WS_PONG || !ws->final || ws->left > WS_CONTROL_MOST ? WS_PROTOCOL_ERROR : 0;
    }
    if (ws->frame > WS_BINARY || (ws->frame == WS_CONTINUATION) != (ws->kind != WS_CONTINUATION))
        return WS_PROTOCOL_ERROR; /* goes on with nothing; or begins another message in the middle of one */
    if (ws->frame != WS_CONTINUATION) {
        ws->kind = ws->frame;
        ws->message_size = 0;
        memset(&ws->text, 0, sizeof ws->text);
    }
    return ws->left > WS_MESSAGE_MOST - ws->message_size ? WS_TOO_LARGE : 0;
}

/* ---- what is in it ---- */

static int take_payload(struct websocket *ws, const unsigned char *bytes, size_t size)
{
    const bool control = ws->frame >= WS_CLOSE;
    unsigned char *to = control ? ws->control + ws->control_size : ws->message + ws->message_size;
    for (size_t i = 0; i < size; i++)
        to[i] = bytes[i] ^ ws->mask[ws->masked++ & 3];
    ws->left -= size;
    if (control)
        ws->control_size += size;
    else
        ws->message_size += size;
    return !control && ws->kind == WS_TEXT && !utf8_goes_on(&ws->text, to, size) ? WS_NOT_UTF8 : 0;
}

/* Codes that may be sent: those that are defined for that, and those of libraries and programs. */
static bool good_code(int code)
{
    return (code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006) ||
           (code >= 3000 && code <= 4999);
}

static ws_event fail(struct websocket *ws, int code)
{
    ws->code = code;
    return WS_WRONG;
}

static ws_event closed(struct websocket *ws)
{
    ws->code = ws->control_size ? ws->control[0] << 8 | ws->control[1] : WS_NO_CODE;
    if (ws->control_size == 1 || (ws->control_size && !good_code(ws->code)))
        return fail(ws, WS_PROTOCOL_ERROR);
    if (ws->control_size && !is_utf8(ws->control + 2, ws->control_size - 2))
        return fail(ws, WS_NOT_UTF8);
    return WS_HAS_CLOSE;
}

static ws_event end_frame(struct websocket *ws)
{
    ws->in_payload = false;
    ws->head_size = 0;
    if (ws->frame == WS_CLOSE)
        return closed(ws);
    if (ws->frame >= WS_PING)
        return ws->frame == WS_PING ? WS_HAS_PING : WS_HAS_PONG;
    if (!ws->final)
        return WS_NOTHING_YET;
    if (ws->kind == WS_TEXT && ws->text.missing)
        return fail(ws, WS_NOT_UTF8);
    ws->frame = ws->kind;
    ws->kind = WS_CONTINUATION;
    return WS_HAS_MESSAGE;
}

ws_event ws_take(struct websocket *ws, const void *bytes, size_t size, size_t *used)
{
    const unsigned char *at = (const unsigned char *)bytes, *end = at + size;
    ws_event event = WS_NOTHING_YET;
    int code = 0;
    while (event == WS_NOTHING_YET && !code) {
        while (!ws->in_payload && ws->head_size < head_needed(ws) && at < end)
            ws->head[ws->head_size++] = *at++;
        if (!ws->in_payload && ws->head_size < head_needed(ws))
            break;
        if (!ws->in_payload)
            code = begin_frame(ws);
        if (code)
            break;
        size_t part = (uint64_t)(end - at) < ws->left ? (size_t)(end - at) : (size_t)ws->left;
        code = take_payload(ws, at, part);
        at += part;
        if (ws->left)
            break;
        if (!code)
            event = end_frame(ws);
    }
    *used = (size_t)(at - (const unsigned char *)bytes);
    return code ? fail(ws, code) : event;
}

/* ---- frames of the server's ---- */

size_t ws_write_head(unsigned char to[WS_HEAD_MOST], ws_kind kind, size_t size)
{
    to[0] = (unsigned char)(128 | kind);
    if (size < 126) {
        to[1] = (unsigned char)size;
        return 2;
    }
    const size_t bytes = size < 65536 ? 2 : 8;
    to[1] = bytes == 2 ? 126 : 127;
    for (size_t i = 0; i < bytes; i++)
        to[2 + i] = (unsigned char)((uint64_t)size >> 8 * (bytes - 1 - i));
    return 2 + bytes;
}
