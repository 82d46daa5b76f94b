/* What each file of a program of tests sees first (main.c). Where the clock of sim.h begins is one of its arguments. */
#ifndef TARGETS_CLOCK_H
#define TARGETS_CLOCK_H

extern unsigned long test_clock;
#define SIM_START ((thrum_time)test_clock)

/* avr-libc's malloc aligns nothing, and blocks of a pool have to lie at multiples of 4: they do when its heap begins
 * two bytes, its own word for a block, in front of one (main.c), and each block takes a multiple with that word. */
#if defined(__AVR__)
#include <stdlib.h>
#define TEST_CHUNK(size) (((size) + 5u) / 4u * 4u - 2u)
#define malloc(size) malloc(TEST_CHUNK(size))
#define calloc(count, size) calloc(1, TEST_CHUNK((count) * (size)))
#endif

#endif
