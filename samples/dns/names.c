/* Names: the only part of DNS messages that is not as simple as it looks. */
#include "names.h"

#include <ctype.h>
#include <string.h>

enum { WIRE = 255, LABEL = 63 };

size_t dns_escape(char *to, unsigned char byte)
{
    if (byte > ' ' && byte < 127) {
        size_t size = 0;
        if (byte == '.' || byte == '\\' || byte == '"')
            to[size++] = '\\';
        to[size++] = (char)byte;
        return size;
    }
    to[0] = '\\';
    to[1] = (char)('0' + byte / 100);
    to[2] = (char)('0' + byte / 10 % 10);
    to[3] = (char)('0' + byte % 10);
    return 4;
}

/* Each pointer has to lead before where the last one led, so that there is an end to it. */
size_t dns_read_name(const unsigned char *bytes, size_t size, size_t at, char text[DNS_NAME])
{
    size_t end = 0, before = at, wire = 0;
    char *to = text;
    while (at < size && bytes[at]) {
        unsigned length = bytes[at];
        if (length >= 0xc0) {
            if (size - at < 2)
                return 0;
            size_t target = (length & 0x3fU) << 8 | bytes[at + 1];
            end = end ? end : at + 2;
            if (target >= before)
                return 0;
            at = before = target;
            continue;
        }
        wire += length + 1;
        if (length > LABEL || size - at <= length || wire >= WIRE)
            return 0;
        for (at++; length; length--)
            to += dns_escape(to, bytes[at++]);
        *to++ = '.';
    }
    if (at >= size)
        return 0;
    if (to == text)
        *to++ = '.'; /* the root */
    *to = '\0';
    return end ? end : at + 1;
}

/* Take a character of a label. -1: a backslash with nothing sensible behind it. */
static int unescape(const char **text)
{
    const unsigned char *at = (const unsigned char *)*text;
    if (*at != '\\') {
        *text += 1;
        return *at;
    }
    if (!isdigit(at[1])) {
        *text += at[1] ? 2 : 0;
        return at[1] ? at[1] : -1;
    }
    if (!isdigit(at[2]) || !isdigit(at[3]))
        return -1;
    int byte = (at[1] - '0') * 100 + (at[2] - '0') * 10 + at[3] - '0';
    *text += 4;
    return byte < 256 ? byte : -1;
}

size_t dns_write_name(unsigned char *to, const char *text)
{
    size_t size = 0;
    if (!*text)
        return 0;
    if (!strcmp(text, "."))
        text++;
    while (*text) {
        size_t label = size++;
        while (*text && *text != '.') {
            int byte = unescape(&text);
            if (byte < 0 || size - label > LABEL || size >= WIRE - 1)
                return 0;
            to[size++] = (unsigned char)byte;
        }
        if (size == label + 1 || size >= WIRE)
            return 0; /* an empty label is the end: it cannot stand in the middle */
        to[label] = (unsigned char)(size - label - 1);
        text += *text == '.';
    }
    to[size++] = 0;
    return size;
}
