/* Streams of firmware, on a machine without hardware: a wire that carries a byte a tick in each direction, and peers
 * that say what a test wants them to. */
/* Cancellations are looked at, and end there. thrum-check: ignore-file thrum-cancellation-swallowed */
#include "machine.h"

#include <thrum/port.h>
#include <thrum/serial.h>

/* ---- the device ---- */

static char sent[4096];
static size_t sent_count;
static const char *coming;
static unsigned starts, stops, rooms;
static bool sending;

static void byte_has_left(void);
static void wire_send(thrum_stream *stream);

static void wire_stop(thrum_stream *stream)
{
    (void)stream;
    stops++;
}

static void wire_room(thrum_stream *stream)
{
    (void)stream;
    rooms++;
}

static const thrum_serial_driver wire = {wire_send, wire_room, wire_stop};
THRUM_SERIAL(line, &wire, NULL, 16, 8);

static void wire_send(thrum_stream *stream)
{
    CHECK_PTR(stream, &line);
    starts++;
    if (!sending) {
        sending = true;
        machine_interrupt_at(thrum_port_now() + 1, byte_has_left);
    }
}

static void byte_has_left(void)
{
    int byte = thrum_serial_next_from_isr(&line);
    sending = byte >= 0;
    if (!sending)
        return;
    CHECK_LT(sent_count, sizeof sent);
    sent[sent_count++] = (char)byte;
    machine_interrupt_at(thrum_port_now() + 1, byte_has_left);
}

static void byte_has_come(void)
{
    (void)thrum_serial_received_from_isr(&line, (uint8_t)*coming++);
    if (*coming)
        machine_interrupt_at(thrum_port_now() + 1, byte_has_come);
}

static void all_has_come(void)
{
    while (*coming)
        (void)thrum_serial_received_from_isr(&line, (uint8_t)*coming++);
}

static void it_has_ended(void)
{
    thrum_serial_ended_from_isr(&line, 0);
}

static void it_has_failed(void)
{
    thrum_serial_ended_from_isr(&line, -5);
}

/* The peer says something, from a time on, a byte a tick. */
static void say(thrum_time when, const char *what)
{
    coming = what;
    machine_interrupt_at(when, byte_has_come);
}

static void one_has_come(void)
{
    if (*coming)
        (void)thrum_serial_received_from_isr(&line, (uint8_t)*coming++);
}

static void say_at_once(const char *what)
{
    coming = what;
    machine_interrupt(all_has_come);
}

static void begin(void)
{
    static uint8_t input[17], output[9];
    static bool again;
    while (sending) /* what the test before this one has left on the wire */
        CHECK_EQ(thrum_bare_run(thrum_sleep(2), NULL), 0);
    if (again)
        thrum_serial_init(&line, &wire, NULL, input, sizeof input, output, sizeof output);
    again = true;
    machine_memory(4096);
    machine_set_clock(0);
    sent_count = starts = stops = rooms = 0;
}

static void check_sent(const char *what)
{
    CHECK_EQ(sent_count, strlen(what));
    CHECK(memcmp(sent, what, sent_count) == 0);
}

static int run(thrum_awaitable what, thrum_value *value)
{
    return thrum_bare_run(what, value);
}

/* ---- reading ---- */

static char got[128];

TEST(serial, read_waits_and_takes_what_is_there)
{
    thrum_value size;
    begin();
    say(5, "x");
    CHECK_EQ(run(thrum_stream_read(&line, got, sizeof got), &size), 0);
    CHECK_EQ(size, 1);
    CHECK_EQ(thrum_port_now(), 5);
    say_at_once("abcdef");
    CHECK_EQ(thrum_stream_buffered(&line), 6);
    CHECK_EQ(run(thrum_stream_read(&line, got, 4), &size), 0);
    CHECK_EQ(size, 4);
    CHECK_EQ(memcmp(got, "abcd", 4), 0);
    CHECK_EQ(run(thrum_stream_read(&line, got, 0), &size), 0);
    CHECK_EQ(size, 0);
    CHECK_EQ(run(thrum_stream_read(&line, got, 4), &size), 0);
    CHECK_EQ(size, 2);
    CHECK_GT(rooms, 0);
}

