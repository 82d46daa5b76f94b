#include "../trap.h"

/* Function pointers and arrays come by typedef; structs and pointers of every kind come as they are. */
typedef int operation(int);
typedef int (*operation_pointer)(int);
typedef int four[4];
typedef char eight[8];
struct pair {
    int a, b;
};

ASYNC(arguments,
      ARGS((int, limit), (pair, pair_), (operation *, by_type), (operation_pointer, by_pointer),
           (const char *, name), (unsigned long long, wide), (double, ratio), (bool, flag), (const void *, data),
           (four, numbers), (eight, label)),
      LOCALS(int sum;))
{
    ASYNC_BEGIN;
    AWAIT(work(self->limit + self->pair_.a + self->by_type(1) + self->by_pointer(2)));
    show(self->name);
    show(self->label);
    use(self->numbers[3]);
    if (self->flag && self->ratio > 0.5 && self->data)
        ASYNC_RETURN(static_cast<thrum_value>(self->wide));
    ASYNC_END;
}
