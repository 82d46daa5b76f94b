/* A TCP proxy: whoever connects to it is connected to somewhere else.
 *
 *     proxy [OPTION]... [ADDRESS:]PORT HOST:PORT
 *
 * listens on the first (on 127.0.0.1 unless told) and connects to the second. Bytes go both ways, each of which ends
 * for itself ("half-close"); a connection that breaks is broken on both sides. Ctrl-C stops it: it takes no more
 * connections and lets those that are open go on for the drain time; a second Ctrl-C does not wait for them. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxy.h"

static ASYNC(app, ARGS((struct proxy *, proxy), (const char *, address), (const char *, port), (thrum_time, drain)),
             LOCALS(thrum_server *server; int error;))
{
    char address[THRUM_ADDRESS_TEXT];
    ASYNC_BEGIN;
    AWAIT_INTO(self->server, thrum_start_server(connection, self->proxy, self->address, self->port));
    thrum_server_address(self->server, 0, address, sizeof address);
    printf("forwarding to %s, port %s, from %s\n", self->proxy->host, self->proxy->port, address);
    fflush(stdout);
    AWAIT(thrum_server_wait_closed(self->server)); /* which only a signal ends */
FINALLY:
    if (self->server) {
        thrum_server_close(self->server);
        printf("stopping; %zu connections are open\n", thrum_server_clients(self->server));
        fflush(stdout);
        AWAIT_CATCH(self->error, thrum_timeout(self->drain, thrum_server_wait_closed(self->server)));
        if (self->error == THRUM_ETIMEDOUT)
            printf("the time is up for %zu connections\n", thrum_server_clients(self->server));
    }
    ASYNC_END;
}

/* ---- the command line ---- */

static const char usage[] = "usage: proxy [OPTION]... [ADDRESS:]PORT HOST:PORT\n"
                            "Listens on the first (on 127.0.0.1 unless told), and forwards connections to the second.\n"
                            "An address of IP version 6 stands in brackets: [::1]:80.\n"
                            "  --connections N   forward at most N connections at a time (1000)\n"
                            "  --connect SECONDS how long connecting may take (10)\n"
                            "  --idle SECONDS    how long both sides may be silent (300)\n"
                            "  --drain SECONDS   how long connections may go on after Ctrl-C (10)\n"
                            "  --quiet           no line a connection\n"
                            "  --copy            pass bytes through memory, as on systems without splice()\n";

static void wrong(const char *what, const char *value)
{
    fprintf(stderr, "proxy: %s '%s' makes no sense\n%s", what, value, usage);
    exit(2);
}

static double number(const char *option, const char *value, double least)
{
    char *end;
    double given = strtod(value, &end);
    if (end == value || *end || !(given >= least && given < 1e6))
        wrong(option, value);
    return given;
}

static thrum_time seconds(const char *option, const char *value)
{
    return (thrum_time)(number(option, value, 0.001) * (double)SECONDS(1));
}

/* Cut "host:port" in two, in place. Without a host there is only a port. */
static void split(char *text, const char **host, const char **port)
{
    char *colon = strrchr(text, ':');
    *port = text;
    if (!colon)
        return;
    *colon = '\0';
    *port = colon + 1;
    *host = text;
    if (text[0] == '[' && colon[-1] == ']') {
        colon[-1] = '\0';
        *host = text + 1;
    }
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"connections", required_argument, NULL, 'n'},
                                            {"connect", required_argument, NULL, 'c'},
                                            {"idle", required_argument, NULL, 'i'},
                                            {"drain", required_argument, NULL, 'd'},
                                            {"quiet", no_argument, NULL, 'q'},
                                            {"copy", no_argument, NULL, 'm'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    struct proxy proxy = {.most = 1000, .patience = SECONDS(10), .idle = SECONDS(300)};
    const thrum_runner_options runner = {.size = sizeof runner, .terminate = true};
    const char *address = "127.0.0.1", *port = NULL;
    thrum_time drain = SECONDS(10);
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'n':
            proxy.most = (size_t)number("--connections", optarg, 1);
            break;
        case 'c':
            proxy.patience = seconds("--connect", optarg);
            break;
        case 'i':
            proxy.idle = seconds("--idle", optarg);
            break;
        case 'd':
            drain = seconds("--drain", optarg);
            break;
        case 'q':
            proxy.quiet = true;
            break;
        case 'm':
            proxy.copy = true;
            break;
        default:
            (void)fputs(usage, option == 'h' ? stdout : stderr);
            return option == 'h' ? 0 : 2;
        }
    }
    if (argc - optind != 2) {
        (void)fputs(usage, stderr);
        return 2;
    }
    split(argv[optind], &address, &port);
    split(argv[optind + 1], &proxy.host, &proxy.port);
    if (!proxy.host || !proxy.host[0])
        wrong("the target", argv[optind + 1]);
    (void)signal(SIGPIPE, SIG_IGN); /* splice() knows no MSG_NOSIGNAL */
    return thrum_run_with(app(&proxy, address, port, drain), &runner);
}
