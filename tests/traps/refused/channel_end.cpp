// An end that is not of the channel's type.
// error g++: the channel has items of another type
// error clang++: the channel has items of another type
#include "../trap.h"
struct job {
    int a;
};
int open_it(void)
{
    static CHANNEL_OF(struct job, 4) jobs;
    static SENDER_OF(struct job) out;
    static RECEIVER_OF(long) in;
    return CHANNEL_INIT(&jobs, &out, &in);
}
