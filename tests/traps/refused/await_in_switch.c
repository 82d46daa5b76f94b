// An await inside a switch on an int.
// flags: -Werror
// error gcc: overflow in conversion from .long long int. to .int.
// error clang: overflow converting case value to switch condition type .*-Wswitch
#include "../trap.h"
ASYNC(f, ARGS((int, a)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    switch (self->a) {
    case 1:
        AWAIT(work(1));
        break;
    default:
        break;
    }
    ASYNC_END;
}
