/* Numbers that follow a seed. */
#ifndef THRUM_TESTING_RANDOM_H
#define THRUM_TESTING_RANDOM_H

#include <stdint.h>

/* splitmix64 */
static inline uint64_t random_next(uint64_t *seed)
{
    uint64_t mixed = *seed += 0x9e3779b97f4a7c15u;
    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebu;
    return mixed ^ mixed >> 31;
}

/* From 0 up to, but without, `end`, which is not 0. */
static inline uint64_t random_below(uint64_t *seed, uint64_t end)
{
    return random_next(seed) % end;
}

#endif
