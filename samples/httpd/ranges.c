#include "ranges.h"

#include <stdbool.h>
#include <stddef.h>
#include <strings.h>

/* A number, which stops at the largest there is. False: no digit. */
static bool number(const char **text, uint64_t *value)
{
    const char *at = *text;
    *value = 0;
    for (; *at >= '0' && *at <= '9'; at++) {
        uint64_t digit = (uint64_t)(*at - '0');
        *value = *value > (UINT64_MAX - digit) / 10 ? UINT64_MAX : *value * 10 + digit;
    }
    bool any = at != *text;
    *text = at;
    return any;
}

range_kind range_parse(const char *text, uint64_t size, uint64_t *first, uint64_t *length)
{
    uint64_t begin, end;
    if (strncasecmp(text, "bytes=", 6) != 0)
        return RANGE_WHOLE;
    text += 6;
    bool has_begin = number(&text, &begin);
    if (*text++ != '-')
        return RANGE_WHOLE;
    bool has_end = number(&text, &end);
    if (*text || !(has_begin || has_end) || (has_begin && has_end && end < begin))
        return RANGE_WHOLE;
    if (!has_begin) {
        /* The last `end` bytes. */
        begin = end < size ? size - end : 0;
        if (!end || !size)
            return RANGE_BEYOND;
        end = size - 1;
    } else if (begin >= size) {
        return RANGE_BEYOND;
    } else if (!has_end || end >= size) {
        end = size - 1;
    }
    *first = begin;
    *length = end - begin + 1;
    return RANGE_PART;
}
