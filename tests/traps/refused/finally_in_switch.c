// FINALLY inside a switch.
// flags: -Werror
// error gcc: overflow in conversion from .long long int. to .int.
// error clang: overflow converting case value to switch condition type
#include "../trap.h"
ASYNC(f, ARGS((int, a)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    switch (self->a) {
    case 1:
        break;
    FINALLY:
        use(1);
    }
    ASYNC_END;
}