/* What is read across the end of the ring is what was sent, wherever in the ring it begins. */
TEST(serial, lines_go_round)
{
    thrum_value size;
    begin();
    for (unsigned i = 0; i < 40; i++) {
        say(thrum_port_now() + 1, i % 2 ? "0123456\n" : "ab\n");
        CHECK_EQ(run(thrum_stream_read_line(&line, got, sizeof got), &size), 0);
        CHECK_STR(got, i % 2 ? "0123456\n" : "ab\n");
        CHECK_EQ(size, strlen(got));
    }
    CHECK_EQ(thrum_serial_overruns(&line), 0);
}

/* A line that the ring does not hold, or the caller's buffer: what of it is here is dropped. */
TEST(serial, lines_that_are_too_long)
{
    thrum_value size;
    begin();
    say_at_once("0123456789abcdef");
    CHECK_EQ(run(thrum_stream_read_line(&line, got, sizeof got), &size), THRUM_ELIMIT);
    CHECK_EQ(thrum_serial_done(&line), 16);
    CHECK_EQ(thrum_stream_buffered(&line), 0);
    say_at_once("tail\n");
    CHECK_EQ(run(thrum_stream_read_line(&line, got, sizeof got), &size), 0);
    CHECK_STR(got, "tail\n");
    say_at_once("12345\nok\n");
    CHECK_EQ(run(thrum_stream_read_line(&line, got, 5), &size), THRUM_ELIMIT);
    CHECK_EQ(run(thrum_stream_read_line(&line, got, 5), &size), 0);
    CHECK_STR(got, "ok\n");
    CHECK_EQ(run(thrum_stream_read_line(&line, got, 0), &size), THRUM_EINVAL);
}

TEST(serial, until_the_shortest)
{
    static const thrum_slice ends[] = {{"\r\n", 2}, {"\n", 1}, {"END", 3}};
    thrum_value size;
    begin();
    say_at_once("ab\r\ncENDd");
    CHECK_EQ(run(thrum_stream_read_until(&line, got, sizeof got, ends, 3), &size), 0);
    CHECK_EQ(size, 4);
    CHECK_EQ(run(thrum_stream_read_until(&line, got, sizeof got, ends, 3), &size), 0);
    CHECK_EQ(size, 4);
    CHECK_EQ(memcmp(got, "cEND", 4), 0);
    say(thrum_port_now() + 3, "eEN");
    CHECK_EQ(run(thrum_timeout(5, thrum_stream_read_until(&line, got, sizeof got, ends, 3)), &size), THRUM_ETIMEDOUT);
    say(thrum_port_now() + 3, "D");
    CHECK_EQ(run(thrum_stream_read_until(&line, got, sizeof got, ends, 3), &size), 0);
    CHECK_EQ(size, 5);
    CHECK_EQ(memcmp(got, "deEND", 5), 0);
    say_at_once("123456");
    CHECK_EQ(run(thrum_stream_read_until(&line, got, 3, ends, 3), &size), THRUM_ELIMIT);
    CHECK_EQ(thrum_serial_done(&line), 4); /* "56" may be the beginning of something */
    CHECK_EQ(thrum_stream_buffered(&line), 6);
    CHECK_EQ(run(thrum_stream_read_until(&line, got, 3, ends, 0), &size), THRUM_EINVAL);
}

