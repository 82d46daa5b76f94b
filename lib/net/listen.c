/* Sockets that listen. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loop/system.h"
#include "net/datagram.h"
#include "net/server.h"

void listen_remove_stale(const net_address *address, int type)
{
    struct stat file;
    const char *path = address->as.un.sun_path;
    if (!path[0] || lstat(path, &file) || !S_ISSOCK(file.st_mode))
        return;
    int probe = system_socket(AF_UNIX, type);
    if (probe < 0)
        return;
    if (connect(probe, &address->as.any, address->size) && errno == ECONNREFUSED)
        (void)unlink(path);
    (void)close(probe);
}

static int set_options(int descriptor, const net_address *address, const thrum_server_options *options)
{
    const int on = 1;
    if (address->as.any.sa_family == AF_UNIX) {
        listen_remove_stale(address, SOCK_STREAM);
        if (options->mode)
            (void)fchmod(descriptor, (mode_t)options->mode); /* from the first moment on, as the umask lets it */
        return 0;
    }
    if (!options->keep_address && setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on))
        return -errno;
    if (options->reuse_port && setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on))
        return -errno;
    /* The other family has a socket of its own. */
    if (address->as.any.sa_family == AF_INET6 && setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on))
        return -errno;
    if (options->keep_alive && setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on))
        return -errno;
    /* Connections inherit these. */
    (void)setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return 0;
}

static int fail(int code, const char *operation, const net_address *address)
{
    char text[THRUM_ADDRESS_TEXT];
    address_text(&address->as.any, address->size, text, sizeof text);
    return thrum_error_set(code, -code, operation, address_port(&address->as.any), text);
}

int listen_on(net_address *address, const thrum_server_options *options)
{
    const char *operation = "socket";
    int descriptor = system_socket(address->as.any.sa_family, SOCK_STREAM);
    if (descriptor < 0)
        return errno == EAFNOSUPPORT ? -EAFNOSUPPORT : fail(-errno, operation, address);
    int error = set_options(descriptor, address, options);
    if (!error) {
        operation = "bind";
        error = bind(descriptor, &address->as.any, address->size) ? -errno : 0;
    }
    if (!error && address->as.any.sa_family == AF_UNIX && options->mode && address->as.un.sun_path[0])
        error = chmod(address->as.un.sun_path, (mode_t)options->mode) ? -errno : 0;
    if (!error) {
        operation = "listen";
        error = listen(descriptor, options->backlog) ? -errno : 0;
    }
    if (error) {
        (void)close(descriptor);
        return fail(error, operation, address);
    }
    if (address->as.any.sa_family != AF_UNIX)
        (void)getsockname(descriptor, &address->as.any, &address->size); /* the port it was given */
    return descriptor;
}

int listen_given(int descriptor, int backlog)
{
    int kind = 0, copy;
    socklen_t size = sizeof kind;
    if (getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &kind, &size))
        return thrum_error_set(-errno, errno, "listen", descriptor, NULL);
    if (kind != SOCK_STREAM)
        return thrum_error_set(THRUM_EINVAL, 0, "listen", descriptor, "not a stream socket");
    copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
    int error = copy < 0 ? -errno : system_prepare(copy);
    if (!error)
        error = listen(copy, backlog) ? -errno : 0;
    if (!error)
        return copy;
    if (copy >= 0)
        (void)close(copy);
    return thrum_error_set(error, -error, "listen", descriptor, NULL);
}
