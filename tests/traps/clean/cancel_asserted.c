#include "../trap.h"

/* What an assertion does: compare copies, and stop when a flag that is known to be false is false. */
#define ASSERT_EQ(a, b) \
    do { \
        const long long is_ = (a), wanted_ = (b); \
        if (!(is_ == wanted_)) { \
            bool passed_ = !!(0); \
            if (!passed_) \
                show(#a); \
            if (!passed_) \
                __builtin_trap(); \
        } \
    } while (0)

ASYNC(asserted, ARGS_NONE, LOCALS(int error;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH_ALL(self->error, work(3));
    ASSERT_EQ(self->error, 0);
    AWAIT_CATCH_ALL(self->error, work(4));
    ASSERT_EQ(self->error, THRUM_ETIMEDOUT);
    ASYNC_END;
}
