/* UDP echo by hand: epoll, recvmmsg and sendmmsg, 32 datagrams at a time. The reference. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { BATCH = 32, ROOM = 2048 };

static char bytes[BATCH][ROOM];
static struct mmsghdr messages[BATCH];
static struct iovec parts[BATCH];
static struct sockaddr_storage addresses[BATCH];

static void echo(int fd)
{
    for (int i = 0; i < BATCH; i++) {
        parts[i] = (struct iovec){bytes[i], ROOM};
        messages[i].msg_hdr = (struct msghdr){
            .msg_name = &addresses[i], .msg_namelen = sizeof addresses[i], .msg_iov = &parts[i], .msg_iovlen = 1};
    }
    int got = recvmmsg(fd, messages, BATCH, 0, NULL);
    for (int i = 0; i < got; i++)
        parts[i].iov_len = messages[i].msg_len;
    for (int sent = 0, n; sent < got && (n = sendmmsg(fd, messages + sent, (unsigned)(got - sent), 0)) > 0;)
        sent += n;
}

int main(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), poller = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN};
    if (bind(fd, (struct sockaddr *)&address, length) || getsockname(fd, (struct sockaddr *)&address, &length) ||
        epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event))
        return 1;
    printf("PORT %d\n", ntohs(address.sin_port));
    fflush(stdout);
    for (;;)
        if (epoll_wait(poller, &event, 1, -1) > 0)
            echo(fd);
}
