#include "../trap.h"

thrum_awaitable pick(int a);
static thrum_awaitable keep[2];

thrum_awaitable pick(int a)
{
    thrum_awaitable made = work(a);
    thrum_awaitable other;
    keep[0] = work(1);
    other = thrum_timeout(SECONDS(1), made);
    return other;
}
