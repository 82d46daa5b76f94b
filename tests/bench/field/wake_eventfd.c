/* wake pingpong|post N by hand: epoll and an eventfd, which is read each time. The reference. */
#include "posts.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct loop {
    struct posts posts;
    int poller, event;
    bool stopped;
};

static void loop_open(struct loop *loop)
{
    struct epoll_event event = {.events = EPOLLIN};
    loop->poller = epoll_create1(EPOLL_CLOEXEC);
    loop->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (epoll_ctl(loop->poller, EPOLL_CTL_ADD, loop->event, &event))
        abort();
}

static void loop_wake(struct loop *loop)
{
    uint64_t one = 1;
    if (write(loop->event, &one, sizeof one) != sizeof one)
        abort();
}

static void loop_stop(struct loop *loop)
{
    loop->stopped = true;
}

static void loop_run(struct loop *loop)
{
    while (!loop->stopped) {
        struct epoll_event event;
        uint64_t times;
        if (epoll_wait(loop->poller, &event, 1, -1) == 1 && read(loop->event, &times, sizeof times) == sizeof times)
            posts_call(&loop->posts);
    }
}

#include "wake.h"
