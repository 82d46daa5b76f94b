/* A web server for files.
 *
 *     httpd [OPTION]... [DIR]
 *
 * serves DIR (the current folder unless told) on http://127.0.0.1:8080/, with a certificate on https://; with --echo
 * there is a WebSocket, too, and a page that talks over it. Ctrl-C stops it: it takes no more connections, closes those
 * that are idle, and lets requests in flight finish; a second Ctrl-C does not wait for them. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <thrum.h>

#include "site.h"

struct settings {
    const char *folder, *address, *port, *certificate, *key;
};

/* Who we are; NULL: nobody, the server speaks plain HTTP. */
static int make_tls(thrum_tls_context **tls, const struct settings *settings)
{
    static const char *const protocols[] = {"http/1.1"};
    thrum_tls_options options = {.size = sizeof options, .server = true};
    *tls = NULL;
    if (!settings->certificate)
        return 0;
    options.certificate_file = settings->certificate;
    options.key_file = settings->key;
    options.protocols = protocols;
    options.protocol_count = 1;
    return thrum_tls_context_new(tls, &options);
}

static ASYNC(app, ARGS((struct site *, site), (struct settings, settings), (thrum_tls_context *, tls)),
             LOCALS(thrum_server *server; int error;))
{
    char address[THRUM_ADDRESS_TEXT];
    thrum_server_options options;
    ASYNC_BEGIN;
    memset(&options, 0, sizeof options);
    options.size = sizeof options;
    options.backlog = 1024;
    options.tls = self->tls;
    AWAIT_INTO(self->server,
               thrum_start_server_with(connection, self->site, self->settings.address, self->settings.port, &options));
    thrum_server_address(self->server, 0, address, sizeof address);
    printf("serving %s on %s://%s/\n", self->settings.folder, self->tls ? "https" : "http", address);
    fflush(stdout);
    AWAIT(thrum_server_wait_closed(self->server)); /* which only a signal ends */
FINALLY:
    if (self->server) {
        thrum_server_close(self->server);
        connections_stop(self->site);
        log_flush();
        printf("stopping; %zu connections are open\n", thrum_server_clients(self->server));
        fflush(stdout);
        AWAIT_CATCH(self->error, thrum_timeout(self->site->grace, thrum_server_wait_closed(self->server)));
        if (self->error == THRUM_ETIMEDOUT) {
            printf("the time is up for %zu connections\n", thrum_server_clients(self->server));
            thrum_server_abort_clients(self->server);
        }
        log_flush();
    }
    ASYNC_END;
}

/* ---- the command line ---- */

static const char usage[] =
    "usage: httpd [OPTION]... [DIR]\n"
    "Serves the files in DIR (the current folder) over HTTP.\n"
    "  --port PORT       listen on PORT (8080); 0 takes one that is free\n"
    "  --bind ADDRESS    listen on ADDRESS (127.0.0.1)\n"
    "  --cert FILE       speak TLS, with the certificate in FILE (PEM)\n"
    "  --key FILE        and its private key, unless that stands in the same file\n"
    "  --echo            answer at /echo: a page and its WebSocket, which sends back what it is told\n"
    "  --quiet           no line a request\n"
    "  --connections N   serve at most N connections at a time (10000)\n"
    "  --idle SECONDS    how long a client may be silent between requests, or take nothing of a response (60)\n"
    "  --header SECONDS  how long a request may take to arrive (10)\n"
    "  --grace SECONDS   how long requests in flight may take after Ctrl-C (10)\n"
    "  --portable        open files as on systems without openat2()\n";

static void wrong(const char *option, const char *value)
{
    fprintf(stderr, "httpd: %s '%s' makes no sense\n%s", option, value, usage);
    exit(2);
}

static thrum_time seconds(const char *option, const char *value)
{
    char *end;
    double given = strtod(value, &end);
    if (end == value || *end || !(given > 0 && given < 1e6))
        wrong(option, value);
    return (thrum_time)(given * (double)SECONDS(1));
}

static size_t count(const char *option, const char *value)
{
    char *end;
    long given = strtol(value, &end, 10);
    if (end == value || *end || given < 1)
        wrong(option, value);
    return (size_t)given;
}

/* A connection takes a descriptor, and a second one while a file is sent: take as many as we may have. */
static void raise_limit(void)
{
    struct rlimit limit;
    if (!getrlimit(RLIMIT_NOFILE, &limit)) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static void parse(int argc, char **argv, struct site *site, struct settings *settings)
{
    static const struct option options[] = {
        {"port", required_argument, NULL, 'p'},
        {"bind", required_argument, NULL, 'b'},
        {"quiet", no_argument, NULL, 'q'},
        {"echo", no_argument, NULL, 'e'},
        {"connections", required_argument, NULL, 'c'},
        {"idle", required_argument, NULL, 'i'},
        {"header", required_argument, NULL, 'h'},
        {"grace", required_argument, NULL, 'g'},
        {"portable", no_argument, NULL, 'o'},
        {"cert", required_argument, NULL, 't'},
        {"key", required_argument, NULL, 'k'},
        {"help", no_argument, NULL, 'u'},
        {NULL, 0, NULL, 0},
    };
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'p':
            settings->port = optarg;
            break;
        case 'b':
            settings->address = optarg;
            break;
        case 'q':
            site->quiet = true;
            break;
        case 'e':
            site->echo = true;
            break;
        case 'c':
            site->most = count("--connections", optarg);
            break;
        case 'i':
            site->idle = seconds("--idle", optarg);
            break;
        case 'h':
            site->header = seconds("--header", optarg);
            break;
        case 'g':
            site->grace = seconds("--grace", optarg);
            break;
        case 't':
            settings->certificate = optarg;
            break;
        case 'k':
            settings->key = optarg;
            break;
        case 'o':
            site->portable = true;
            break;
        case 'u':
            (void)fputs(usage, stdout);
            exit(0);
        default:
            (void)fputs(usage, stderr);
            exit(2);
        }
    }
    if (optind < argc)
        settings->folder = argv[optind++];
    if (optind < argc)
        wrong("another folder", argv[optind]);
    if (settings->key && !settings->certificate)
        wrong("without --cert, --key", settings->key);
}

int main(int argc, char **argv)
{
    struct site site = {.most = 10000, .idle = SECONDS(60), .header = SECONDS(10), .grace = SECONDS(10)};
    struct settings settings = {.folder = ".", .address = "127.0.0.1", .port = "8080"};
    thrum_runner_options runner = {.size = sizeof runner, .terminate = true};
    thrum_tls_context *tls;
    parse(argc, argv, &site, &settings);
    idle_open(&site);
    site.root = open(settings.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (site.root < 0) {
        fprintf(stderr, "httpd: %s: %s\n", settings.folder, strerror(errno));
        return 1;
    }
    if (make_tls(&tls, &settings)) {
        fprintf(stderr, "httpd: %s\n", thrum_tls_problem());
        return 1;
    }
    raise_limit();
    int code = thrum_run_with(app(&site, settings, tls), &runner);
    thrum_tls_context_release(tls);
    close(site.root);
    return code;
}
