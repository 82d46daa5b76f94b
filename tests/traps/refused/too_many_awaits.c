// More awaits in one function than labels have room for. The list counts as 65,536 of them.
// error gcc: too many awaits in one async function
// error clang: too many awaits in one async function
#include "../trap.h"
#define EIGHT __COUNTER__, __COUNTER__, __COUNTER__, __COUNTER__, __COUNTER__, __COUNTER__, __COUNTER__, __COUNTER__
#define MANY EIGHT, EIGHT, EIGHT, EIGHT, EIGHT, EIGHT, EIGHT, EIGHT
#define MORE MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY
#define HUGE MORE, MORE, MORE, MORE, MORE, MORE, MORE, MORE
#define ALL HUGE, HUGE, HUGE, HUGE, HUGE, HUGE, HUGE, HUGE, HUGE, HUGE, HUGE, HUGE, HUGE, HUGE, HUGE, HUGE
ASYNC(f, ARGS_NONE, LOCALS_NONE)
{
    static const int counted[] = { ALL };
    ASYNC_BEGIN;
    use(counted[0]);
    {
        static const int again[] = { ALL };
        AWAIT(work(again[0]));
    }
    ASYNC_END;
}
