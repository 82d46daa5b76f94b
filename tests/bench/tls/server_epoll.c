/* server CERT KEY: echoes over TLS, by hand on epoll, with OpenSSL on the socket. Prints "PORT n". */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER = 65536, EVENTS = 256 };

typedef struct connection {
    SSL *ssl;
    int descriptor;
    bool ready; /* hands are shaken */
    char *rest; /* what the socket did not take */
    size_t at, size;
} connection;

static int poller;
static SSL_CTX *context;

static void watch(connection *one, unsigned events, int how)
{
    struct epoll_event event = {.events = events, .data.ptr = one};
    (void)epoll_ctl(poller, how, one->descriptor, &event);
}

static void drop(connection *one)
{
    SSL_free(one->ssl);
    (void)close(one->descriptor);
    free(one->rest);
    free(one);
}

static void take(int listener)
{
    int descriptor;
    while ((descriptor = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        connection *one = (connection *)calloc(1, sizeof *one);
        (void)setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        one->descriptor = descriptor;
        one->ssl = SSL_new(context);
        SSL_set_fd(one->ssl, descriptor);
        SSL_set_accept_state(one->ssl);
        watch(one, EPOLLIN, EPOLL_CTL_ADD);
    }
}

/* Send, and keep what is left. False: the connection is over. */
static bool put(connection *one, const char *data, size_t size)
{
    size_t done = 0, part;
    while (done < size) {
        int result = SSL_write_ex(one->ssl, data + done, size - done, &part);
        if (result != 1) {
            if (SSL_get_error(one->ssl, result) != SSL_ERROR_WANT_WRITE)
                return false;
            one->rest = (char *)malloc(size - done);
            memcpy(one->rest, data + done, one->size = size - done);
            one->at = 0;
            watch(one, EPOLLOUT, EPOLL_CTL_MOD);
            return true;
        }
        done += part;
    }
    return true;
}

static bool put_rest(connection *one)
{
    size_t part;
    while (one->at < one->size) {
        int result = SSL_write_ex(one->ssl, one->rest + one->at, one->size - one->at, &part);
        if (result != 1)
            return SSL_get_error(one->ssl, result) == SSL_ERROR_WANT_WRITE;
        one->at += part;
    }
    free(one->rest);
    one->rest = NULL;
    watch(one, EPOLLIN, EPOLL_CTL_MOD);
    return true;
}

static bool echo(connection *one)
{
    static char bytes[BUFFER];
    if (!one->ready) {
        int result = SSL_do_handshake(one->ssl);
        if (result != 1)
            return SSL_get_error(one->ssl, result) == SSL_ERROR_WANT_READ;
        one->ready = true;
    }
    if (one->rest && (!put_rest(one) || one->rest))
        return one->rest != NULL;
    do {
        size_t got;
        int result = SSL_read_ex(one->ssl, bytes, sizeof bytes, &got);
        if (result != 1)
            return SSL_get_error(one->ssl, result) == SSL_ERROR_WANT_READ;
        if (!put(one, bytes, got))
            return false;
    } while (!one->rest && SSL_has_pending(one->ssl));
    return true;
}

int main(int argc, char **argv)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    struct epoll_event events[EVENTS];
    context = SSL_CTX_new(TLS_server_method());
    if (argc < 3 || SSL_CTX_use_certificate_chain_file(context, argv[1]) != 1 ||
        SSL_CTX_use_PrivateKey_file(context, argv[2], SSL_FILETYPE_PEM) != 1)
        return 2;
    (void)SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                        SSL_MODE_RELEASE_BUFFERS);
    (void)signal(SIGPIPE, SIG_IGN);
    poller = epoll_create1(EPOLL_CLOEXEC);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 4096) ||
        getsockname(listener, (struct sockaddr *)&address, &size))
        return 2;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    (void)epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
    printf("PORT %d\n", ntohs(address.sin_port));
    (void)fflush(stdout);
    for (;;) {
        int count = epoll_wait(poller, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            connection *one = (connection *)events[i].data.ptr;
            if (!one)
                take(listener);
            else if (!echo(one))
                drop(one);
        }
    }
}
