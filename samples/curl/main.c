/* Fetch many URLs at once by libcurl: http, https, ftp and whatever else it knows.
 *
 *     curl [--limit N] [--timeout SECONDS] [--save FOLDER] [--ca FILE] URL...
 *
 * At most N (8) are under way at a time, each may take so long (30 s). A line says how each went; with --save their
 * bodies go into FOLDER/1, FOLDER/2 and so on. --ca names the authorities to trust in place of the system's. Ends with
 * 1 when one of them failed. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "transfers.h"

/* The whole job; the workers take URLs off it. */
struct job {
    char **urls;
    int count, next; /* how many, and which is to be fetched next */
    int failed;
    int limit;
    thrum_time timeout;
    const char *folder, *authorities; /* or NULL */
    struct transfers transfers;
};

/* ---- one URL ---- */

static size_t take(char *data, size_t size, size_t count, void *file)
{
    return file ? fwrite(data, size, count, (FILE *)file) : count;
}

/* An easy handle that is ready to go. NULL: out of memory. */
static CURL *prepare(const struct job *job, const char *url, FILE *file)
{
    CURL *easy = curl_easy_init();
    bool fine = easy && !curl_easy_setopt(easy, CURLOPT_URL, url) && /* copied */
                !curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take) &&
                !curl_easy_setopt(easy, CURLOPT_WRITEDATA, file) &&
                !curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L) &&
                !curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) && /* signals are the program's */
                (!job->authorities || !curl_easy_setopt(easy, CURLOPT_CAINFO, job->authorities));
    if (!fine)
        curl_easy_cleanup(easy);
    return fine ? easy : NULL;
}

static void report(struct job *job, const char *url, CURL *easy, int error)
{
    const thrum_error *detail = thrum_error_last();
    long status = 0;
    curl_off_t size = 0, microseconds = 0;
    (void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(easy, CURLINFO_SIZE_DOWNLOAD_T, &size);
    (void)curl_easy_getinfo(easy, CURLINFO_TOTAL_TIME_T, &microseconds);
    if (error)
        printf("%s failed: %s\n", url, error == TRANSFER_FAILED && detail ? detail->text : thrum_error_text(error));
    else
        printf("%s %ld, %lld bytes in %.3f s\n", url, status, (long long)size, (double)microseconds * 1e-6);
    fflush(stdout);
    job->failed += error || status >= 400;
}

static ASYNC(fetch, ARGS((struct job *, job), (int, number)), LOCALS(FILE *file; CURL * easy; int error;))
{
    char path[4096];
    ASYNC_BEGIN;
    if (self->job->folder) {
        (void)snprintf(path, sizeof path, "%s/%d", self->job->folder, self->number);
        self->file = fopen(path, "wb");
        if (!self->file)
            ASYNC_RAISE(thrum_error_set(-errno, errno, "open", 0, path)); /* the group cancels the others */
    }
    self->easy = prepare(self->job, self->job->urls[self->number - 1], self->file);
    if (!self->easy)
        ASYNC_RAISE(THRUM_ENOMEM);
    AWAIT_CATCH(self->error, thrum_timeout(self->job->timeout, transfer(&self->job->transfers, self->easy)));
    report(self->job, self->job->urls[self->number - 1], self->easy, self->error);
FINALLY:
    curl_easy_cleanup(self->easy);
    if (self->file && fclose(self->file))
        self->job->failed++;
    ASYNC_END;
}

/* ---- many ---- */

/* One URL after the other, as long as there are any. As many workers as --limit says do this at the same time. */
static ASYNC(worker, ARGS((struct job *, job)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    while (self->job->next < self->job->count)
        AWAIT(fetch(self->job, ++self->job->next));
    ASYNC_END;
}

static ASYNC(app, ARGS((struct job *, job)), LOCALS(thrum_group workers; int i;))
{
    ASYNC_BEGIN;
    if (transfers_begin(&self->job->transfers))
        ASYNC_RAISE(THRUM_ENOMEM);
    WITH (self->workers, thrum_group_open(&self->workers)) {
        for (self->i = 0; self->i < self->job->limit && self->i < self->job->count; self->i++)
            if (!thrum_group_spawn(&self->workers, worker(self->job)))
                ASYNC_RAISE(thrum_group_error(&self->workers));
    }
    if (self->job->failed)
        ASYNC_RAISE(thrum_error_set(THRUM_EEXIT, 0, "exit", 1, NULL));
FINALLY:
    transfers_end(&self->job->transfers);
    ASYNC_END;
}

static int usage(const char *program)
{
    fprintf(stderr, "usage: %s [--limit N] [--timeout SECONDS] [--save FOLDER] [--ca FILE] URL...\n", program);
    return 2;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"limit", required_argument, NULL, 'l'},
                                            {"timeout", required_argument, NULL, 't'},
                                            {"save", required_argument, NULL, 's'},
                                            {"ca", required_argument, NULL, 'c'},
                                            {NULL, 0, NULL, 0}};
    struct job job = {.limit = 8, .timeout = SECONDS(30)};
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'l')
            job.limit = atoi(optarg);
        else if (option == 't')
            job.timeout = (thrum_time)(atof(optarg) * (double)SECONDS(1));
        else if (option == 's')
            job.folder = optarg;
        else if (option == 'c')
            job.authorities = optarg;
        else
            return usage(argv[0]);
    }
    job.urls = argv + optind;
    job.count = argc - optind;
    if (job.count < 1 || job.limit < 1 || job.timeout <= 0)
        return usage(argv[0]);
    if (curl_global_init(CURL_GLOBAL_DEFAULT)) /* once, before there is any thread */
        return 1;
    int code = thrum_run(app(&job));
    curl_global_cleanup();
    return code;
}
