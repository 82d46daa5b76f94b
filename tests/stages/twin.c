/* One of the two sources with the same names that tests/stages/twofiles puts into a copy of the tree. */
#include <thrum/async.h>
#include <thrum/tasks.h>

#define SIDE(x) (2 * (x))
enum { BITS = 3, MASK = (1 << BITS) - 1 };
enum shade { LIGHT, DARK };

typedef struct pair {
    int first, sum, BITS_used;
    struct pair *pair;
    int (*add)(const struct pair *of, int sum);
    unsigned rows[BITS];
} pair;

union word {
    int whole;
    char part[MASK];
};

typedef int number;

static number total, counts[BITS] = {1, [2] = MASK};
static const char *const name = "total of a pair /* no comment */";
static int add(const pair *of, int sum);

static const pair zero = {.first = 0, .sum = MASK, .add = add};

static int add(const pair *of, int sum)
{
    total = of->first + sum;
    return total;
}

static enum shade shade(const pair *of)
{
    return of->sum > BITS ? LIGHT : DARK;
}

int thrum_castor_sum(int first);
int thrum_pollux_sum(int first);
thrum_awaitable thrum_TWIN_wait(void);

static ASYNC(wait_of_TWIN, ARGS_NONE, LOCALS(int sum;))
{
    ASYNC_BEGIN;
    self->sum = thrum_castor_sum(1) + thrum_pollux_sum(2);
    AWAIT(thrum_yield());
    ASYNC_RETURN(self->sum);
    ASYNC_END;
}

int thrum_TWIN_sum(int first)
{
    pair one = zero;
    union word word = {.whole = first};
    one.first = SIDE(word.whole);
    one.sum = counts[0] + (int)sizeof one.rows;
    if (one.first == 0)
        goto total;
    return one.add(&one, one.sum);
total:
    return shade(&one) == LIGHT ? name[0] : add(&one, 0);
}

thrum_awaitable thrum_TWIN_wait(void)
{
    return wait_of_TWIN();
}
