/* What all lines have in common, once, where little code is wanted. */
#include "sync/waitqueue.h"

#if THRUM_SMALL
bool thrum_queue_wake_first(thrum_waiters *queue, const void *object, thrum_value with)
{
    return queue_wake_here(queue, object, with);
}
#endif
