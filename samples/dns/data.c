/* The data of records as text, as it stands in zone files. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "message.h"
#include "names.h"

/* Where text goes; what does not fit is cut. */
struct text {
    char *to;
    size_t room;
};

static void put(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(text->to, text->room, format, arguments);
    va_end(arguments);
    size_t written = size < 0 ? 0 : (size_t)size < text->room ? (size_t)size : text->room - 1;
    text->to += written;
    text->room -= written;
}

/* A name in the data, which may point out of it, ends in it. Gives where, or 0. */
static size_t put_name(struct text *text, const struct dns_reply *reply, size_t at, size_t end)
{
    char name[DNS_NAME];
    size_t after = dns_read_name(reply->bytes, end, at, name);
    if (after)
        put(text, "%s", name);
    return after;
}

/* Strings, each with its length in front. */
static bool put_strings(struct text *text, const unsigned char *at, size_t size)
{
    const unsigned char *end = at + size;
    const char *before = "\"";
    if (!size)
        return false;
    while (at < end) {
        size_t length = *at++;
        if ((size_t)(end - at) < length)
            return false;
        put(text, "%s", before);
        for (; length; length--) {
            char escaped[5] = {(char)*at};
            if (*at != ' ' && *at != '.')
                escaped[dns_escape(escaped, *at)] = '\0';
            put(text, "%s", escaped);
            at++;
        }
        put(text, "\"");
        before = " \"";
    }
    return true;
}

/* As RFC 3597 writes what nobody knows. */
static void put_unknown(struct text *text, const unsigned char *at, size_t size)
{
    put(text, "\\# %zu%s", size, size ? " " : "");
    for (; size; size--)
        put(text, "%02x", *at++);
}

static bool put_soa(struct text *text, const struct dns_reply *reply, size_t at, size_t end)
{
    at = put_name(text, reply, at, end);
    put(text, " ");
    at = at ? put_name(text, reply, at, end) : 0;
    if (!at || end - at != 20)
        return false;
    for (; at < end; at += 4)
        put(text, " %" PRIu32, dns_get32(reply->bytes + at));
    return true;
}

static bool put_address(struct text *text, int family, const unsigned char *at, size_t size)
{
    char address[INET6_ADDRSTRLEN];
    if (size != (family == AF_INET ? 4 : 16) || !inet_ntop(family, at, address, sizeof address))
        return false;
    put(text, "%s", address);
    return true;
}

bool dns_data_text(const struct dns_reply *reply, const struct dns_record *record, char *text, size_t room)
{
    struct text to = {text, room};
    const unsigned char *data = reply->bytes + record->data;
    const size_t end = record->data + record->size;
    text[0] = '\0';
    switch (record->type) {
    case DNS_A:
        return put_address(&to, AF_INET, data, record->size);
    case DNS_AAAA:
        return put_address(&to, AF_INET6, data, record->size);
    case DNS_NS:
    case DNS_CNAME:
    case DNS_PTR:
        return put_name(&to, reply, record->data, end) == end;
    case DNS_MX:
        if (record->size < 3)
            return false;
        put(&to, "%u ", dns_get16(data));
        return put_name(&to, reply, record->data + 2, end) == end;
    case DNS_SRV:
        if (record->size < 7)
            return false;
        put(&to, "%u %u %u ", dns_get16(data), dns_get16(data + 2), dns_get16(data + 4));
        return put_name(&to, reply, record->data + 6, end) == end;
    case DNS_SOA:
        return put_soa(&to, reply, record->data, end);
    case DNS_TXT:
        return put_strings(&to, data, record->size);
    default:
        put_unknown(&to, data, record->size);
        return true;
    }
}
