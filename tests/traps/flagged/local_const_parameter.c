#include "../trap.h"

struct config {
    int size;
};
int apply(const struct config *config);

/* A function that takes a pointer to const reads what it points to. */
ASYNC(configured, ARGS_NONE, LOCALS_NONE)
{
    struct config config;
    ASYNC_BEGIN;
    config.size = 3;
    AWAIT(work(apply(&config)));
    use(apply(&config)); // finds local-across-await: 'config'
    ASYNC_END;
}
