// An await in a plain function.
// error gcc: undeclared
// error clang: :8:5: error: use of undeclared identifier
#include "../trap.h"
int f(void);
int f(void)
{
    AWAIT(work(1));
    return 0;
}
