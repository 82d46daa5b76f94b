/* Limits and marks. Most streams have those of their server, or everybody's: they stand once for all that have the same
 * ones, and a stream has but a pointer to them. */
#include "net/stream.h"

#include "core/state.h"

/* So many are compared, those first that were asked for last: where each stream has its own, to have some twice costs
 * less than to look at all of them. */
enum { LOOKED_AT = 4 };

static _Thread_local net_link in_use; /* of this thread; zeroed before its first stream */

static bool same(const stream_settings *a, const stream_settings *b)
{
    return a->limit == b->limit && a->high == b->high && a->low == b->low && a->close_deadline == b->close_deadline;
}

static stream_settings *find(const stream_settings *like)
{
    net_link *link = in_use.next;
    for (int i = 0; i < LOOKED_AT && link != &in_use; i++, link = link->next)
        if (same((stream_settings *)(void *)link, like))
            return (stream_settings *)(void *)link;
    return NULL;
}

stream_settings *stream_settings_take(const stream_settings *like)
{
    if (!in_use.next)
        link_init(&in_use);
    stream_settings *settings = find(like);
    if (settings) {
        link_remove(&settings->link);
    } else {
        settings = (stream_settings *)pool_take(&thrum_state_here()->pool, sizeof *settings, POOL_OTHER);
        if (!settings)
            return NULL;
        *settings = *like;
        settings->streams = 0;
    }
    settings->streams++;
    link_before(in_use.next, &settings->link);
    return settings;
}

void stream_settings_give(stream_settings *settings)
{
    if (!settings || --settings->streams)
        return;
    link_remove(&settings->link);
    pool_give(&thrum_state_here()->pool, settings, sizeof *settings, POOL_OTHER);
}

int stream_settings_change(thrum_stream *stream, size_t high, size_t low, thrum_time close_deadline)
{
    const stream_settings wanted = {
        .limit = stream->settings->limit, .high = high, .low = low, .close_deadline = close_deadline};
    stream_settings *settings = stream_settings_take(&wanted);
    if (!settings)
        return THRUM_ENOMEM;
    stream_settings_give(stream->settings);
    stream->settings = settings;
    return 0;
}
