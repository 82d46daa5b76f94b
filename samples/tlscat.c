/* Connects over TLS, and passes the standard input there and what comes from there to the standard output.
 *
 *     tlscat [OPTION]... HOST PORT
 *
 * as `nc` does over TCP, and `openssl s_client`. The server has to show a certificate that is trusted and names the
 * host. The end of the standard input is the end of what is sent; what comes is read on to its end. Ends with 1 when
 * there is no connection, or it breaks off. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <thrum.h>

enum { PROTOCOLS = 8 };

struct job {
    const char *host, *port, *name; /* the name that the certificate has to have; NULL: the host */
    thrum_tls_context *tls;
    thrum_time patience; /* how long connecting may take */
    bool info;           /* say what was agreed on */
    bool insecure;       /* that means nothing */
    bool hold;           /* do not tell the server of the end of the input */
};

/* ---- what was agreed on ---- */

static const char *day(char text[32], int64_t when)
{
    const time_t seconds = (time_t)when;
    struct tm parts;
    return gmtime_r(&seconds, &parts) && strftime(text, 32, "%Y-%m-%d", &parts) ? text : "?";
}

static void tell_certificate(const thrum_tls_certificate *certificate)
{
    char from[32], to[32];
    fprintf(stderr, "subject     %s\nissuer      %s\n", certificate->subject, certificate->issuer);
    for (size_t i = 0; i < certificate->name_count; i++)
        fprintf(stderr, "name        %s\n", certificate->names[i]);
    fprintf(stderr, "valid       %s to %s\nfingerprint %s\n", day(from, certificate->not_before),
            day(to, certificate->not_after), certificate->fingerprint);
}

static void tell(const struct job *job, const thrum_stream *stream)
{
    char peer[THRUM_ADDRESS_TEXT] = "";
    thrum_tls_info info;
    thrum_tls_certificate *certificate = NULL;
    (void)thrum_stream_peername(stream, peer, sizeof peer);
    fprintf(stderr, "connected   %s\n", peer);
    if (!thrum_stream_tls_info(stream, &info))
        fprintf(stderr, "protocol    %s, %s, %d bits\nALPN        %s\n", info.version, info.cipher, info.bits,
                info.protocol ? info.protocol : "-");
    if (!thrum_stream_tls_certificate(stream, &certificate) && certificate)
        tell_certificate(certificate);
    thrum_tls_certificate_release(certificate);
    fprintf(stderr, "verified    %s\n", job->insecure ? "no" : "yes");
}

/* ---- two directions ---- */

/* What was typed goes to the server. That it is gone is no error yet: it may have said why. */
static ASYNC(send_input, ARGS((const struct job *, job), (thrum_stream *, stream)),
             LOCALS(thrum_stream *input; const void *data; size_t size; int error;),
             ON_DROP((void)thrum_stream_write_eof(self->stream);)) /* if it does not come to begin */
{
    ASYNC_BEGIN;
    self->error = thrum_open_stdin(&self->input, NULL);
    if (self->error)
        ASYNC_RAISE(thrum_error_set(self->error, 0, "stdin", 0, NULL));
    do {
        AWAIT_INTO(self->size, thrum_stream_fill(self->input, &self->data, 1));
        AWAIT_CATCH(self->error, thrum_stream_write(self->stream, self->data, self->size));
    } while (self->size && !self->error);
    if (!self->error && !self->job->hold)
        self->error = thrum_stream_write_eof(self->stream);
    if (!self->error)
        AWAIT_CATCH(self->error, thrum_stream_flush(self->stream));
    if (self->error && self->error != -EPIPE && self->error != -ECONNRESET)
        ASYNC_RAISE(self->error);
FINALLY:
    if (!self->job->hold)
        (void)thrum_stream_write_eof(self->stream); /* however it came to this: nothing more is sent */
    thrum_stream_release(self->input);
    ASYNC_END;
}

static ASYNC(show_output, ARGS((thrum_stream *, stream)),
             LOCALS(thrum_stream *output; const void *data; size_t size; int error;))
{
    ASYNC_BEGIN;
    self->error = thrum_open_stdout(&self->output, NULL);
    if (self->error)
        ASYNC_RAISE(thrum_error_set(self->error, 0, "stdout", 0, NULL));
    do {
        AWAIT_CATCH_INTO(self->error, self->size, thrum_stream_fill(self->stream, &self->data, 1));
        if (!self->error)
            AWAIT(thrum_stream_write(self->output, self->data, self->size));
    } while (self->size && !self->error);
    AWAIT(thrum_stream_close(self->output)); /* also when the connection broke off: what came is shown */
    if (self->error)
        ASYNC_RAISE(self->error);
FINALLY:
    thrum_stream_release(self->output);
    ASYNC_END;
}

