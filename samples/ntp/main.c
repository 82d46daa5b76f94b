/* Asks a time server how wrong this machine's clock is. It sets nothing.
 *
 *     ntp [OPTION]... SERVER
 *
 * asks several times, each with retries, and takes the answer that was under way for the shortest time. Ends with 1
 * when none came. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <thrum.h>

#include "packet.h"

struct job {
    const char *server, *port;
    int samples, tries;
    thrum_time interval, patience;
};

struct sample {
    struct ntp_answer answer;
    double offset, delay;
};

static ntp_time now(void)
{
    struct timespec when;
    (void)clock_gettime(CLOCK_REALTIME, &when);
    return ntp_time_of(when);
}

/* One question and its answer. What else comes, as a late answer to an earlier question, is passed over. */
static ASYNC(ask, ARGS((thrum_datagrams *, server), (struct sample *, sample)),
             LOCALS(uint64_t cookie; ntp_time asked; ntp_time heard; thrum_datagram datagram; ntp_verdict verdict;
                    unsigned char question[NTP_PACKET]; unsigned char bytes[NTP_PACKET];))
{
    struct sample *sample;
    ASYNC_BEGIN;
    if (getentropy(&self->cookie, sizeof self->cookie))
        ASYNC_RAISE(-errno);
    ntp_write_question(self->question, self->cookie);
    self->datagram.data = self->bytes;
    self->datagram.room = sizeof self->bytes; /* what is behind is of no interest */
    self->asked = now();
    AWAIT(thrum_datagrams_send(self->server, self->question, sizeof self->question, NULL));
    do {
        AWAIT(thrum_datagrams_receive(self->server, &self->datagram));
        self->heard = now();
        self->verdict = ntp_read_answer(&self->sample->answer, self->bytes, self->datagram.size, self->cookie);
    } while (self->verdict == NTP_FOREIGN);
    sample = self->sample;
    if (self->verdict == NTP_UNSYNCHRONISED)
        ASYNC_RAISE(thrum_error_set(-EAGAIN, EAGAIN, "ntp", 0, "the server does not know the time itself"));
    if (self->verdict == NTP_GO_AWAY)
        ASYNC_RAISE(thrum_error_set(-EACCES, EACCES, "ntp", 0, sample->answer.reference));
    sample->offset = ntp_offset(&sample->answer, self->asked, self->heard);
    sample->delay = ntp_delay(&sample->answer, self->asked, self->heard);
    ASYNC_END;
}

/* Ask until there is an answer, which may be that there is none. */
static ASYNC(take_sample, ARGS((const struct job *, job), (thrum_datagrams *, server), (struct sample *, sample)),
             LOCALS(int tried; int error;))
{
    ASYNC_BEGIN;
    do
        AWAIT_CATCH(self->error, thrum_timeout(self->job->patience, ask(self->server, self->sample)));
    while (self->error && self->error != -EACCES && ++self->tried < self->job->tries);
    if (self->error)
        ASYNC_RAISE(self->error);
    ASYNC_END;
}

static ASYNC(app, ARGS((const struct job *, job)),
             LOCALS(thrum_datagram_options options; thrum_datagrams * server; struct sample sample; struct sample best;
                    int taken;))
{
    ASYNC_BEGIN;
    self->options.size = sizeof self->options;
    self->options.remote_host = self->job->server;
    self->options.remote_port = self->job->port;
    AWAIT_INTO(self->server, thrum_create_datagram_endpoint(NULL, NULL, &self->options));
    for (; self->taken < self->job->samples; self->taken++) {
        if (self->taken)
            AWAIT(thrum_sleep(self->job->interval));
        AWAIT(take_sample(self->job, self->server, &self->sample));
        printf("offset %+.6f s, delay %.6f s\n", self->sample.offset, self->sample.delay);
        fflush(stdout);
        if (!self->taken || self->sample.delay < self->best.delay)
            self->best = self->sample;
    }
    printf("%s, stratum %d: this clock is %s by %.6f s, give or take %.6f s\n", self->job->server,
           self->best.answer.stratum, self->best.offset < 0 ? "fast" : "slow",
           self->best.offset < 0 ? -self->best.offset : self->best.offset, self->best.delay / 2);
FINALLY:
    thrum_datagrams_release(self->server);
    ASYNC_END;
}

/* ---- the command line ---- */

static const char usage[] = "usage: ntp [OPTION]... SERVER\n"
                            "Asks a time server how wrong this machine's clock is.\n"
                            "  --port PORT         where it listens (123)\n"
                            "  --samples N         how many answers to take (4)\n"
                            "  --interval SECONDS  between them (1)\n"
                            "  --timeout SECONDS   how long one may take (2)\n"
                            "  --tries N           how often to ask for one (3)\n";

static thrum_time seconds(const char *text)
{
    double given = atof(text);
    return given >= 0 && given < 1e6 ? (thrum_time)(given * (double)SECONDS(1)) : 0;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"port", required_argument, NULL, 'p'},     {"samples", required_argument, NULL, 's'},
        {"interval", required_argument, NULL, 'i'}, {"timeout", required_argument, NULL, 't'},
        {"tries", required_argument, NULL, 'n'},    {NULL, 0, NULL, 0},
    };
    struct job job = {.port = "123", .samples = 4, .tries = 3, .interval = SECONDS(1), .patience = SECONDS(2)};
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'p')
            job.port = optarg;
        else if (option == 's')
            job.samples = atoi(optarg);
        else if (option == 'i')
            job.interval = seconds(optarg);
        else if (option == 't')
            job.patience = seconds(optarg);
        else if (option == 'n')
            job.tries = atoi(optarg);
        else
            job.samples = 0;
    }
    if (argc - optind != 1 || job.samples < 1 || job.tries < 1 || job.patience <= 0) {
        (void)fputs(usage, stderr);
        return 2;
    }
    job.server = argv[optind];
    return thrum_run(app(&job));
}
