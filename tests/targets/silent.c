/* Nothing is timed, and only the clock's own interrupts come: it goes right all the same, round after round. */
#include <board.h>
#include <thrum.h>
#include <thrum/port.h>

static uint64_t memory[64];

#if defined(BOARD_AVR)
enum { SLEEPS = 40 };
static const uint32_t each = 0x8000ul / (F_CPU / 64 / THRUM_TICKS_PER_SECOND);
#else
enum { SLEEPS = 12 };
static const uint32_t each = 0x80000000ul / (BOARD_HZ / THRUM_TICKS_PER_SECOND);
#endif

int main(void)
{
    thrum_pool_use_memory(memory, sizeof memory);
    if (thrum_bare_open() != 0)
        return 2;
    thrum_bare_sleep(); /* from one interrupt of the clock to the next, which comes each half of a round */
    thrum_time before = thrum_port_now();
    for (int i = 0; i < SLEEPS; i++) {
        thrum_bare_sleep();
        (void)thrum_bare_step();
    }
    uint32_t passed = thrum_port_now() - before;
    board_put_number(passed);
    board_put(" ticks\n");
    thrum_bare_close();
    return passed >= each * SLEEPS - 2 && passed <= each * SLEEPS + SLEEPS + 2 ? 0 : 1;
}
