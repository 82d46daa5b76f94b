// The same on a character.
// flags: -Werror
// error gcc: overflow in conversion from .long long int. to .int.
// error clang: overflow converting case value to switch condition type
#include "../trap.h"
ASYNC(f, ARGS((unsigned char, a)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    switch (self->a) {
    case 'x':
        AWAIT(work(1));
        break;
    }
    ASYNC_END;
}
