// The same, unsigned.
// flags: -Werror
// error gcc: unsigned conversion from .long long int. to .unsigned int. changes value
// error clang: overflow converting case value to switch condition type
#include "../trap.h"
ASYNC(f, ARGS((unsigned, a)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    switch (self->a) {
    case 1:
        AWAIT(work(1));
        break;
    }
    ASYNC_END;
}
