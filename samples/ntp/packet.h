/* NTP messages (RFC 5905) as bytes, as far as a client that only asks (SNTP) needs them. Plain functions. */
#ifndef NTP_PACKET_H
#define NTP_PACKET_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum { NTP_PACKET = 48 };

/* A point in time: seconds since 1900 and, in the lower half, 2^-32 of them. It goes round in 2036, so that only
 * differences count. */
typedef uint64_t ntp_time;

ntp_time ntp_time_of(struct timespec when);
double ntp_seconds(int64_t difference);

typedef enum ntp_verdict {
    NTP_GOOD,
    NTP_FOREIGN,        /* no answer to this question: whoever waits, waits on */
    NTP_UNSYNCHRONISED, /* the server does not know the time itself */
    NTP_GO_AWAY         /* it wants to be left alone, for the reason in `reference` */
} ntp_verdict;

struct ntp_answer {
    ntp_time received, sent; /* by the server's clock */
    int stratum;             /* 1: it has a clock that is right by itself; else one more than the server it asks */
    char reference[5];       /* which clock that is, or why it does not answer: four letters */
};

/* Write a question. Servers give the cookie back; it stands where the time of asking may stand, which is nobody's
 * business. */
void ntp_write_question(unsigned char to[NTP_PACKET], uint64_t cookie);

ntp_verdict ntp_read_answer(struct ntp_answer *answer, const unsigned char *bytes, size_t size, uint64_t cookie);

/* How far the server's clock is ahead of ours, and how long question and answer were under way. The way there and the
 * way back are taken to be equally long: the offset is wrong by half of the delay at most. */
double ntp_offset(const struct ntp_answer *answer, ntp_time asked, ntp_time heard);
double ntp_delay(const struct ntp_answer *answer, ntp_time asked, ntp_time heard);

#endif
