/* WebSocket frames (RFC 6455) as bytes, as a server sees them. Plain functions, which neither wait nor allocate. */
#ifndef HTTPD_WEBSOCKET_H
#define HTTPD_WEBSOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    WS_MESSAGE_MOST = 65536, /* bytes that a message may have, in however many frames it comes */
    WS_CONTROL_MOST = 125,   /* and a ping, a pong, a close */
    WS_HEAD_MOST = 14        /* the head of a frame */
};

typedef enum ws_kind { WS_CONTINUATION, WS_TEXT, WS_BINARY, WS_CLOSE = 8, WS_PING, WS_PONG } ws_kind;

/* Codes of a close. */
enum {
    WS_NORMAL = 1000,
    WS_GOING_AWAY = 1001,
    WS_PROTOCOL_ERROR = 1002,
    WS_NO_CODE = 1005, /* is never sent */
    WS_NOT_UTF8 = 1007,
    WS_TOO_LARGE = 1009
};

/* What has come. */
typedef enum ws_event {
    WS_NOTHING_YET, /* all bytes were taken */
    WS_HAS_MESSAGE, /* `kind`, `message`, `message_size` */
    WS_HAS_PING,    /* `control`, `control_size`, to be sent back in a pong */
    WS_HAS_PONG,
    WS_HAS_CLOSE, /* `code`, WS_NO_CODE when there was none */
    WS_WRONG      /* `code` says why, as it is to be told to the client: nothing more can be read */
} ws_event;

/* How far into a character of UTF-8 a text is. Zeroed memory is at its beginning. */
struct utf8 {
    unsigned char missing, low, high; /* bytes, and the range of the next one */
};

/* One connection's input. Zeroed memory (but for the message) is a new one. */
struct websocket {
    unsigned char head[WS_HEAD_MOST];
    size_t head_size;
    bool in_payload, final;
    ws_kind frame, kind; /* of the frame, and of the message; 0 where there is none yet */
    uint64_t left;       /* bytes of the frame */
    unsigned char mask[4];
    unsigned masked; /* place in it */
    struct utf8 text;
    int code;
    size_t control_size, message_size;
    unsigned char control[WS_CONTROL_MOST];
    unsigned char message[WS_MESSAGE_MOST];
};

/* Forget everything. */
void ws_begin(struct websocket *ws);

/* Take bytes in, up to the next event. What it says lies in `ws` until the next call. */
ws_event ws_take(struct websocket *ws, const void *bytes, size_t size, size_t *used);

/* Write the head of a frame that is a whole message of the server's; gives its size. */
size_t ws_write_head(unsigned char to[WS_HEAD_MOST], ws_kind kind, size_t size);

/* Whether bytes go on as UTF-8; it is whole when nothing is missing. */
bool utf8_goes_on(struct utf8 *text, const unsigned char *bytes, size_t size);

#endif
