/* Shuffle a list by a seed, without memory: a radix sort by random keys, which are drawn a bit at a time. */
#ifndef THRUM_LOOP_SHUFFLE_H
#define THRUM_LOOP_SHUFFLE_H

#include "core/state.h"

/* splitmix64 */
static inline uint64_t shuffle_next(uint64_t *seed)
{
    uint64_t mixed = *seed += 0x9e3779b97f4a7c15u;
    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebu;
    return mixed ^ mixed >> 31;
}

static inline void shuffle(thrum_node *list, uint64_t *seed)
{
    size_t count = 0;
    for (const thrum_node *node = list->next; node != list; node = node->next)
        count++;
    if (count < 2)
        return;
    /* Twice as many bits as the count has, and some: two keys are seldom the same. */
    for (size_t range = 1; range < count * 16; range *= 2) {
        for (int twice = 0; twice < 2; twice++) {
            thrum_node ones, rest;
            uint64_t bits = 0;
            size_t left = 0;
            list_init(&ones);
            list_init(&rest);
            list_splice(&rest, list);
            while (!list_empty(&rest)) {
                thrum_node *node = rest.next;
                list_remove(node);
                if (!left) {
                    bits = shuffle_next(seed);
                    left = 64;
                }
                list_append(bits & 1 ? &ones : list, node);
                bits >>= 1;
                left--;
            }
            list_splice(list, &ones);
        }
    }
    if (!*seed)
        *seed = 1;
}

#endif