/* The server has the last word: when it has no more to say, nobody waits for the standard input. */
static ASYNC(app, ARGS((const struct job *, job)),
             LOCALS(thrum_stream *stream; thrum_connect_options options; thrum_group group;))
{
    ASYNC_BEGIN;
    self->options.size = sizeof self->options;
    self->options.tls = self->job->tls;
    self->options.server_hostname = self->job->name;
    AWAIT_INTO(self->stream, thrum_timeout(self->job->patience, thrum_open_connection_with(
                                                                    self->job->host, self->job->port, &self->options)));
    if (self->job->info)
        tell(self->job, self->stream);
    WITH (self->group, thrum_group_open(&self->group)) {
        if (!thrum_group_spawn(&self->group, send_input(self->job, self->stream)))
            ASYNC_RAISE(thrum_group_error(&self->group));
        AWAIT(show_output(self->stream));
        thrum_group_cancel(&self->group);
    }
    AWAIT(thrum_stream_close(self->stream));
FINALLY:
    thrum_stream_release(self->stream);
    ASYNC_END;
}

/* ---- the command line ---- */

static const char usage[] = "usage: tlscat [OPTION]... HOST PORT\n"
                            "Connects over TLS, and passes standard input and output.\n"
                            "  --info             say what was agreed on, on the standard error\n"
                            "  --ca FILE          trust the certificates in FILE, in place of the system's\n"
                            "  --insecure         trust whoever answers\n"
                            "  --servername NAME  ask for NAME, and find it in the certificate\n"
                            "  --alpn LIST        offer protocols: h2,http/1.1\n"
                            "  --cert FILE        show this certificate\n"
                            "  --key FILE         with this key, unless it stands in the same file\n"
                            "  --hold             do not tell the server of the end of the standard input\n"
                            "  --timeout SECONDS  how long connecting may take (10)\n";

static int wrong(void)
{
    (void)fputs(usage, stderr);
    return 2;
}

/* Cut "h2,http/1.1" in place. */
static size_t split(char *list, const char **protocols)
{
    size_t count = 0;
    for (char *at = strtok(list, ","); at && count < PROTOCOLS; at = strtok(NULL, ","))
        protocols[count++] = at;
    return count;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"info", no_argument, NULL, 'i'},          {"ca", required_argument, NULL, 'a'},
        {"insecure", no_argument, NULL, 'u'},      {"servername", required_argument, NULL, 'n'},
        {"alpn", required_argument, NULL, 'l'},    {"cert", required_argument, NULL, 'c'},
        {"key", required_argument, NULL, 'k'},     {"hold", no_argument, NULL, 'h'},
        {"timeout", required_argument, NULL, 't'}, {NULL, 0, NULL, 0},
    };
    struct job job = {.patience = SECONDS(10)};
    thrum_tls_options tls = {.size = sizeof tls};
    const char *protocols[PROTOCOLS];
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'i':
            job.info = true;
            break;
        case 'a':
            tls.trust_file = optarg;
            break;
        case 'u':
            job.insecure = true;
            tls.verify = THRUM_TLS_VERIFY_NONE;
            break;
        case 'n':
            job.name = optarg;
            break;
        case 'l':
            tls.protocols = protocols;
            tls.protocol_count = split(optarg, protocols);
            break;
        case 'c':
            tls.certificate_file = optarg;
            break;
        case 'k':
            tls.key_file = optarg;
            break;
        case 'h':
            job.hold = true;
            break;
        case 't':
            job.patience = (thrum_time)(atof(optarg) * (double)SECONDS(1));
            break;
        default:
            return wrong();
        }
    }
    if (argc - optind != 2 || job.patience <= 0)
        return wrong();
    job.host = argv[optind];
    job.port = argv[optind + 1];
    if (thrum_tls_context_new(&job.tls, &tls)) {
        fprintf(stderr, "tlscat: %s\n", thrum_tls_problem());
        return 1;
    }
    int code = thrum_run(app(&job));
    thrum_tls_context_release(job.tls);
    return code;
}