/* Of what the ring does not hold nothing is lost either. */
TEST(serial, exactly)
{
    static const char text[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG";
    thrum_value size;
    begin();
    say(1, text);
    CHECK_EQ(run(thrum_stream_read_exactly(&line, got, 10), &size), 0);
    CHECK_EQ(thrum_port_now(), 10);
    CHECK_EQ(run(thrum_stream_read_exactly(&line, got + 10, 33), &size), 0);
    CHECK_EQ(size, 33);
    CHECK_EQ(memcmp(got, text, 43), 0);
    CHECK_EQ(thrum_serial_overruns(&line), 0);
    CHECK_EQ(run(thrum_stream_read_exactly(&line, got, 0), &size), 0);
}

/* Cancelled after each byte: what follows reads on where the caller's buffer ends. */
TEST(serial, exactly_cancelled_anywhere)
{
    static const char text[] = "0123456789abcdefghijklmnopqrstuvwxyz";
    for (thrum_time limit = 1; limit <= 36; limit++) {
        char all[64];
        thrum_value size;
        begin();
        say(1, text);
        memset(all, 0, sizeof all);
        int error = run(thrum_timeout(limit, thrum_stream_read_exactly(&line, all, 30)), &size);
        size_t have = 30;
        if (error) {
            CHECK_EQ(error, THRUM_ETIMEDOUT);
            have = thrum_serial_done(&line);
            if (limit <= 8)
                CHECK_EQ(have, 0);
        }
        CHECK_EQ(memcmp(all, text, have), 0);
        CHECK_EQ(run(thrum_stream_read_exactly(&line, all + have, 36 - have), &size), 0);
        CHECK_EQ(memcmp(all, text, 36), 0);
    }
}

TEST(serial, a_time_limit_takes_no_byte_of_a_line)
{
    for (thrum_time limit = 1; limit <= 12; limit++) {
        thrum_value size;
        begin();
        say(1, "command 1\n");
        int error = run(thrum_timeout(limit, thrum_stream_read_line(&line, got, sizeof got)), &size);
        if (error) {
            CHECK_EQ(error, THRUM_ETIMEDOUT);
            CHECK_EQ(run(thrum_stream_read_line(&line, got, sizeof got), &size), 0);
        }
        CHECK_STR(got, "command 1\n");
    }
}

TEST(serial, overruns_are_counted)
{
    thrum_value size;
    begin();
    say_at_once("0123456789abcdefXYZ");
    CHECK_EQ(thrum_serial_overruns(&line), 3);
    thrum_serial_lost_from_isr(&line, 2);
    CHECK_EQ(thrum_serial_overruns(&line), 5);
    CHECK_EQ(run(thrum_stream_read_exactly(&line, got, 16), &size), 0);
    CHECK_EQ(memcmp(got, "0123456789abcdef", 16), 0);
}

TEST(serial, unread)
{
    thrum_value size;
    begin();
    say_at_once("cdef");
    CHECK_EQ(thrum_stream_unread(&line, "ab", 2), 0);
    CHECK_EQ(thrum_stream_unread(&line, "0123456789a", 11), THRUM_ENOMEM);
    CHECK_EQ(thrum_stream_unread(&line, "0123456789", 10), 0);
    CHECK_EQ(thrum_stream_unread(&line, "x", 1), THRUM_ENOMEM);
    CHECK_EQ(run(thrum_stream_read_exactly(&line, got, 16), &size), 0);
    CHECK_EQ(memcmp(got, "0123456789abcdef", 16), 0);
}

TEST(serial, end_of_file)
{
    thrum_value size;
    begin();
    say(1, "last");
    machine_interrupt_at(9, it_has_ended);
    CHECK_EQ(run(thrum_stream_read_line(&line, got, sizeof got), &size), 0);
    CHECK_STR(got, "last");
    CHECK(thrum_stream_at_eof(&line));
    CHECK_EQ(run(thrum_stream_read_line(&line, got, sizeof got), &size), 0);
    CHECK_EQ(size, 0);
    CHECK_EQ(run(thrum_stream_read_exactly(&line, got, 1), &size), THRUM_EINCOMPLETE);
    begin();
    say_at_once("12");
    machine_interrupt_at(9, it_has_failed);
    CHECK_EQ(run(thrum_stream_read_exactly(&line, got, 5), &size), -5);
    CHECK_EQ(thrum_serial_done(&line), 2);
    CHECK(!thrum_stream_at_eof(&line));
    CHECK_EQ(run(thrum_stream_read(&line, got, 5), &size), -5);
}

static ASYNC(count_lines, ARGS_NONE, LOCALS(char line[32]; thrum_value size; thrum_iteration each; int lines;))
{
    ASYNC_BEGIN;
    ASYNC_FOR (self->size, self->each, thrum_stream_lines(&line, self->line, sizeof self->line))
        self->lines++;
    ASYNC_RETURN(self->lines);
    ASYNC_END;
}

TEST(serial, lines_up_to_the_end)
{
    thrum_value lines;
    begin();
    say(1, "a\nbb\nccc\nrest");
    machine_interrupt_at(30, it_has_ended);
    CHECK_EQ(run(count_lines(), &lines), 0);
    CHECK_EQ(lines, 4);
}

/* ---- writing ---- */

static ASYNC(write_then_flush, ARGS((const char *, text)), LOCALS(size_t size;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->size, thrum_stream_write(&line, self->text, strlen(self->text)));
    CHECK_EQ(self->size, strlen(self->text));
    AWAIT(thrum_stream_flush(&line));
    CHECK_EQ(thrum_stream_unsent(&line), 0);
    ASYNC_END;
}

TEST(serial, write)
{
    static const char *const texts[] = {"", "a", "12345678", "123456789", "0123456789abcdefghijklmnopqrstuvwxyz"};
    begin();
    CHECK_EQ(run(thrum_stream_write(&line, "12345678", 8), NULL), 0); /* fills the ring, and does not wait */
    CHECK_EQ(thrum_port_now(), 0);
    CHECK_EQ(thrum_stream_unsent(&line), 8);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        CHECK_EQ(run(thrum_stream_flush(&line), NULL), 0);
        begin();
        CHECK_EQ(run(write_then_flush(texts[i]), NULL), 0);
        check_sent(texts[i]);
    }
}

