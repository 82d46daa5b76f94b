/* From an interrupt to the task that waits for it: how many instructions that takes, the plugin counts
 * (tests/targets/plugin.c) between the first one of the handler and the labels below. The processor sleeps when the
 * interrupt comes. First the task waits for the signal itself, then for an event that the signal sets. */
#include <board.h>
#include <thrum.h>

enum { ROUNDS = 9 };

static uint64_t memory[64];
static thrum_event event = THRUM_EVENT_INIT;

static void set(thrum_signal *signal, unsigned count)
{
    (void)count;
    thrum_event_set((thrum_event *)signal->context);
}

static thrum_signal awaited = THRUM_SIGNAL_INIT, calling = THRUM_SIGNAL_CALLING(set, &event);
static thrum_signal *volatile posted = &awaited;

#define WORD(at) (*(volatile uint32_t *)(at))

/* The timer that the port leaves free. */
#if defined(BOARD_MICROBIT)
static void arm(uint32_t counts)
{
    WORD(BOARD_TIMER + 0x508) = 3;       /* 32 bits */
    WORD(BOARD_TIMER + 0x510) = 0;       /* 16 MHz */
    WORD(BOARD_TIMER + 0x304) = 1 << 16; /* interrupt */
    WORD(BOARD_TIMER + 0x00c) = 1;       /* from 0 on */
    WORD(BOARD_TIMER + 0x540) = counts;
    WORD(BOARD_TIMER) = 1;
    board_irq_on(BOARD_TIMER_LINE);
}

void BOARD_TIMER_HANDLER(void);
void BOARD_TIMER_HANDLER(void)
{
    WORD(BOARD_TIMER + 0x140) = 0;
    thrum_signal_post_from_isr(posted);
}
#else
static void arm(uint32_t counts)
{
    WORD(0xe000e014) = counts; /* SysTick */
    WORD(0xe000e018) = 0;
    WORD(0xe000e010) = 7;
}

void SysTick_Handler(void);
void SysTick_Handler(void)
{
    WORD(0xe000e010) = 0;
    thrum_signal_post_from_isr(posted);
}
#endif

static ASYNC(waits, ARGS_NONE, LOCALS(unsigned count; int i;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < ROUNDS; self->i++) {
        arm(20000);
        AWAIT_INTO(self->count, thrum_signal_wait(&awaited));
        __asm volatile("after_signal:");
    }
    posted = &calling;
    for (self->i = 0; self->i < ROUNDS; self->i++) {
        arm(20000);
        AWAIT(thrum_event_wait(&event));
        __asm volatile("after_event:");
        thrum_event_clear(&event);
    }
    ASYNC_END;
}

int main(void)
{
    thrum_pool_use_memory(memory, sizeof memory);
    return thrum_run(waits());
}
