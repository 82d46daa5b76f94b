/* The header Range, as far as one range goes. */
#ifndef HTTPD_RANGES_H
#define HTTPD_RANGES_H

#include <stdint.h>

typedef enum range_kind {
    RANGE_WHOLE, /* there is none, or none that this server knows: the whole file is the answer */
    RANGE_PART,
    RANGE_BEYOND /* it has no byte of the file */
} range_kind;

/* "bytes=2-5", "bytes=2-", "bytes=-5" of a file of `size` bytes. */
range_kind range_parse(const char *text, uint64_t size, uint64_t *first, uint64_t *length);

#endif
