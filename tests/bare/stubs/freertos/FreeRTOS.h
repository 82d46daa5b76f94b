/* Of FreeRTOS what lib/loop/bare/port_freertos.c needs, with its types (kernel 10 and 11, 32-bit ticks). */
#ifndef FREERTOS_H
#define FREERTOS_H

#include <stdint.h>

typedef uint32_t TickType_t;
typedef long BaseType_t;
typedef unsigned long UBaseType_t;

#define configTICK_RATE_HZ ((TickType_t)1000)
#define pdFALSE ((BaseType_t)0)
#define pdTRUE ((BaseType_t)1)
#define portMAX_DELAY ((TickType_t)0xffffffffUL)
#define portYIELD_FROM_ISR(higher) stub_yield(higher)

void stub_yield(BaseType_t higher);
BaseType_t xPortIsInsideInterrupt(void);

#endif
