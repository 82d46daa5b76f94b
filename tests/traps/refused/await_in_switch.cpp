// An await inside a switch on an int.
// error g++: narrowing conversion of
// error clang++: case value .*cannot be narrowed to type
#include "../trap.h"
ASYNC(f, ARGS((int, a)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    switch (self->a) {
    case 1:
        AWAIT(work(1));
    }
    ASYNC_END;
}
