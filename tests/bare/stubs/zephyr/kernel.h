/* Of Zephyr what lib/loop/bare/port_zephyr.c needs, with its types (3.x, 64-bit timeouts). */
#ifndef ZEPHYR_KERNEL_H
#define ZEPHYR_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

#define CONFIG_SYS_CLOCK_TICKS_PER_SEC 1000
#define BUILD_ASSERT(condition, ...) _Static_assert(condition, "" __VA_ARGS__)

typedef struct k_timeout_t {
    int64_t ticks;
} k_timeout_t;
#define K_FOREVER ((k_timeout_t){-1})
#define K_TICKS(t) ((k_timeout_t){(t)})

struct k_sem {
    unsigned count, limit;
};
#define K_SEM_DEFINE(name, initial, most) static struct k_sem name = {initial, most}

int64_t k_uptime_ticks(void);
void k_sem_give(struct k_sem *sem);
int k_sem_take(struct k_sem *sem, k_timeout_t most);
unsigned int irq_lock(void);
void irq_unlock(unsigned int key);
bool k_is_in_isr(void);

#endif
