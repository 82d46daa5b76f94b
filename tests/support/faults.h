/* A fault layer under the sockets of a test: calls of the system that are short, refused for a moment, interrupted,
 * late or met by a broken connection, by seed; or the n-th of them, alone. The definitions in faults.c come before the
 * C library's, so the library under test is the one that ships, without a hook.
 *
 * Only the thread that called faults_begin() is disturbed, and of descriptors only those that were made meanwhile
 * (sockets, pipes, accepted connections) and the poll itself. One seed draws the same faults for the same calls; which
 * calls there are also depends on what the kernel delivers when. */
#ifndef THRUM_TEST_FAULTS_H
#define THRUM_TEST_FAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a call may meet. The first four lose nothing: whoever bears them moves every byte. */
enum {
    FAULT_SHORT = 1,       /* fewer bytes or messages than there are */
    FAULT_AGAIN = 2,       /* EAGAIN, though there is something */
    FAULT_INTERRUPTED = 4, /* EINTR; a connect() goes on by itself, as the system has it */
    FAULT_LATE = 8,        /* the poll keeps events back: they come with the next one */
    FAULT_BROKEN = 16,     /* the connection is reset, for the peer too; a connect() or a datagram is refused */
    FAULT_REFUSED = 32,    /* no descriptors, no memory, an address in use: what else the system says no with */
    FAULT_UNWATCHED = 64,  /* the system has no memory to watch a descriptor, this time */
    FAULTS_SOFT = FAULT_SHORT | FAULT_AGAIN | FAULT_INTERRUPTED | FAULT_LATE,
    FAULTS_HARD = FAULT_BROKEN | FAULT_REFUSED
};

typedef struct fault_plan {
    uint64_t seed;
    unsigned kinds;   /* which of them */
    unsigned one_in;  /* of so many calls one is disturbed; 0: the `nth` alone */
    long nth;         /* counted from 0 */
    bool narrow;      /* Unix sockets hold a few kilobytes, so that whoever sends has to wait */
    bool closes_fail; /* close() closes and says EIO, as it may */
} fault_plan;

typedef struct fault_counts {
    long calls;      /* that could be disturbed */
    long disturbed;  /* that were */
    long hard;       /* of them, those that a program cannot make good */
    long bad_closes; /* of descriptors that were not open: a second close of the first owner's */
} fault_counts;

extern fault_counts faults;

void faults_begin(const fault_plan *plan);

/* Every call goes through again; `faults` stays to be looked at. */
void faults_end(void);

/* 0 to below `count`, by the seed of the plan, but of a row of its own: for what the test itself chooses. */
size_t faults_choose(size_t count);

#endif
