/* Asks name servers.
 *
 *     dns [OPTION]... NAME [TYPE]...
 *     dns [OPTION]... ADDRESS           which name an address has
 *
 * Without a TYPE it asks for A and AAAA, at the same time. Ends with 1 when one of the questions had no answer, or the
 * answer had no records. No thread is made for this: unlike getaddrinfo(), it can be cancelled at any time. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "query.h"

enum { SERVERS = 3, QUESTIONS = 8 };

struct job {
    struct dns_how how;
    struct dns_question *questions;
    size_t count, failed;
};

static void show(struct job *job, struct dns_question *question)
{
    static char text[4 * DNS_MESSAGE]; /* whatever the data is, it fits */
    char type[16];
    struct dns_record record;
    int there;
    size_t records = 0;
    while ((there = dns_next_record(&question->reply, &record)) > 0 &&
           dns_data_text(&question->reply, &record, text, sizeof text)) {
        printf("%s %u %s %s\n", record.name, (unsigned)record.seconds, dns_type_text(record.type, type), text);
        records++;
    }
    if (there)
        fprintf(stderr, "dns: %s %s: the answer makes no sense\n", question->name, dns_type_text(question->type, type));
    else if (question->reply.code != DNS_NO_ERROR || !records)
        fprintf(stderr, "dns: %s %s: %s\n", question->name, dns_type_text(question->type, type),
                question->reply.code == DNS_NO_ERROR ? "no such record" : dns_code_text(question->reply.code, text));
    job->failed += there || question->reply.code != DNS_NO_ERROR || !records;
}

static ASYNC(ask, ARGS((struct job *, job), (struct dns_question *, question)), LOCALS(int error;))
{
    char type[16];
    const thrum_error *detail;
    ASYNC_BEGIN;
    AWAIT_CATCH(self->error, dns_ask(self->question, &self->job->how));
    if (self->error) {
        detail = thrum_error_last();
        fprintf(stderr, "dns: %s %s: %s%s%s\n", self->question->name, dns_type_text(self->question->type, type),
                thrum_error_text(self->error), detail && detail->text[0] ? ", " : "", detail ? detail->text : "");
        self->job->failed++;
    } else {
        show(self->job, self->question);
    }
    ASYNC_END;
}

static ASYNC(app, ARGS((struct job *, job)), LOCALS(thrum_group group; size_t i;))
{
    ASYNC_BEGIN;
    WITH (self->group, thrum_group_open(&self->group)) {
        for (self->i = 0; self->i < self->job->count; self->i++)
            if (!thrum_group_spawn(&self->group, ask(self->job, &self->job->questions[self->i])))
                ASYNC_RAISE(thrum_group_error(&self->group));
    }
    if (self->job->failed)
        ASYNC_RAISE(thrum_error_set(THRUM_EEXIT, 0, "exit", 1, NULL));
    ASYNC_END;
}

/* ---- the command line ---- */

static const char usage[] = "usage: dns [OPTION]... NAME|ADDRESS [TYPE]...\n"
                            "Asks name servers; without a TYPE for A and AAAA, with an ADDRESS for its name.\n"
                            "  --server ADDRESS   ask this one; may be given three times (those of /etc/resolv.conf)\n"
                            "  --port PORT        where it listens (53)\n"
                            "  --timeout SECONDS  how long it may take to answer (2)\n"
                            "  --tries N          how often to ask, all in all (4)\n"
                            "  --tcp              not over UDP first\n";

static int wrong(void)
{
    (void)fputs(usage, stderr);
    return 2;
}

/* The servers that the system asks. */
static int system_servers(struct dns_server *servers, const char *port)
{
    static char addresses[SERVERS][64];
    char line[256];
    int count = 0;
    FILE *file = fopen("/etc/resolv.conf", "re");
    while (file && count < SERVERS && fgets(line, sizeof line, file))
        if (sscanf(line, "nameserver %63s", addresses[count]) == 1) {
            servers[count] = (struct dns_server){addresses[count], port};
            count++;
        }
    if (file)
        (void)fclose(file);
    if (!count)
        servers[count++] = (struct dns_server){"127.0.0.1", port};
    return count;
}

/* What is to be asked; false: no. */
static bool make_questions(struct job *job, int count, char **words)
{
    static char reverse[DNS_NAME];
    static const uint16_t both[] = {DNS_A, DNS_AAAA};
    bool address = dns_reverse_name(reverse, words[0]);
    if (count - 1 > QUESTIONS || (address && count > 1))
        return false;
    job->count = count > 1 ? (size_t)count - 1 : address ? 1 : 2;
    job->questions = (struct dns_question *)calloc(job->count, sizeof *job->questions);
    if (!job->questions)
        return false;
    for (size_t i = 0; i < job->count; i++) {
        job->questions[i].name = address ? reverse : words[0];
        job->questions[i].type = address ? DNS_PTR : count > 1 ? dns_type_of(words[i + 1]) : both[i];
        if (!job->questions[i].type)
            return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"server", required_argument, NULL, 's'},  {"port", required_argument, NULL, 'p'},
        {"timeout", required_argument, NULL, 't'}, {"tries", required_argument, NULL, 'n'},
        {"tcp", no_argument, NULL, 'c'},           {NULL, 0, NULL, 0}};
    struct dns_server servers[SERVERS];
    struct job job = {.how = {.servers = servers, .tries = 4, .patience = SECONDS(2)}};
    const char *port = "53";
    int option, code;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 's' && job.how.server_count < SERVERS)
            servers[job.how.server_count++].address = optarg;
        else if (option == 'p')
            port = optarg;
        else if (option == 't')
            job.how.patience = (thrum_time)(atof(optarg) * (double)SECONDS(1));
        else if (option == 'n')
            job.how.tries = atoi(optarg);
        else if (option == 'c')
            job.how.tcp = true;
        else
            return wrong();
    }
    for (int i = 0; i < job.how.server_count; i++)
        servers[i].port = port;
    if (!job.how.server_count)
        job.how.server_count = system_servers(servers, port);
    if (optind == argc || job.how.patience <= 0 || job.how.tries < 1)
        return wrong();
    code = make_questions(&job, argc - optind, argv + optind) ? thrum_run(app(&job)) : wrong();
    free(job.questions);
    return code;
}
