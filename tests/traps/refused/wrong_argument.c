// A call with an argument of the wrong type.
// flags: -Werror
// error gcc: :14:\d+: error: passing argument 1 of .child. makes pointer from integer
// error clang: :14:\d+: error: incompatible integer to pointer conversion passing 'int' to parameter of type 'const char \*'
#include "../trap.h"
ASYNC(child, ARGS((const char *, name)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    ASYNC_END;
}
ASYNC(f, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(child(5));
    ASYNC_END;
}
