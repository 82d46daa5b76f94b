/* Modbus RTU, the part that is only bytes: checksums, requests and their answers. Nothing here waits. */
#ifndef RTU_H
#define RTU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RTU_LONGEST = 256, RTU_BROADCAST = 0 };

/* What a device offers. Addresses count from 0. */
typedef struct rtu_device {
    uint8_t address; /* 1 to 247 */
    uint8_t *coils;  /* one a byte, 0 or 1 */
    const uint8_t *inputs;
    uint16_t *holding;
    const uint16_t *input_registers;
    uint16_t coil_count, input_count, holding_count, input_register_count;
    bool (*drive)(uint16_t at, uint16_t value); /* before a register is written, or NULL; false: the hardware cannot */
} rtu_device;

/* The checksum of a frame without its last two bytes, which hold it, low byte first. */
uint16_t rtu_checksum(const uint8_t *frame, size_t size);

/* Serve a frame, checksum and all, and put the answer in its place (RTU_LONGEST bytes of room). Gives the answer's
 * size; 0 where none is sent: for another device, for all of them, or broken. */
size_t rtu_serve(const rtu_device *device, uint8_t *frame, size_t size);

#endif
