/* A machine without hardware: its clock moves only in thrum_port_idle(), and interrupts come when a test says so. */
#ifndef THRUM_TEST_MACHINE_H
#define THRUM_TEST_MACHINE_H

#include <test.h>
#include <thrum.h>

/* Call `serve` as an interrupt: at a time of the clock (while the machine sleeps), or right now. Masked code is never
 * interrupted. */
void machine_interrupt_at(thrum_time when, void (*serve)(void));
void machine_interrupt(void (*serve)(void));

/* The same in the middle of the masks that the loop takes: when it opens the n-th one from now (1 is the next). */
void machine_interrupt_after_masks(unsigned n, void (*serve)(void));

/* Move the clock. */
void machine_set_clock(thrum_time now);

extern unsigned machine_sleeps;      /* calls of thrum_port_idle() */
extern const char *machine_panicked; /* what thrum_port_panic() was told */

/* Where thrum_port_panic() goes on: `if (setjmp(machine_panic) == 0) { ... }` */
#include <setjmp.h>
extern jmp_buf machine_panic;

/* Memory for the pool of this test's program. */
void machine_memory(size_t size);

#endif
