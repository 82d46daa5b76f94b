/* load bulk|small|handshakes|idle PORT N: a client of the servers, with OpenSSL on blocking sockets.
 *
 * bulk: N megabytes there and back, 64 KiB at a time; small: N messages of 64 bytes there and back; handshakes: N
 * connections, one after the other; idle: N connections that do nothing, held until the standard input ends. Prints
 * "done". */
#include "../support/bench.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/socket.h>

enum { PIECE = 65536, SMALL = 64 };

static SSL_CTX *context;
static int port;

static SSL *dial(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_port = htons((unsigned short)port);
    bench_must(!connect(descriptor, (struct sockaddr *)&address, sizeof address), "connect");
    (void)setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    SSL *ssl = SSL_new(context);
    SSL_set_fd(ssl, descriptor);
    bench_must(SSL_connect(ssl) == 1, "handshake");
    return ssl;
}

static void hang_up(SSL *ssl)
{
    (void)close(SSL_get_fd(ssl));
    SSL_free(ssl);
}

static void exchange(SSL *ssl, char *bytes, size_t size)
{
    size_t done = 0, part;
    bench_must(SSL_write(ssl, bytes, (int)size) == (int)size, "write");
    for (; done < size; done += part)
        bench_must(SSL_read_ex(ssl, bytes, size - done, &part) == 1, "read");
}

int main(int argc, char **argv)
{
    static char bytes[PIECE];
    bench_must(argc == 4, "what, port, and how much");
    long count = atol(argv[3]);
    port = atoi(argv[2]);
    context = SSL_CTX_new(TLS_client_method());
    (void)SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    (void)signal(SIGPIPE, SIG_IGN);
    if (!strcmp(argv[1], "handshakes")) {
        for (long i = 0; i < count; i++)
            hang_up(dial());
    } else if (!strcmp(argv[1], "idle")) {
        for (long i = 0; i < count; i++)
            exchange(dial(), bytes, SMALL);
    } else {
        size_t size = strcmp(argv[1], "bulk") ? SMALL : PIECE;
        long rounds = strcmp(argv[1], "bulk") ? count : count * (1048576 / PIECE);
        SSL *ssl = dial();
        for (long i = 0; i < rounds; i++)
            exchange(ssl, bytes, size);
        hang_up(ssl);
    }
    printf("done\n");
    (void)fflush(stdout);
    while (!strcmp(argv[1], "idle") && read(0, bytes, sizeof bytes) > 0)
        continue;
    return 0;
}
