/* A port for FreeRTOS: the loop is one task among others, which sleeps in a notification. Its interrupts are FreeRTOS'
 * own, and other tasks may post signals as interrupts do.
 *
 * Build thrum with THRUM_PORT_LOCKS=1, THRUM_PORT_WAKES=1 (CMake's THRUM_PORT=freertos says so) and
 * THRUM_TICKS_PER_SECOND=configTICK_RATE_HZ, and FreeRTOS with 32-bit ticks, for one core, on a port of its own that
 * has xPortIsInsideInterrupt(), as those for Cortex-M have. (ESP-IDF's takes a lock at each critical section.) The task
 * that calls thrum_run() keeps its notification (index 0) for the loop. Interrupts that post are of a priority from
 * which FreeRTOS may be called. */
#include <thrum/port.h>

#include <FreeRTOS.h>
#include <task.h>

_Static_assert(sizeof(TickType_t) == sizeof(thrum_time), "ticks of both are 32 bits");
_Static_assert(configTICK_RATE_HZ == THRUM_TICKS_PER_SECOND, "a tick is a tick");

static TaskHandle_t loop;
static bool armed;
static thrum_time alarm_at;

void thrum_port_open(void)
{
    loop = xTaskGetCurrentTaskHandle();
    armed = false;
}

thrum_time thrum_port_now(void)
{
    return xPortIsInsideInterrupt() ? xTaskGetTickCountFromISR() : xTaskGetTickCount();
}

uintptr_t thrum_port_lock(void)
{
    if (xPortIsInsideInterrupt())
        return (uintptr_t)taskENTER_CRITICAL_FROM_ISR();
    taskENTER_CRITICAL();
    return 0;
}

void thrum_port_unlock(uintptr_t token)
{
    if (xPortIsInsideInterrupt())
        taskEXIT_CRITICAL_FROM_ISR((UBaseType_t)token);
    else
        taskEXIT_CRITICAL();
}

/* A notification that comes before the loop sleeps stays, so none is missed. FreeRTOS switches tasks when the interrupt
 * or the critical section is over. */
void thrum_port_wake(void)
{
    if (!loop)
        return; /* it looks before it sleeps first */
    if (xPortIsInsideInterrupt()) {
        BaseType_t higher = pdFALSE;
        vTaskNotifyGiveFromISR(loop, &higher);
        portYIELD_FROM_ISR(higher);
    } else {
        xTaskNotifyGive(loop);
    }
}

void thrum_port_arm(thrum_time when)
{
    armed = true;
    alarm_at = when;
}

/* Entered in the critical section that thrum_port_lock() began: it is left for the sleep, since tasks cannot be
 * switched in one. */
void thrum_port_idle(void)
{
    TickType_t most = portMAX_DELAY;
    if (armed) {
        const int32_t left = (int32_t)(alarm_at - xTaskGetTickCount());
        most = left < 0 ? 0 : (TickType_t)left;
        armed = false;
    }
    taskEXIT_CRITICAL();
    ulTaskNotifyTake(pdTRUE, most);
    taskENTER_CRITICAL();
}

bool thrum_port_in_isr(void)
{
    return xPortIsInsideInterrupt() != pdFALSE;
}
