/* A program outside the tree. It is built as C and as C++, against the static and the shared library. */
#include <stdio.h>
#include <string.h>

#include <thrum/version.h>

int main(void)
{
    printf("thrum %s\n", thrum_version());
    return strcmp(thrum_version(), THRUM_VERSION_STRING) != 0;
}
