// A frame with a constructor.
// error g++: what an async function keeps in its frame must be trivial
// error clang++: what an async function keeps in its frame must be trivial
#include "../trap.h"
#include <string>
ASYNC(f, ARGS_NONE, LOCALS(std::string text;))
{
    ASYNC_BEGIN;
    ASYNC_END;
}
