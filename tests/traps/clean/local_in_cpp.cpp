#include "../trap.h"

void reset(int &number);

ASYNC(in_cpp, ARGS((const int *, from)), LOCALS(int numbers[3]; int n;))
{
    ASYNC_BEGIN;
    {
        int total = 0;
        for (int number : self->numbers)
            total += number;
        auto twice = [total](int more) { return 2 * total + more; };
        use(twice(1));
    }
    AWAIT_INTO(self->n, work(1));
    {
        int number;
        reset(number);
        use(number);
    }
    ASYNC_END;
}
