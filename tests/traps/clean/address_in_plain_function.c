#include "../trap.h"
#include <thrum/runners.h>

/* The stack of main outlives thrum_run(). */
int main(void)
{
    char line[8];
    int n = thrum_run(read_some(line, sizeof line));
    show(line);
    return n;
}
