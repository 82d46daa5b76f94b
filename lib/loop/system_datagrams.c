/* Datagrams, where systems differ: many in one call, what the network says of them, and how many were lost. */
#include "loop/system.h"

#include <errno.h>
#include <string.h>
#if SYSTEM_LINUX
#include <linux/errqueue.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#endif

#if SYSTEM_LINUX

_Static_assert(sizeof(system_message) == sizeof(struct mmsghdr) &&
                   offsetof(system_message, size) == offsetof(struct mmsghdr, msg_len),
               "one of Linux's");

int system_receive_messages(int descriptor, system_message *messages, unsigned count)
{
    int moved;
    do
        moved = recvmmsg(descriptor, (struct mmsghdr *)(void *)messages, count, MSG_DONTWAIT, NULL);
    while (moved < 0 && errno == EINTR);
    return moved;
}

int system_send_messages(int descriptor, system_message *messages, unsigned count)
{
    int moved;
    do
        moved = sendmmsg(descriptor, (struct mmsghdr *)(void *)messages, count, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (moved < 0 && errno == EINTR);
    return moved;
}

#else

/* An error behind the first datagram ends the row and is told by the next call, but for one that the network had
 * reported: that is lost. */
int system_receive_messages(int descriptor, system_message *messages, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        ssize_t got;
        do
            got = recvmsg(descriptor, &messages[i].header, 0);
        while (got < 0 && errno == EINTR);
        if (got < 0)
            return i ? (int)i : -1;
        messages[i].size = (unsigned)got;
    }
    return (int)count;
}

int system_send_messages(int descriptor, system_message *messages, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        ssize_t sent;
        do
            sent = sendmsg(descriptor, &messages[i].header, MSG_NOSIGNAL);
        while (sent < 0 && errno == EINTR);
        if (sent < 0)
            return i ? (int)i : -1;
        messages[i].size = (unsigned)sent;
    }
    return (int)count;
}

#endif

#if SYSTEM_LINUX

int system_next_failure(int descriptor, struct sockaddr *about, socklen_t *size)
{
    union {
        struct cmsghdr head;
        char bytes[512];
    } control;
    char first[64]; /* bytes of the datagram, which nobody wants */
    struct iovec piece = {first, sizeof first};
    struct msghdr message;
    memset(&message, 0, sizeof message);
    message.msg_name = about;
    message.msg_namelen = *size;
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = &control;
    message.msg_controllen = sizeof control;
    ssize_t got;
    do
        got = recvmsg(descriptor, &message, MSG_ERRQUEUE | MSG_DONTWAIT);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return 0;
    *size = message.msg_namelen;
    for (struct cmsghdr *at = CMSG_FIRSTHDR(&message); at; at = CMSG_NXTHDR(&message, at)) {
        bool ours = (at->cmsg_level == IPPROTO_IP && at->cmsg_type == IP_RECVERR) ||
                    (at->cmsg_level == IPPROTO_IPV6 && at->cmsg_type == IPV6_RECVERR);
        struct sock_extended_err failure;
        if (!ours)
            continue;
        memcpy(&failure, CMSG_DATA(at), sizeof failure);
        return failure.ee_errno ? (int)failure.ee_errno : EIO;
    }
    return EIO;
}

int system_keep_failures(int descriptor, int family)
{
    const int on = 1;
    int level = family == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP;
    int name = family == AF_INET6 ? IPV6_RECVERR : IP_RECVERR;
    if (family != AF_INET && family != AF_INET6)
        return -ENOSYS;
    return setsockopt(descriptor, level, name, &on, sizeof on) ? -errno : 0;
}

uint64_t system_drops(int descriptor)
{
    uint32_t facts[SK_MEMINFO_VARS];
    socklen_t size = sizeof facts;
    memset(facts, 0, sizeof facts);
    if (getsockopt(descriptor, SOL_SOCKET, SO_MEMINFO, facts, &size) || size < sizeof facts)
        return 0;
    return facts[SK_MEMINFO_DROPS];
}

#else

int system_next_failure(int descriptor, struct sockaddr *about, socklen_t *size)
{
    (void)descriptor, (void)about;
    *size = 0;
    return 0;
}

int system_keep_failures(int descriptor, int family)
{
    (void)descriptor, (void)family;
    return -ENOSYS;
}

uint64_t system_drops(int descriptor)
{
    (void)descriptor;
    return 0;
}

#endif
