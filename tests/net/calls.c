/* The system calls of streams and of libev, counted, cut short or made to fail: these definitions come before the C
 * library's. */
#include <sys/epoll.h>
#include <sys/syscall.h>

#include "support.h"

call_plan calls_send, calls_recv, calls_accept, calls_epoll_ctl, calls_epoll_wait;

void calls_clear(void)
{
    memset(&calls_send, 0, sizeof calls_send);
    memset(&calls_recv, 0, sizeof calls_recv);
    memset(&calls_accept, 0, sizeof calls_accept);
    memset(&calls_epoll_ctl, 0, sizeof calls_epoll_ctl);
    memset(&calls_epoll_wait, 0, sizeof calls_epoll_wait);
}

/* True: this call fails. */
static bool fails(call_plan *plan)
{
    plan->count++;
    if (!plan->fail || plan->count <= plan->after || !plan->failures)
        return false;
    if (plan->failures > 0)
        plan->failures--;
    errno = plan->fail;
    return true;
}

static ssize_t moved(call_plan *plan, ssize_t size)
{
    if (size > 0)
        plan->moved += (size_t)size;
    return size;
}

ssize_t send(int descriptor, const void *data, size_t size, int flags)
{
    if (fails(&calls_send))
        return -1;
    if (calls_send.most && size > calls_send.most)
        size = calls_send.most;
    if (calls_send.swallowed)
        return moved(&calls_send, (ssize_t)size);
    return moved(&calls_send, syscall(SYS_sendto, descriptor, data, size, flags, NULL, 0));
}

ssize_t sendmsg(int descriptor, const struct msghdr *message, int flags)
{
    struct iovec pieces[64];
    struct msghdr shorter = *message;
    size_t rest = calls_send.most;
    if (fails(&calls_send))
        return -1;
    if (rest) {
        size_t i = 0;
        for (; i < message->msg_iovlen && rest; i++) {
            pieces[i] = message->msg_iov[i];
            if (pieces[i].iov_len > rest)
                pieces[i].iov_len = rest;
            rest -= pieces[i].iov_len;
        }
        shorter.msg_iov = pieces;
        shorter.msg_iovlen = i;
    }
    return moved(&calls_send, syscall(SYS_sendmsg, descriptor, &shorter, flags));
}

ssize_t recv(int descriptor, void *to, size_t size, int flags)
{
    if (fails(&calls_recv))
        return -1;
    if (calls_recv.most && size > calls_recv.most)
        size = calls_recv.most;
    return moved(&calls_recv, syscall(SYS_recvfrom, descriptor, to, size, flags, NULL, NULL));
}

/* The C library's prototype has a union of pointers there. */
int accept4(int descriptor, __SOCKADDR_ARG address, socklen_t *size, int flags)
{
    if (fails(&calls_accept))
        return -1;
    return (int)syscall(SYS_accept4, descriptor, address.__sockaddr__, size, flags);
}

int accept(int descriptor, __SOCKADDR_ARG address, socklen_t *size)
{
    if (fails(&calls_accept))
        return -1;
    return (int)syscall(SYS_accept4, descriptor, address.__sockaddr__, size, 0);
}

int epoll_ctl(int poller, int operation, int descriptor, struct epoll_event *event)
{
    calls_epoll_ctl.count++;
    return (int)syscall(SYS_epoll_ctl, poller, operation, descriptor, event);
}

int epoll_wait(int poller, struct epoll_event *events, int most, int timeout)
{
    calls_epoll_wait.count++;
    return (int)syscall(SYS_epoll_pwait, poller, events, most, timeout, NULL, 0);
}
