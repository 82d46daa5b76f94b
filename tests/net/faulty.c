/* The seeds of the fault layer, and what must hold after each. */
#include "faulty.h"

#include <limits.h>

#include <thrum/testing.h>

static struct {
    fault_plan plan;
    talk *about;
    conversation *what;
    bool failed; /* the last one */
} now;

void faulty_fail(const char *what, long long value)
{
    static char text[300];
    faults_end();
    snprintf(text, sizeof text, "seed %llu, kinds %u, call %ld: %s: %lld", (unsigned long long)now.plan.seed,
             now.plan.kinds, now.plan.one_in ? -1 : now.plan.nth, what, value);
    FAIL(text);
}

bool faulty_expected(int error)
{
    switch (error) {
    case 0:
    case -ECONNRESET:
    case -EPIPE:
    case -ECONNREFUSED:
    case -ECONNABORTED:
    case -ENOTCONN:
    case -ENETUNREACH:
    case -EADDRINUSE:
    case -EMFILE:
    case -ENOBUFS:
    case -EAGAIN:
    case THRUM_ETRUNCATED:
    case THRUM_EINCOMPLETE:
    case THRUM_ECLOSED:
    case THRUM_ETLS:
        return true;
    default:
        return false;
    }
}

static unsigned number_of(const char *name, unsigned otherwise)
{
    const char *text = getenv(name);
    return text ? (unsigned)strtoul(text, NULL, 10) : otherwise;
}

static unsigned how_many(unsigned otherwise)
{
    return number_of("TEST_SEEDS", THRUM_TEST_SCALE > 1 ? otherwise / 2 : otherwise);
}

static thrum_awaitable program(void *context)
{
    (void)context;
    return now.what(now.about);
}

static void nobody(void *context, const char *line)
{
    (void)context;
    fprintf(stderr, "seed %llu: %s\n", (unsigned long long)now.plan.seed, line);
}

/* One conversation. The loop is made and closed under the faults, too. */
static void converse(void)
{
    const thrum_test_options options = {.size = sizeof options,
                                        .backend = THRUM_BACKEND_LIBEV,
                                        .most_time = SECONDS(8 * THRUM_TEST_SCALE),
                                        .errors_may_be_reported = true,
                                        .put = nobody};
    thrum_test_result result;
    int before = count_descriptors();
    now.about->parted = false;
    faults_begin(&now.plan);
    int error = thrum_test_run_program(program, NULL, &options, &result);
    faults_end();
    now.failed = error != 0;
    EXPECT(result.failures == 0 || (result.failures == 1 && result.error), result.failures);
    EXPECT(faults.bad_closes == 0, faults.bad_closes);
    EXPECT(count_descriptors() == before, count_descriptors() - before);
    if (!faults.hard && !now.about->parted)
        EXPECT(!error, error);
    EXPECT(faulty_expected(error), error);
}

void faulty_seeds(conversation *what, thrum_tls_context *ours, thrum_tls_context *theirs, unsigned seeds)
{
    talk about = {.ours = ours, .theirs = theirs};
    unsigned first = number_of("TEST_FIRST_SEED", 1), count = how_many(seeds);
    long disturbed = 0, hard = 0;
    unsigned failed = 0, parted = 0;
    now.what = what;
    now.about = &about;
    for (unsigned seed = first; seed < first + count; seed++) {
        now.plan = (fault_plan){.seed = seed,
                                .kinds = FAULTS_SOFT,
                                .one_in = 1u << (1 + seed / 2 % 4),
                                .narrow = seed / 8 % 2,
                                .closes_fail = seed / 16 % 2};
        if (seed & 1) {
            now.plan.kinds |= FAULT_BROKEN | (seed & 2 ? FAULT_REFUSED : 0);
            now.plan.one_in = 1u << (2 + seed / 4 % 5);
        }
        converse();
        disturbed += faults.disturbed;
        hard += faults.hard;
        failed += now.failed;
        parted += about.parted;
    }
    if (getenv("TEST_SHOW"))
        fprintf(stderr, "%u seeds: %ld calls disturbed, %ld of them hard; %u ended by an error, %u were left early\n",
                count, disturbed, hard, failed, parted);
    if (count < 20)
        return;
    CHECK_GT(disturbed, count);
    CHECK_GT(hard, count / 10);
}

void faulty_nth(conversation *what, thrum_tls_context *ours, thrum_tls_context *theirs)
{
    static const unsigned kinds[] = {FAULTS_SOFT, FAULT_BROKEN, FAULT_REFUSED, FAULT_UNWATCHED};
    /* Streams are cut short over a Unix socket; then whole over TCP, where TLS comes later. */
    static const unsigned seeds[] = {4, 23};
    talk about = {.ours = ours, .theirs = theirs};
    unsigned most = number_of("TEST_SEEDS", THRUM_TEST_SCALE > 1 ? 20 : UINT_MAX);
    now.what = what;
    now.about = &about;
    for (size_t i = 0; i < 2 * sizeof kinds / sizeof kinds[0]; i++) {
        unsigned n = 0;
        do {
            now.plan = (fault_plan){.seed = seeds[i % 2], .kinds = kinds[i / 2], .nth = (long)n};
            converse();
        } while (++n < most && faults.calls >= (long)n);
        CHECK_GT(n, 10);
    }
}
