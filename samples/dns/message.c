/* Numbers and names of DNS messages; what is in the data of records is in data.c. */
#include "message.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "names.h"

enum { HEAD = 12, QUESTION = 4, RECORD = 10, CLASS_INTERNET = 1, OPT = 41 };

/* ---- words for numbers ---- */

static const struct {
    const char *text;
    uint16_t type;
} types[] = {{"A", DNS_A},   {"NS", DNS_NS},   {"CNAME", DNS_CNAME}, {"SOA", DNS_SOA}, {"PTR", DNS_PTR},
             {"MX", DNS_MX}, {"TXT", DNS_TXT}, {"AAAA", DNS_AAAA},   {"SRV", DNS_SRV}};

uint16_t dns_type_of(const char *text)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (!strcasecmp(text, types[i].text))
            return types[i].type;
    char *end = NULL;
    unsigned long number = strncasecmp(text, "TYPE", 4) ? 0 : strtoul(text + 4, &end, 10);
    return number > 0 && number < 65536 && !*end ? (uint16_t)number : 0;
}

const char *dns_type_text(uint16_t type, char room[16])
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].type == type)
            return types[i].text;
    (void)snprintf(room, 16, "TYPE%u", type);
    return room;
}

const char *dns_code_text(unsigned code, char room[16])
{
    static const char *const codes[] = {"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"};
    if (code < sizeof codes / sizeof *codes)
        return codes[code];
    (void)snprintf(room, 16, "code %u", code);
    return room;
}

/* ---- questions ---- */

static unsigned char *put16(unsigned char *to, unsigned value)
{
    to[0] = (unsigned char)(value >> 8);
    to[1] = (unsigned char)value;
    return to + 2;
}

size_t dns_write_query(unsigned char to[DNS_QUERY], uint16_t id, const char *name, uint16_t type)
{
    /* Recursion is desired; one question; one additional record, the OPT, which says how much we take. */
    static const unsigned char head[HEAD - 2] = {1, 0, 0, 1, 0, 0, 0, 0, 0, 1};
    unsigned char *at = put16(to, id);
    memcpy(at, head, sizeof head);
    at += sizeof head;
    size_t size = dns_write_name(at, name);
    if (!size)
        return 0;
    at = put16(put16(at + size, type), CLASS_INTERNET);
    *at++ = 0; /* the root's: an OPT has no name */
    at = put16(put16(at, OPT), DNS_DATAGRAM);
    memset(at, 0, 6); /* no extended code, version 0, no flags, no options */
    return (size_t)(at + 6 - to);
}

bool dns_reverse_name(char name[DNS_NAME], const char *address)
{
    unsigned char bytes[16];
    if (inet_pton(AF_INET, address, bytes) == 1) {
        (void)snprintf(name, DNS_NAME, "%u.%u.%u.%u.in-addr.arpa.", bytes[3], bytes[2], bytes[1], bytes[0]);
        return true;
    }
    if (inet_pton(AF_INET6, address, bytes) != 1)
        return false;
    for (int i = 15; i >= 0; i--, name += 4)
        (void)snprintf(name, 5, "%x.%x.", bytes[i] & 15, bytes[i] >> 4);
    memcpy(name, "ip6.arpa.", 10);
    return true;
}

/* ---- answers ---- */

/* The question comes back in the answer, though letters may have changed their case. No length is a letter. */
static bool same_name(const unsigned char *a, const unsigned char *b, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (a[i] != b[i] && (!isalpha(a[i]) || tolower(a[i]) != tolower(b[i])))
            return false;
    return true;
}

bool dns_read_reply(struct dns_reply *reply, const void *bytes, size_t size, const unsigned char *query,
                    size_t query_size)
{
    const unsigned char *head = (const unsigned char *)bytes;
    const size_t name = query_size - HEAD - QUESTION - (1 + RECORD); /* the last is the OPT */
    memset(reply, 0, sizeof *reply);
    if (size < HEAD || memcmp(head, query, 2) != 0 || !(head[2] & 0x80) || head[2] & 0x78)
        return false; /* another id, no answer, or of another kind */
    reply->bytes = head;
    reply->size = size;
    reply->truncated = head[2] & 2;
    reply->code = head[3] & 15;
    reply->records = dns_get16(head + 6);
    reply->at = HEAD;
    /* A server that does not understand the question need not repeat it. */
    if (dns_get16(head + 4) == 0 && reply->code != DNS_NO_ERROR)
        return true;
    reply->at += name + QUESTION;
    return dns_get16(head + 4) == 1 && reply->at <= size && same_name(head + HEAD, query + HEAD, name) &&
           !memcmp(head + HEAD + name, query + HEAD + name, QUESTION);
}

int dns_next_record(struct dns_reply *reply, struct dns_record *record)
{
    if (!reply->records)
        return 0;
    reply->records--;
    size_t after = dns_read_name(reply->bytes, reply->size, reply->at, record->name);
    if (!after || reply->size - after < RECORD)
        return -1;
    const unsigned char *at = reply->bytes + after;
    record->type = (uint16_t)dns_get16(at);
    record->class = (uint16_t)dns_get16(at + 2);
    record->seconds = dns_get32(at + 4);
    record->size = dns_get16(at + 8);
    record->data = after + RECORD;
    if (reply->size - record->data < record->size)
        return -1;
    reply->at = record->data + record->size;
    return 1;
}
