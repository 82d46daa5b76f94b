#include "packet.h"

#include <ctype.h>
#include <string.h>

enum { VERSION = 4, CLIENT = 3, SERVER = 4, UNSYNCHRONISED = 3, STRATUM_MOST = 15 };
enum { AT_STRATUM = 1, AT_REFERENCE = 12, AT_ORIGIN = 24, AT_RECEIVED = 32, AT_SENT = 40 };

static const uint64_t from_1900_to_1970 = 2208988800;

static uint64_t get64(const unsigned char *at)
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++)
        value = value << 8 | at[i];
    return value;
}

ntp_time ntp_time_of(struct timespec when)
{
    return ((uint64_t)when.tv_sec + from_1900_to_1970) << 32 | ((uint64_t)when.tv_nsec << 32) / 1000000000;
}

double ntp_seconds(int64_t difference)
{
    return (double)difference / 4294967296.0;
}

void ntp_write_question(unsigned char to[NTP_PACKET], uint64_t cookie)
{
    memset(to, 0, NTP_PACKET);
    to[0] = VERSION << 3 | CLIENT;
    for (int i = 0; i < 8; i++)
        to[AT_SENT + i] = (unsigned char)(cookie >> (56 - 8 * i));
}

ntp_verdict ntp_read_answer(struct ntp_answer *answer, const unsigned char *bytes, size_t size, uint64_t cookie)
{
    if (size < NTP_PACKET || (bytes[0] & 7) != SERVER || get64(bytes + AT_ORIGIN) != cookie)
        return NTP_FOREIGN;
    answer->stratum = bytes[AT_STRATUM];
    answer->received = get64(bytes + AT_RECEIVED);
    answer->sent = get64(bytes + AT_SENT);
    memset(answer->reference, 0, sizeof answer->reference);
    for (int i = 0; i < 4 && isgraph(bytes[AT_REFERENCE + i]); i++)
        answer->reference[i] = (char)bytes[AT_REFERENCE + i];
    if (answer->stratum == 0)
        return NTP_GO_AWAY;
    return bytes[0] >> 6 == UNSYNCHRONISED || answer->stratum > STRATUM_MOST || !answer->sent ? NTP_UNSYNCHRONISED
                                                                                              : NTP_GOOD;
}

double ntp_offset(const struct ntp_answer *answer, ntp_time asked, ntp_time heard)
{
    return (ntp_seconds((int64_t)(answer->received - asked)) + ntp_seconds((int64_t)(answer->sent - heard))) / 2;
}

double ntp_delay(const struct ntp_answer *answer, ntp_time asked, ntp_time heard)
{
    return ntp_seconds((int64_t)(heard - asked)) - ntp_seconds((int64_t)(answer->sent - answer->received));
}
