/* DNS messages (RFC 1035) as bytes: questions are written, answers are read. Plain functions, which neither wait nor
 * allocate; whatever the bytes are, they read no byte beyond the message, and end. */
#ifndef DNS_MESSAGE_H
#define DNS_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DNS_NAME = 1025,     /* room that any name takes as text: 255 bytes, most of them as \DDD */
    DNS_QUERY = 300,     /* room that any question takes */
    DNS_DATAGRAM = 1232, /* so much passes most networks in one piece: we say that we take it (RFC 6891) */
    DNS_MESSAGE = 65535  /* over TCP */
};

/* Those whose data dns_data_text() writes as people do. */
enum dns_type {
    DNS_A = 1,
    DNS_NS = 2,
    DNS_CNAME = 5,
    DNS_SOA = 6,
    DNS_PTR = 12,
    DNS_MX = 15,
    DNS_TXT = 16,
    DNS_AAAA = 28,
    DNS_SRV = 33
};

enum { DNS_NO_ERROR = 0, DNS_NO_SUCH_NAME = 3 }; /* of the codes of a reply */

/* "MX" for 15 and back; those that are not known as "TYPE123". 0: this is none. */
uint16_t dns_type_of(const char *text);
const char *dns_type_text(uint16_t type, char room[16]);

/* "SERVFAIL" for 2. */
const char *dns_code_text(unsigned code, char room[16]);

/* ---- questions ---- */

/* Write a question. Gives its size, or 0 when `name` is none: "example.org", "example.org.", "." and "a\.b.c". */
size_t dns_write_query(unsigned char to[DNS_QUERY], uint16_t id, const char *name, uint16_t type);

/* The name under which that of an address is found: "1.0.0.127.in-addr.arpa." False: this is no address. */
bool dns_reverse_name(char name[DNS_NAME], const char *address);

/* ---- answers ---- */

struct dns_reply {
    const unsigned char *bytes;
    size_t size, at;  /* of the next record */
    bool truncated;   /* there is more, over TCP */
    unsigned code;    /* DNS_NO_ERROR... */
    unsigned records; /* answers that are left */
};

/* Look at what has come. False: it is no answer to this question, or has no sense: whoever waits, waits on. */
bool dns_read_reply(struct dns_reply *reply, const void *bytes, size_t size, const unsigned char *query,
                    size_t query_size);

struct dns_record {
    char name[DNS_NAME];
    uint16_t type, class;
    uint32_t seconds;  /* that it may be kept */
    size_t data, size; /* where its data is in the reply */
};

/* Take the next answer. 1; 0 after the last; -1: the message makes no sense. */
int dns_next_record(struct dns_reply *reply, struct dns_record *record);

/* The data of a record as text: "10 mail.example.org." for an MX. What does not fit is cut. False: it makes no
 * sense. */
bool dns_data_text(const struct dns_reply *reply, const struct dns_record *record, char *text, size_t room);

#endif
