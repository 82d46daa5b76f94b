/* wake pingpong|post N with libev's ev_async, which wakes and carries nothing: the calls stand in a stack beside it. */
#include "posts.h"

#include <ev.h>

struct loop {
    struct posts posts;
    struct ev_loop *ev;
    ev_async async;
};

static void on_wake(struct ev_loop *ev, ev_async *async, int events)
{
    (void)ev;
    (void)events;
    posts_call(&((struct loop *)async->data)->posts);
}

static void loop_open(struct loop *loop)
{
    loop->ev = ev_loop_new(EVBACKEND_EPOLL);
    ev_async_init(&loop->async, on_wake);
    loop->async.data = loop;
    ev_async_start(loop->ev, &loop->async);
}

static void loop_wake(struct loop *loop)
{
    ev_async_send(loop->ev, &loop->async);
}

static void loop_stop(struct loop *loop)
{
    ev_break(loop->ev, EVBREAK_ALL);
}

static void loop_run(struct loop *loop)
{
    ev_run(loop->ev, 0);
}

#include "wake.h"
