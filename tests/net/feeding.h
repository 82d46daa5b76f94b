/* Streams that are fed by hand, for their tests. */
#ifndef TEST_NET_FEEDING_H
#define TEST_NET_FEEDING_H

#include "support.h"

#define OWN_ERROR THRUM_EAPP(7)

/* With a limit (0: the default) and some text that was fed already. */
static inline thrum_stream *fed(size_t limit, const char *text)
{
    thrum_stream *made = NULL;
    thrum_stream_options options = {.size = sizeof options, .limit = limit};
    CHECK_EQ(thrum_stream_fed(&made, &options), 0);
    CHECK_EQ(thrum_stream_feed_data(made, text, strlen(text)), 0);
    return made;
}

static inline void feed(thrum_stream *stream, const char *text)
{
    CHECK_EQ(thrum_stream_feed_data(stream, text, strlen(text)), 0);
}

/* Just this lies there to be read, which is done. */
static inline thrum_awaitable left(thrum_stream *stream, const char *text);
static ASYNC(left_, ARGS((thrum_stream *, stream), (const char *, text)), LOCALS(char got[256]; size_t n;))
{
    ASYNC_BEGIN;
    CHECK_EQ(thrum_stream_buffered(self->stream), strlen(self->text));
    if (*self->text) {
        AWAIT_INTO(self->n, thrum_stream_read(self->stream, self->got, sizeof self->got));
        CHECK_EQ(self->n, strlen(self->text));
        CHECK_MEM(self->got, self->text, strlen(self->text));
    }
    ASYNC_END;
}
static inline thrum_awaitable left(thrum_stream *stream, const char *text)
{
    return left_(stream, text);
}

#endif
