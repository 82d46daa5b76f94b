/* The Modbus device of the samples in virtual time: how long a line may be silent within a frame, when it is answered,
 * and what the hardware refuses. tests/targets has it talk with real clients. */
#include "machine.h"

#include <thrum/port.h>
#include <thrum/serial.h>

#define main modbus_main
int modbus_main(void);
#include "../../samples/bare/modbus/main.c"
#undef main

/* ---- the line: a byte a tick, where a test does not say otherwise ---- */

enum { BEFORE = 20 }; /* ticks of silence before each frame, and before the line is gone */

static struct {
    uint8_t byte;
    thrum_time gap; /* ticks since the one before */
} spoken[256];
static size_t spoken_count, spoken_at;
static uint8_t sent[256];
static size_t sent_count;
static thrum_time last_heard, first_sent;
static bool sending;

static void sends(thrum_stream *stream);
static const thrum_serial_driver wire = {sends, NULL, NULL};
THRUM_SERIAL(wired, &wire, NULL, 64, 64);

static void byte_has_left(void)
{
    int byte = thrum_serial_next_from_isr(&wired);
    sending = byte >= 0;
    if (!sending)
        return;
    CHECK_LT(sent_count, sizeof sent);
    if (!sent_count)
        first_sent = thrum_port_now();
    sent[sent_count++] = (uint8_t)byte;
    machine_interrupt_at(thrum_port_now() + 1, byte_has_left);
}

static void sends(thrum_stream *stream)
{
    (void)stream;
    if (!sending) {
        sending = true;
        machine_interrupt_at(thrum_port_now() + 1, byte_has_left);
    }
}

static void line_is_gone(void)
{
    thrum_serial_ended_from_isr(&wired, 0);
}

static void byte_has_come(void)
{
    last_heard = thrum_port_now();
    (void)thrum_serial_received_from_isr(&wired, spoken[spoken_at++].byte);
    if (spoken_at < spoken_count)
        machine_interrupt_at(last_heard + spoken[spoken_at].gap, byte_has_come);
    else
        machine_interrupt_at(last_heard + BEFORE, line_is_gone);
}

thrum_stream *console_open(void)
{
    machine_interrupt_at(thrum_port_now() + spoken[0].gap, byte_has_come);
    return &wired;
}

/* A frame without its checksum; the byte at `late` comes after `gap`. */
static void says(const uint8_t *frame, size_t size, size_t late, thrum_time gap)
{
    const uint16_t checksum = rtu_checksum(frame, size);
    for (size_t i = 0; i < size + 2; i++) {
        CHECK_LT(spoken_count, sizeof spoken / sizeof *spoken);
        spoken[spoken_count].byte = i < size ? frame[i] : (uint8_t)(i == size ? checksum & 0xff : checksum >> 8);
        spoken[spoken_count++].gap = i == 0 ? BEFORE : i == late ? gap : 1;
    }
}

static void begin(void)
{
    static uint8_t input[65], output[65];
    static bool again;
    if (again)
        thrum_serial_init(&wired, &wire, NULL, input, sizeof input, output, sizeof output);
    again = true;
    machine_set_clock(0);
    memset(holding, 0, sizeof holding);
    spoken_count = spoken_at = sent_count = 0;
}

static void check_sent(const uint8_t *frame, size_t size, size_t *at)
{
    const uint16_t checksum = rtu_checksum(frame, size);
    CHECK_LE(*at + size + 2, sent_count);
    CHECK(memcmp(sent + *at, frame, size) == 0);
    CHECK_EQ(sent[*at + size] | sent[*at + size + 1] << 8, checksum);
    *at += size + 2;
}

static const uint8_t write_3[] = {ADDRESS, 6, 0, 3, 0x12, 0x34}, write_4[] = {ADDRESS, 6, 0, 4, 0x56, 0x78};

/* Wherever in a frame the line pauses: for less than the silence it is one frame, for more it is two halves, which are
 * nothing. What comes behind is answered all the same. */
TEST(modbus, silence_within_a_frame)
{
    for (size_t late = 1; late < sizeof write_3 + 2; late++)
        for (thrum_time gap = SILENCE - 1; gap <= SILENCE + 1; gap += 2) {
            size_t at = 0;
            begin();
            says(write_3, sizeof write_3, late, gap);
            says(write_4, sizeof write_4, 0, 0);
            CHECK_EQ(modbus_main(), 0);
            if (gap < SILENCE)
                check_sent(write_3, sizeof write_3, &at);
            check_sent(write_4, sizeof write_4, &at);
            CHECK_EQ(at, sent_count);
            CHECK_EQ(holding[3], gap < SILENCE ? 0x1234 : 0);
            CHECK_EQ(holding[4], 0x5678);
        }
}

TEST(modbus, an_answer_comes_when_the_line_has_been_silent)
{
    begin();
    says(write_3, sizeof write_3, 0, 0);
    CHECK_EQ(modbus_main(), 0);
    CHECK_EQ(sent_count, sizeof write_3 + 2);
    CHECK_EQ(first_sent - last_heard, SILENCE + 1); /* the first byte needs a tick, too */
}

TEST(modbus, what_the_hardware_refuses_is_not_written)
{
    static const uint8_t too_fast[] = {ADDRESS, 6, 0, 0, 0x27, 0x11}, refused_one[] = {ADDRESS, 0x86, 4},
                         both[] = {ADDRESS, 16, 0, 0, 0, 2, 4, 0x27, 0x11, 0, 7}, refused_both[] = {ADDRESS, 0x90, 4},
                         just[] = {ADDRESS, 6, 0, 0, 0x27, 0x10};
    size_t at = 0;
    begin();
    says(too_fast, sizeof too_fast, 0, 0);
    says(both, sizeof both, 0, 0);
    says(just, sizeof just, 0, 0);
    CHECK_EQ(modbus_main(), 0);
    check_sent(refused_one, sizeof refused_one, &at);
    check_sent(refused_both, sizeof refused_both, &at);
    check_sent(just, sizeof just, &at);
    CHECK_EQ(at, sent_count);
    CHECK_EQ(holding[0], 10000);
    CHECK_EQ(holding[1], 0);
}
