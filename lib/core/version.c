/* The version of the library that runs, and the symbol that carries its layout. */
#include <thrum/version.h>

const char THRUM_ABI_SYMBOL_[] = THRUM_VERSION_STRING;

const char *thrum_version(void)
{
    return THRUM_ABI_SYMBOL_;
}
