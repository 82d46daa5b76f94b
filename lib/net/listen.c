/* Sockets that listen. */
#include <errno.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/server.h"

/* The socket of a server that died is in the way: nobody answers there. A live one, or any other file, stays. */
static void remove_stale(const net_address *address)
{
    struct stat file;
    const char *path = address->as.un.sun_path;
    if (!path[0] || lstat(path, &file) || !S_ISSOCK(file.st_mode))
        return;
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
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
        remove_stale(address);
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
    /* Connections inherit this. */
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
    int descriptor = socket(address->as.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
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
