/* TLS under the fault layer: as faults.c. */
#include "faulty.h"
#include "tls_support.h"

/* By seed, or with each call in turn. */
static void with_contexts(conversation *what, unsigned seeds)
{
    thrum_tls_context *ours = client_context(), *theirs = server_of(localhost());
    if (seeds)
        faulty_seeds(what, ours, theirs, seeds);
    else
        faulty_nth(what, ours, theirs);
    thrum_tls_context_release(ours);
    thrum_tls_context_release(theirs);
}

TEST_LIMIT(faults_tls, streams, 600)
{
    with_contexts(stream_talk, 60);
}

TEST_LIMIT(faults_tls, transports, 600)
{
    with_contexts(transport_talk, 60);
}

TEST_LIMIT(faults_tls, nth_of_streams, 600)
{
    with_contexts(stream_talk, 0);
}

TEST_LIMIT(faults_tls, nth_of_transports, 600)
{
    with_contexts(transport_talk, 0);
}
