/* What tests of arguments that cannot be right share. */
#ifndef TEST_NET_ARGUMENTS_H
#define TEST_NET_ARGUMENTS_H

#include "support.h"

#define REFUSED(what) CHECK_EQ(what, THRUM_EINVAL)
#define REFUSED_AWAIT(what)                                                                                            \
    do {                                                                                                               \
        AWAIT_CATCH(self->error, what);                                                                                \
        REFUSED(self->error);                                                                                          \
    } while (0)
#define COUNT(list) (sizeof(list) / sizeof *(list))

/* Limits of streams that do not go together. */
static const thrum_stream_options wrong_stream = {.size = sizeof wrong_stream, .high = 1, .low = 2};

#endif
