#include "../trap.h"

int plain(void);
int plain(void)
{
    thrum_awaitable a = work(1); // finds awaitable-dropped: the awaitable in 'a' is never awaited
    (void)a;
    (void)work(2); // finds awaitable-dropped: 'work'
    return 0;
}
