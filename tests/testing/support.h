/* What is told is kept, to be looked into. */
#ifndef TEST_TESTING_SUPPORT_H
#define TEST_TESTING_SUPPORT_H

#include <stdio.h>
#include <string.h>

#include <test.h>
#include <thrum.h>
#include <thrum/testing.h>

typedef struct told {
    char text[8192];
    size_t used, lines;
} told;

static inline void told_put(void *context, const char *line)
{
    told *to = (told *)context;
    int size = snprintf(to->text + to->used, sizeof to->text - to->used, "%s\n", line);
    to->used += (size_t)size < sizeof to->text - to->used ? (size_t)size : 0;
    to->lines++;
}

#define CHECK_TOLD(told, part) CHECK(strstr((told).text, part) != NULL)

#endif
