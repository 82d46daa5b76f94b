#include "machine.h"

#include <thrum/port.h>

enum { SCRIPTED = 8 };

static struct {
    thrum_time when;
    void (*serve)(void);
} script[SCRIPTED];
static unsigned scripted, masks, unmask_in;
static void (*at_unmask)(void);
static thrum_time now, alarm_at;
static bool armed, serving;
unsigned machine_sleeps;
const char *machine_panicked;
jmp_buf machine_panic;

void machine_set_clock(thrum_time time)
{
    now = time;
}

void machine_memory(size_t size)
{
    static uint64_t memory[4096];
    CHECK_LE(size, sizeof memory);
    CHECK_EQ(thrum_pool_use_memory(memory, size), 0);
}

void machine_interrupt(void (*serve)(void))
{
    CHECK_EQ(masks, 0);
    serving = true;
    serve();
    serving = false;
}

void machine_interrupt_at(thrum_time when, void (*serve)(void))
{
    CHECK_LT(scripted, SCRIPTED);
    script[scripted].when = when;
    script[scripted++].serve = serve;
}

void machine_interrupt_after_masks(unsigned n, void (*serve)(void))
{
    unmask_in = n;
    at_unmask = serve;
}

/* ---- the port ---- */

void thrum_port_open(void) {}

thrum_time thrum_port_now(void)
{
    return now;
}

void thrum_port_arm(thrum_time when)
{
    CHECK_GT(masks, 0);
    armed = true;
    alarm_at = when;
}

uintptr_t thrum_port_lock(void)
{
    return masks++;
}

void thrum_port_unlock(uintptr_t token)
{
    masks = (unsigned)token;
    if (masks == 0 && !serving && unmask_in && --unmask_in == 0)
        machine_interrupt(at_unmask);
}

static bool before(thrum_time a, thrum_time b)
{
    return (int32_t)(a - b) < 0;
}

/* The clock jumps to what comes first; what is pending is served when the mask opens, which is here as good as
 * there. */
void thrum_port_idle(void)
{
    unsigned first = SCRIPTED, held = masks;
    machine_sleeps++;
    CHECK_EQ(masks, 1);
    for (unsigned i = 0; i < SCRIPTED; i++)
        if (script[i].serve && (first == SCRIPTED || before(script[i].when, script[first].when)))
            first = i;
    bool interrupt = first < SCRIPTED && (!armed || !before(alarm_at, script[first].when));
    if (!interrupt && !armed)
        FAIL("the machine sleeps for ever");
    thrum_time until = interrupt ? script[first].when : alarm_at;
    if (before(now, until))
        now = until;
    if (!interrupt) {
        armed = false;
        return;
    }
    void (*serve)(void) = script[first].serve;
    script[first].serve = NULL;
    scripted--;
    script[first] = script[scripted];
    script[scripted].serve = NULL;
    masks = 0;
    machine_interrupt(serve);
    masks = held;
}

bool thrum_port_in_isr(void)
{
    return serving;
}

void thrum_port_panic(const char *what, const char *function, uint32_t line)
{
    (void)function;
    (void)line;
    machine_panicked = what;
    longjmp(machine_panic, 1);
}
