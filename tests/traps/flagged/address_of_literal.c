#include "../trap.h"

ASYNC(literal, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(write_all((char[]){ 'a', 'b' }, 2)); // finds address-into-await: a compound literal
    ASYNC_END;
}
