/* What the tests of servers with protocols share. */
#ifndef TEST_NET_TRANSPORT_SERVERS_H
#define TEST_NET_TRANSPORT_SERVERS_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "protocols.h"

static struct {
    int count, error;
} reported;

static inline void note_report(thrum_loop *loop, const thrum_report *report, void *context)
{
    (void)loop, (void)context;
    reported.count++;
    reported.error = report->error;
}

static inline void note_reports(void)
{
    memset(&reported, 0, sizeof reported);
    thrum_loop_set_exception_handler(thrum_loop_current(), note_report, NULL);
}

/* ---- a server's protocols: those of its connections, in their order ---- */

static struct {
    int asked;
    int fail; /* what the factory gives */
    noted each[8];
} made;

static inline int factory(void *context, const thrum_protocol **protocol, void **own)
{
    CHECK_STR((const char *)context, "context");
    if (made.fail)
        return made.fail;
    *protocol = &noting;
    *own = &made.each[made.asked++];
    return 0;
}

static inline void begin_test(void)
{
    memset(&made, 0, sizeof made);
    note_reports();
}

static char path[128];

static inline const char *new_path(void)
{
    snprintf(path, sizeof path, "/tmp/thrum-transport-%d", (int)getpid());
    (void)unlink(path);
    return path;
}

static inline int new_client(const thrum_server *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    address.sin_port = htons((uint16_t)thrum_server_port(server));
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK_EQ(connect(client, (struct sockaddr *)(void *)&address, sizeof address), 0);
    fcntl(client, F_SETFL, O_NONBLOCK);
    return client;
}

#endif
