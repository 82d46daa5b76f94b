#ifndef TASK_H
#define TASK_H

#include <FreeRTOS.h>

struct tskTaskControlBlock;
typedef struct tskTaskControlBlock *TaskHandle_t;

TaskHandle_t xTaskGetCurrentTaskHandle(void);
TickType_t xTaskGetTickCount(void);
TickType_t xTaskGetTickCountFromISR(void);
void stub_enter(void);
void stub_exit(void);
UBaseType_t stub_enter_from_isr(void);
void stub_exit_from_isr(UBaseType_t mask);
#define taskENTER_CRITICAL() stub_enter()
#define taskEXIT_CRITICAL() stub_exit()
#define taskENTER_CRITICAL_FROM_ISR() stub_enter_from_isr()
#define taskEXIT_CRITICAL_FROM_ISR(mask) stub_exit_from_isr(mask)
void stub_give(TaskHandle_t task);
#define xTaskNotifyGive(task) stub_give(task)
void vTaskNotifyGiveFromISR(TaskHandle_t task, BaseType_t *higher);
uint32_t ulTaskNotifyTake(BaseType_t clear, TickType_t most);

#endif