TEST(serial, slices)
{
    static const thrum_slice slices[] = {{"abcdefghijkl", 12}, {"", 0}, {"-", 1}, {"0123456789", 10}};
    thrum_value size;
    begin();
    CHECK_EQ(run(thrum_stream_write_vectors(&line, slices, 4), &size), 0);
    CHECK_EQ(size, 23);
    CHECK_EQ(run(thrum_stream_flush(&line), NULL), 0);
    check_sent("abcdefghijkl-0123456789");
}

static ASYNC(three_writers, ARGS_NONE, LOCALS(thrum_group group;))
{
    ASYNC_BEGIN;
    WITH (self->group, thrum_group_open(&self->group)) {
        CHECK_EQ(thrum_group_spawn_detached(&self->group, write_then_flush("aaaaaaaaaaaaaaaaaaaa")), 0);
        CHECK_EQ(thrum_group_spawn_detached(&self->group, thrum_stream_write(&line, "bbbbbbbbbbbbbbbbbbbb", 20)), 0);
        CHECK_EQ(thrum_group_spawn_detached(&self->group, write_then_flush("cccccccccccc")), 0);
    }
    ASYNC_END;
}

TEST(serial, writes_stay_together)
{
    begin();
    CHECK_EQ(run(three_writers(), NULL), 0);
    check_sent("aaaaaaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbbbbbcccccccccccc");
}

/* A write that is cancelled says how much of it leaves; a flush that follows sends no more and no less. */
TEST(serial, a_write_cancelled_anywhere)
{
    static const char text[] = "0123456789abcdefghijklmnopqrstuvwxyz";
    for (thrum_time limit = 1; limit < 40; limit++) {
        begin();
        int error = run(thrum_timeout(limit, thrum_stream_write(&line, text, 36)), NULL);
        size_t done = error ? thrum_serial_done(&line) : 36;
        CHECK(error == 0 || error == THRUM_ETIMEDOUT);
        CHECK_GE(done, 8);
        CHECK_EQ(run(thrum_stream_flush(&line), NULL), 0);
        CHECK_EQ(sent_count, done);
        CHECK_EQ(memcmp(sent, text, done), 0);
        CHECK_EQ(thrum_stream_unsent(&line), 0);
    }
}

TEST(serial, no_writes_behind_the_end)
{
    begin();
    CHECK_EQ(thrum_stream_write_eof(&line), 0);
    CHECK_EQ(run(thrum_stream_write(&line, "x", 1), NULL), THRUM_ESTATE);
}

/* ---- one reader, the end ---- */

static int error_of[4];
static thrum_value value_of[4];

