#include "../trap.h"
#include <thrum/gather.h>
#include <thrum/streams.h>

/* The list is copied, what it leads to is not; and the results go where they are told to. */
ASYNC(gather, ARGS((thrum_stream *, stream)), LOCALS(char other[8];))
{
    char line[8];
    thrum_value results[2];
    ASYNC_BEGIN;
    AWAIT(thrum_gather(NULL, thrum_stream_read(self->stream, line, sizeof line))); // finds address-into-await: 'line' is handed into the AWAIT
    AWAIT(thrum_gather(results, thrum_sleep(1), thrum_sleep(2))); // finds address-into-await: 'results' is handed into the AWAIT
    ASYNC_END;
}
