/* wake pingpong|post N with libuv's uv_async, which wakes and carries nothing: the calls stand in a stack beside it. */
#include "posts.h"

#include <uv.h>

struct loop {
    struct posts posts;
    uv_loop_t uv;
    uv_async_t async;
};

static void on_wake(uv_async_t *async)
{
    posts_call(&((struct loop *)async->data)->posts);
}

static void loop_open(struct loop *loop)
{
    uv_loop_init(&loop->uv);
    uv_async_init(&loop->uv, &loop->async, on_wake);
    loop->async.data = loop;
}

static void loop_wake(struct loop *loop)
{
    uv_async_send(&loop->async);
}

static void loop_stop(struct loop *loop)
{
    uv_stop(&loop->uv);
}

static void loop_run(struct loop *loop)
{
    uv_run(&loop->uv, UV_RUN_DEFAULT);
}

#include "wake.h"
