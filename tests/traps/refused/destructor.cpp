// A frame with a destructor.
// error g++: what an async function keeps in its frame must be trivial
// error clang++: what an async function keeps in its frame must be trivial
#include "../trap.h"
struct closer { ~closer() { use(1); } };
ASYNC(f, ARGS_NONE, LOCALS(closer last;))
{
    ASYNC_BEGIN;
    ASYNC_END;
}
