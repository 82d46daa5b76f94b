/* Fuzzes what reads the frames of httpd's WebSocket: whatever a client sends, messages keep to their room, a text is
 * UTF-8, codes are such as may be sent, and it does not matter in which pieces the bytes come.
 *
 * The first byte of the input says how large the pieces are; the rest is what the client sends. */
#include "../../samples/httpd/websocket.h"
#include "check.h"

static struct websocket whole, pieces;

static void look_at(const struct websocket *ws, ws_event event)
{
    struct utf8 text = {0, 0, 0};
    MUST(ws->message_size <= WS_MESSAGE_MOST && ws->control_size <= WS_CONTROL_MOST);
    if (event == WS_HAS_MESSAGE && ws->frame == WS_TEXT)
        MUST(utf8_goes_on(&text, ws->message, ws->message_size) && !text.missing);
    if (event == WS_HAS_MESSAGE)
        MUST(ws->frame == WS_TEXT || ws->frame == WS_BINARY);
    if (event == WS_HAS_CLOSE)
        MUST(ws->code >= 1000 && ws->code <= 4999 && ws->code != 1006);
    if (event == WS_WRONG)
        MUST(ws->code == WS_PROTOCOL_ERROR || ws->code == WS_NOT_UTF8 || ws->code == WS_TOO_LARGE);
}

/* The next event, from bytes that come in pieces. */
static ws_event next_of_pieces(const unsigned char **at, const unsigned char *end, size_t most)
{
    ws_event event = WS_NOTHING_YET;
    while (event == WS_NOTHING_YET && *at < end) {
        size_t left = (size_t)(end - *at), size = left < most ? left : most, used;
        event = ws_take(&pieces, *at, size, &used);
        MUST(used <= size && (used == size || event != WS_NOTHING_YET));
        *at += used;
    }
    return event;
}

/* What a server says can be read by its rules, but that it must not be masked. */
static void write_one(size_t size)
{
    unsigned char head[WS_HEAD_MOST];
    size_t length = ws_write_head(head, WS_BINARY, size);
    MUST(length <= WS_HEAD_MOST && head[0] == (128 | WS_BINARY) && !(head[1] & 128));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    const unsigned char *one = data + 1, *other = data + 1, *end = data + size;
    const size_t most = 1U + data[0];
    ws_event event;
    ws_begin(&whole);
    ws_begin(&pieces);
    do {
        size_t used;
        event = ws_take(&whole, one, (size_t)(end - one), &used);
        MUST(used <= (size_t)(end - one));
        one += used;
        look_at(&whole, event);
        MUST(next_of_pieces(&other, end, most) == event);
        MUST(event != WS_WRONG || whole.code == pieces.code);
        MUST(event == WS_WRONG || (whole.message_size == pieces.message_size && one == other &&
                                   !memcmp(whole.message, pieces.message, whole.message_size)));
    } while (event != WS_NOTHING_YET && event != WS_WRONG && event != WS_HAS_CLOSE);
    write_one(size);
    write_one(data[0] * size);
    return 0;
}
