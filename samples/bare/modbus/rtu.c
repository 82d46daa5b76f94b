#include "rtu.h"

enum {
    READ_COILS = 1,
    READ_INPUTS,
    READ_HOLDING,
    READ_INPUT_REGISTERS,
    WRITE_COIL,
    WRITE_REGISTER,
    WRITE_COILS = 15,
    WRITE_REGISTERS
};
enum { ILLEGAL_FUNCTION = 1, ILLEGAL_ADDRESS, ILLEGAL_VALUE, DEVICE_FAILURE };

uint16_t rtu_checksum(const uint8_t *frame, size_t size)
{
    uint16_t checksum = 0xffff;
    while (size--) {
        checksum ^= *frame++;
        for (int bit = 0; bit < 8; bit++)
            checksum = (uint16_t)(checksum & 1 ? checksum >> 1 ^ 0xa001 : checksum >> 1);
    }
    return checksum;
}

static uint16_t get(const uint8_t *at)
{
    return (uint16_t)((unsigned)at[0] << 8 | at[1]);
}

static void put(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

/* Close a frame of so many bytes with its checksum. */
static size_t seal(uint8_t *frame, size_t size)
{
    uint16_t checksum = rtu_checksum(frame, size);
    frame[size] = (uint8_t)checksum;
    frame[size + 1] = (uint8_t)(checksum >> 8);
    return size + 2;
}

static size_t refuse(uint8_t *frame, uint8_t why)
{
    frame[1] |= 0x80;
    frame[2] = why;
    return seal(frame, 3);
}

static bool within(uint16_t first, uint16_t count, uint16_t all)
{
    return first < all && count <= all - first;
}

/* Bits, least first, eight a byte. */
static size_t read_bits(uint8_t *frame, const uint8_t *bits, uint16_t all)
{
    uint16_t first = get(frame + 2), count = get(frame + 4);
    if (count < 1 || count > 2000)
        return refuse(frame, ILLEGAL_VALUE);
    if (!within(first, count, all))
        return refuse(frame, ILLEGAL_ADDRESS);
    frame[2] = (uint8_t)((count + 7) / 8);
    for (uint16_t i = 0; i < frame[2]; i++)
        frame[3 + i] = 0;
    for (uint16_t i = 0; i < count; i++)
        frame[3 + i / 8] = (uint8_t)(frame[3 + i / 8] | (bits[first + i] & 1) << i % 8);
    return seal(frame, 3u + frame[2]);
}

static size_t read_registers(uint8_t *frame, const uint16_t *registers, uint16_t all)
{
    uint16_t first = get(frame + 2), count = get(frame + 4);
    if (count < 1 || count > 125)
        return refuse(frame, ILLEGAL_VALUE);
    if (!within(first, count, all))
        return refuse(frame, ILLEGAL_ADDRESS);
    frame[2] = (uint8_t)(2 * count);
    for (uint16_t i = 0; i < count; i++)
        put(frame + 3 + 2 * i, registers[first + i]);
    return seal(frame, 3u + frame[2]);
}

static bool driven(const rtu_device *device, uint16_t at, uint16_t value)
{
    return !device->drive || device->drive(at, value);
}

/* The answer to a write of one is the request itself. */
static size_t write_one(const rtu_device *device, uint8_t *frame, bool coil)
{
    uint16_t at = get(frame + 2), value = get(frame + 4);
    if (coil && value != 0 && value != 0xff00)
        return refuse(frame, ILLEGAL_VALUE);
    if (at >= (coil ? device->coil_count : device->holding_count))
        return refuse(frame, ILLEGAL_ADDRESS);
    if (!coil && !driven(device, at, value))
        return refuse(frame, DEVICE_FAILURE);
    if (coil)
        device->coils[at] = value != 0;
    else
        device->holding[at] = value;
    return seal(frame, 6);
}

/* That to a write of several is its head. */
static size_t write_several(const rtu_device *device, uint8_t *frame, size_t size, bool coils)
{
    uint16_t first = get(frame + 2), count = get(frame + 4);
    size_t bytes = coils ? (count + 7u) / 8 : 2u * count;
    if (count < 1 || count > (coils ? 0x7b0 : 0x7b) || frame[6] != bytes || size != 7 + bytes)
        return refuse(frame, ILLEGAL_VALUE);
    if (!within(first, count, coils ? device->coil_count : device->holding_count))
        return refuse(frame, ILLEGAL_ADDRESS);
    for (uint16_t i = 0; !coils && i < count; i++)
        if (!driven(device, (uint16_t)(first + i), get(frame + 7 + 2 * i)))
            return refuse(frame, DEVICE_FAILURE); /* all are as they were */
    for (uint16_t i = 0; i < count; i++)
        if (coils)
            device->coils[first + i] = frame[7 + i / 8] >> i % 8 & 1;
        else
            device->holding[first + i] = get(frame + 7 + 2 * i);
    return seal(frame, 6);
}

/* `size` is without the checksum. */
static size_t serve(const rtu_device *device, uint8_t *frame, size_t size)
{
    bool several = frame[1] == WRITE_COILS || frame[1] == WRITE_REGISTERS;
    switch (frame[1]) {
    case READ_COILS:
    case READ_INPUTS:
    case READ_HOLDING:
    case READ_INPUT_REGISTERS:
    case WRITE_COIL:
    case WRITE_REGISTER:
    case WRITE_COILS:
    case WRITE_REGISTERS:
        break;
    default:
        return refuse(frame, ILLEGAL_FUNCTION);
    }
    if (several ? size < 7 : size != 6)
        return refuse(frame, ILLEGAL_VALUE);
    switch (frame[1]) {
    case READ_COILS:
        return read_bits(frame, device->coils, device->coil_count);
    case READ_INPUTS:
        return read_bits(frame, device->inputs, device->input_count);
    case READ_HOLDING:
        return read_registers(frame, device->holding, device->holding_count);
    case READ_INPUT_REGISTERS:
        return read_registers(frame, device->input_registers, device->input_register_count);
    case WRITE_COIL:
    case WRITE_REGISTER:
        return write_one(device, frame, frame[1] == WRITE_COIL);
    default:
        return write_several(device, frame, size, frame[1] == WRITE_COILS);
    }
}

size_t rtu_serve(const rtu_device *device, uint8_t *frame, size_t size)
{
    if (size < 4 || size > RTU_LONGEST)
        return 0;
    if (rtu_checksum(frame, size - 2) != (uint16_t)(frame[size - 2] | (unsigned)frame[size - 1] << 8))
        return 0;
    if (frame[0] != device->address && frame[0] != RTU_BROADCAST)
        return 0;
    bool all = frame[0] == RTU_BROADCAST;
    if (all && frame[1] < WRITE_COIL)
        return 0; /* nobody answers to all, so nobody can be asked */
    size_t answer = serve(device, frame, size - 2);
    return all ? 0 : answer;
}