static ASYNC(read_note, ARGS((int, place)), LOCALS(char byte[4];))
{
    ASYNC_BEGIN;
    AWAIT_CATCH_ALL(error_of[self->place], thrum_stream_read(&line, self->byte, 4));
    value_of[self->place]++;
    ASYNC_END;
}

static ASYNC(write_note, ARGS((int, place), (size_t, size)), LOCALS_NONE)
{
    static const char zeros[64];
    ASYNC_BEGIN;
    AWAIT_CATCH_ALL(error_of[self->place], thrum_stream_write(&line, zeros, self->size));
    value_of[self->place]++;
    ASYNC_END;
}

static ASYNC(close_around, ARGS((bool, abort)), LOCALS(thrum_group group; int error;))
{
    ASYNC_BEGIN;
    memset(error_of, 1, sizeof error_of);
    memset(value_of, 0, sizeof value_of);
    WITH (self->group, thrum_group_open(&self->group)) {
        CHECK_EQ(thrum_group_spawn_detached(&self->group, read_note(0)), 0);
        CHECK_EQ(thrum_group_spawn_detached(&self->group, write_note(1, 20)), 0);
        CHECK_EQ(thrum_group_spawn_detached(&self->group, write_note(2, 20)), 0);
        AWAIT(thrum_sleep(3));
        AWAIT_CATCH(self->error, thrum_stream_read(&line, got, 1));
        CHECK_EQ(self->error, THRUM_EBUSY);
        CHECK_EQ(thrum_stream_unread(&line, "x", 1), THRUM_EBUSY);
        if (self->abort)
            thrum_stream_abort(&line);
        else
            AWAIT(thrum_stream_close(&line));
        CHECK(thrum_stream_is_closing(&line));
        CHECK_EQ(thrum_stream_unsent(&line), 0);
        AWAIT(thrum_stream_wait_closed(&line));
    }
    AWAIT_CATCH(self->error, thrum_stream_read(&line, got, 1));
    CHECK_EQ(self->error, THRUM_ECLOSED);
    AWAIT_CATCH(self->error, thrum_stream_write(&line, got, 1));
    CHECK_EQ(self->error, THRUM_ECLOSED);
    ASYNC_END;
}

TEST(serial, closing)
{
    for (int abort = 0; abort < 2; abort++) {
        begin();
        CHECK_EQ(run(close_around(abort != 0), NULL), 0);
        CHECK_EQ(error_of[0], 0);
        CHECK_EQ(error_of[1], THRUM_ECLOSED);
        CHECK_EQ(error_of[2], THRUM_ECLOSED);
        CHECK_EQ(stops, 1);
        CHECK_EQ(sent_count, abort ? 3 : 8);
        if (sending)
            CHECK_EQ(run(thrum_sleep(4), NULL), 0); /* the byte that is on the wire */
        thrum_stream_release(&line);
    }
}

/* ---- interrupts anywhere ---- */

static ASYNC(echo, ARGS((unsigned, count)), LOCALS(char line[16]; size_t size;))
{
    ASYNC_BEGIN;
    while (self->count--) {
        AWAIT_INTO(self->size, thrum_stream_read_line(&line, self->line, sizeof self->line));
        AWAIT(thrum_stream_write(&line, self->line, self->size));
    }
    AWAIT(thrum_stream_flush(&line));
    ASYNC_END;
}

/* A byte wakes the loop, and the rest of the line comes when that opens its n-th mask: no wake is lost, wherever that
 * is. */
TEST(serial, bytes_at_every_mask)
{
    unsigned early = 0; /* those that came in the middle of the loop, and not while that slept */
    for (unsigned n = 1; n < 40; n++) {
        begin();
        say_at_once("a");
        coming = "bc\n";
        machine_interrupt_at(10, one_has_come);
        machine_interrupt_after_masks(n, all_has_come);
        machine_interrupt_at(1000, all_has_come); /* at the latest */
        CHECK_EQ(run(echo(1), NULL), 0);
        check_sent("abc\n");
        early += thrum_port_now() < 1000;
        machine_interrupt_after_masks(0, NULL);
        CHECK_EQ(run(thrum_sleep(2000), NULL), 0);
    }
    CHECK_GE(early, 2); /* behind the sleep, and behind the mask of what takes up posts */
}
