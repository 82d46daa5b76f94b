/* Names as they stand in messages: labels with their lengths, or pointers to where the rest of a name stood before. And
 * numbers, whose first byte is the highest. */
#ifndef DNS_NAMES_H
#define DNS_NAMES_H

#include "message.h"

/* Read the name at `at`, as text with a dot at its end. Gives where it ends, or 0: it makes no sense. */
size_t dns_read_name(const unsigned char *bytes, size_t size, size_t at, char text[DNS_NAME]);

/* Write a name, at most 255 bytes. Gives its size, or 0: the text is no name. */
size_t dns_write_name(unsigned char *to, const char *text);

/* A byte as text: itself, \. or \\ or \", or \DDD. Gives how many characters it took, at most 4; there is no NUL. */
size_t dns_escape(char *to, unsigned char byte);

static inline unsigned dns_get16(const unsigned char *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

static inline uint32_t dns_get32(const unsigned char *at)
{
    return (uint32_t)dns_get16(at) << 16 | dns_get16(at + 2);
}

#endif
