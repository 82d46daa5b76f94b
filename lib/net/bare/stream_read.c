/* Reading. Bytes stay in the ring until the step in which a read returns, so one that is cancelled has moved none; only
 * read_exactly of more than the ring holds moves them before, and puts back what it can. */
#include "net/bare/stream.h"

/* ---- what all reads share ---- */

static int may_read(const thrum_stream *stream)
{
    return stream->reader ? THRUM_EBUSY : stream->flags & STREAM_CLOSING ? THRUM_ECLOSED : 0;
}

static bool over(const thrum_stream *stream)
{
    return stream->ended || stream->flags & STREAM_CLOSING;
}

/* Wait until so many bytes have come. The interrupt is told first: a byte that comes from now on posts the signal, and
 * what has come before is seen here. */
static bool await_bytes(thrum_stream *stream, thrum_task *task, size_t least)
{
    stream->reader = task;
    stream->least = (thrum_serial_index)least;
    if (ring_held(&stream->input) < least && !over(stream))
        return true;
    stream->least = 0;
    return false;
}

static thrum_step read_done(thrum_stream *stream, thrum_task *task, int error, size_t value)
{
    stream->reader = NULL;
    stream->least = 0;
    return thrum_done(task, error, (thrum_value)value);
}

/* Take bytes off the ring; a peer that was held may send on. */
static void skip(thrum_stream *stream, size_t size)
{
    thrum_serial_ring *ring = &stream->input;
    size_t head = ring->head + size;
    ring->head = (thrum_serial_index)(head < ring->size ? head : head - ring->size);
    if (size && stream->driver->room && !(stream->flags & STREAM_CLOSED)) {
        uintptr_t was = mask();
        stream->driver->room(stream);
        unmask(was);
    }
}

static size_t take(thrum_stream *stream, char *to, size_t size)
{
    size_t held = ring_held(&stream->input);
    if (held < size)
        size = held;
    for (size_t i = 0; i < size; i++)
        to[i] = (char)ring_at(&stream->input, i);
    skip(stream, size);
    return size;
}

/* Bytes go in front of what is to be read next. The interrupt must not find the room taken that it just saw. */
static bool put_back(thrum_stream *stream, const char *data, size_t size)
{
    thrum_serial_ring *ring = &stream->input;
    uintptr_t was = mask();
    size_t head = ring->head;
    bool room = size <= ring_capacity(ring) - ring_held(ring);
    if (room) {
        head = head >= size ? head - size : head + ring->size - size;
        ring->head = (thrum_serial_index)head;
    }
    unmask(was);
    for (size_t i = 0; room && i < size; i++) {
        ring->memory[head] = (uint8_t)data[i];
        head = head + 1 == ring->size ? 0 : head + 1;
    }
    return room;
}

static thrum_cancel_result read_cancel(thrum_task *task)
{
    thrum_stream *stream = (thrum_stream *)task->object;
    stream->reader = NULL;
    stream->least = 0;
    return THRUM_DETACHED;
}

static void ask(thrum_stream *stream, const thrum_record *record)
{
    stream->to = (char *)(intptr_t)record->a;
    stream->size = (size_t)record->b;
    stream->scanned = 0;
}

/* ---- read ---- */

static thrum_step read_resume(thrum_task *task)
{
    thrum_stream *stream = (thrum_stream *)task->object;
    if (stream->size && await_bytes(stream, task, 1))
        return thrum_parked(task);
    size_t taken = take(stream, stream->to, stream->size);
    int error = taken || !stream->size || stream->flags & STREAM_CLOSING ? 0 : stream->error;
    return read_done(stream, task, error ? stream_fail(stream, error, "read", 0) : 0, taken);
}

static thrum_step read_start(thrum_task *task, thrum_record *record)
{
    thrum_stream *stream = (thrum_stream *)record->object;
    int error = may_read(stream);
    if (error)
        return thrum_done(task, error, 0);
    ask(stream, record);
    return read_resume(task);
}

static const thrum_operations read_operations = {read_start, read_resume, read_cancel, NULL, "stream read", NULL};

thrum_awaitable thrum_stream_read(thrum_stream *stream, void *buffer, size_t size)
{
    return thrum_awaitable_make(&read_operations, stream, (thrum_value)(intptr_t)buffer, (thrum_value)size);
}

/* ---- read_exactly ---- */

/* `scanned`: how many bytes were moved already, of what does not fit into the ring. */
static thrum_step exactly_resume(thrum_task *task)
{
    thrum_stream *stream = (thrum_stream *)task->object;
    if (task->waiter.node.error) { /* cancelled: exactly_cancel() has put back what it could */
        stream->reader = NULL;
        return thrum_done(task, stream_fail(stream, THRUM_ECANCELED, "read_exactly", stream->scanned), 0);
    }
    for (;;) {
        /* What does not fit into the ring is taken before that is full. */
        size_t rest = stream->size - stream->scanned, most = ring_capacity(&stream->input);
        bool ended = over(stream);
        if (rest && await_bytes(stream, task, rest <= most ? rest : (most + 1) / 2))
            return thrum_parked(task);
        stream->scanned += take(stream, stream->to + stream->scanned, rest);
        if (stream->scanned == stream->size)
            return read_done(stream, task, 0, stream->size);
        if (ended) {
            int error = stream->error && !(stream->flags & STREAM_CLOSING) ? stream->error : THRUM_EINCOMPLETE;
            return read_done(stream, task, stream_fail(stream, error, "read_exactly", stream->scanned), 0);
        }
    }
}

static thrum_step exactly_start(thrum_task *task, thrum_record *record)
{
    thrum_stream *stream = (thrum_stream *)record->object;
    int error = may_read(stream);
    if (error)
        return thrum_done(task, error, 0);
    ask(stream, record);
    task->waiter.node.error = 0;
    return exactly_resume(task);
}

/* The last bytes go back first: the stream goes on where the caller's buffer ends. */
static thrum_cancel_result exactly_cancel(thrum_task *task)
{
    thrum_stream *stream = (thrum_stream *)task->object;
    size_t room = ring_capacity(&stream->input) - ring_held(&stream->input), size = stream->scanned;
    stream->least = 0;
    if (size > room)
        size = room;
    /* An interrupt may take of the room in between. */
    while (size && !put_back(stream, stream->to + stream->scanned - size, size))
        size--;
    stream->scanned -= size;
    if (thrum_task_woken(task))
        task->waiter.node.error = THRUM_ECANCELED;
    else
        thrum_wake(&task->waiter, THRUM_ECANCELED, 0);
    return THRUM_FORWARDED;
}

static const thrum_operations exactly_operations = {exactly_start, exactly_resume,        exactly_cancel,
                                                    NULL,          "stream read_exactly", NULL};

thrum_awaitable thrum_stream_read_exactly(thrum_stream *stream, void *buffer, size_t size)
{
    return thrum_awaitable_make(&exactly_operations, stream, (thrum_value)(intptr_t)buffer, (thrum_value)size);
}

/* ---- read_until and read_line ---- */

static const thrum_slice newline = {"\n", 1};

static bool is_line(const thrum_stream *stream)
{
    return stream->separators == &newline;
}

/* Whether a separator ends behind so many bytes. */
static bool ends_at(const thrum_stream *stream, const thrum_slice *separator, size_t end)
{
    const char *bytes = (const char *)separator->data;
    if (separator->size > end)
        return false;
    for (size_t i = 0; i < separator->size; i++)
        if ((char)ring_at(&stream->input, end - separator->size + i) != bytes[i])
            return false;
    return true;
}

/* The first place where one ends, and where the shortest of those begins. False: none ends in the first `held`
 * bytes. */
static bool search(thrum_stream *stream, size_t held, size_t *start, size_t *end)
{
    for (size_t at = stream->scanned + 1; at <= held; at++) {
        size_t shortest = 0;
        for (size_t i = 0; i < stream->count; i++) {
            size_t size = stream->separators[i].size;
            if ((!shortest || size < shortest) && ends_at(stream, &stream->separators[i], at))
                shortest = size;
        }
        if (shortest) {
            *start = at - shortest;
            *end = at;
            return true;
        }
    }
    stream->scanned = held;
    return false;
}

/* Too long. A line is dropped as far as it is here, up to its end; else everything stays. */
static thrum_step over_limit(thrum_stream *stream, thrum_task *task, size_t held, size_t number)
{
    if (is_line(stream))
        skip(stream, number < held && ring_at(&stream->input, number) == '\n' ? number + 1 : held);
    return read_done(stream, task, stream_fail(stream, THRUM_ELIMIT, "read_until", number), 0);
}

static thrum_step until_done(thrum_stream *stream, thrum_task *task, size_t size)
{
    size_t taken = take(stream, stream->to, size);
    if (is_line(stream))
        stream->to[taken] = '\0';
    return read_done(stream, task, 0, taken);
}

/* What can be read away without cutting a separator that may have begun. */
static size_t whole(const thrum_stream *stream, size_t held)
{
    size_t longest = 0;
    for (size_t i = 0; i < stream->count; i++)
        if (stream->separators[i].size > longest)
            longest = stream->separators[i].size;
    return held + 1 > longest ? held + 1 - longest : 0;
}

static thrum_step end_of_file(thrum_stream *stream, thrum_task *task, size_t held)
{
    int error = stream->flags & STREAM_CLOSING ? 0 : stream->error;
    if (error)
        return read_done(stream, task, stream_fail(stream, error, "read_until", 0), 0);
    if (held > stream->size)
        return over_limit(stream, task, held, stream->size);
    if (is_line(stream))
        return until_done(stream, task, held);
    size_t taken = take(stream, stream->to, held);
    return read_done(stream, task, stream_fail(stream, THRUM_EINCOMPLETE, "read_until", taken), 0);
}

static thrum_step until_resume(thrum_task *task)
{
    thrum_stream *stream = (thrum_stream *)task->object;
    for (;;) {
        bool ended = over(stream); /* what came before that is in the ring */
        size_t held = ring_held(&stream->input), start, end;
        if (search(stream, held, &start, &end))
            return end > stream->size ? over_limit(stream, task, held, start) : until_done(stream, task, end);
        size_t number = whole(stream, held);
        if (number > stream->size || held == ring_capacity(&stream->input))
            return over_limit(stream, task, held, number);
        if (ended)
            return end_of_file(stream, task, held);
        if (await_bytes(stream, task, held + 1))
            return thrum_parked(task);
    }
}

static thrum_step until_begin(thrum_stream *stream, thrum_task *task, const thrum_slice *separators, size_t count)
{
    stream->separators = separators;
    stream->count = count;
    for (size_t i = 0; i < count; i++)
        if (!separators[i].size)
            return thrum_done(task, THRUM_EINVAL, 0);
    return until_resume(task);
}

/* The arguments are too many for a record: they travel in a block of the pool. */
typedef struct until_arguments {
    thrum_stream *stream;
    const thrum_slice *separators;
    size_t count;
} until_arguments;

static void until_drop(thrum_record *record)
{
    pool_give(&thrum_state_here()->pool, record->object, sizeof(until_arguments), POOL_OTHER);
}

static thrum_step until_start(thrum_task *task, thrum_record *record)
{
    until_arguments arguments = *(until_arguments *)record->object;
    until_drop(record);
    int error = may_read(arguments.stream);
    if (error)
        return thrum_done(task, error, 0);
    task->object = arguments.stream;
    ask(arguments.stream, record);
    return until_begin(arguments.stream, task, arguments.separators, arguments.count);
}

static const thrum_operations until_operations = {until_start, until_resume,        read_cancel,
                                                  until_drop,  "stream read_until", NULL};

thrum_awaitable thrum_stream_read_until(thrum_stream *stream, void *buffer, size_t size, const thrum_slice *separators,
                                        size_t count)
{
    if (!count)
        return thrum_awaitable_failing(THRUM_EINVAL);
    until_arguments *arguments = (until_arguments *)pool_take(&thrum_state_here()->pool, sizeof *arguments, POOL_OTHER);
    if (!arguments)
        return thrum_awaitable_failing(THRUM_ENOMEM);
    arguments->stream = stream;
    arguments->separators = separators;
    arguments->count = count;
    return thrum_awaitable_make(&until_operations, arguments, (thrum_value)(intptr_t)buffer, (thrum_value)size);
}

static thrum_step line_start(thrum_task *task, thrum_record *record)
{
    thrum_stream *stream = (thrum_stream *)record->object;
    int error = may_read(stream);
    if (!error && !record->b)
        error = THRUM_EINVAL;
    if (error)
        return thrum_done(task, error, 0);
    ask(stream, record);
    stream->size--;
    return until_begin(stream, task, &newline, 1);
}

static const thrum_operations line_operations = {line_start, until_resume, read_cancel, NULL, "stream read_line", NULL};

thrum_awaitable thrum_stream_read_line(thrum_stream *stream, char *buffer, size_t size)
{
    return thrum_awaitable_make(&line_operations, stream, (thrum_value)(intptr_t)buffer, (thrum_value)size);
}

/* The same until the end of file, where there is no line. */
static thrum_step next_step(thrum_task *task, thrum_step step)
{
    bool ended = step.what == THRUM_DONE_ || task->waiter.node.flags & TASK_AS_IS;
    if (ended && !task->waiter.node.error && !task->waiter.as.value)
        task->waiter.node.error = THRUM_ESTOP;
    return step;
}

static thrum_step lines_start(thrum_task *task, thrum_record *record)
{
    return next_step(task, line_start(task, record));
}

static thrum_step lines_resume(thrum_task *task)
{
    return next_step(task, until_resume(task));
}

static const thrum_operations lines_operations = {lines_start, lines_resume, read_cancel, NULL, "stream lines", NULL};

thrum_iterable thrum_stream_lines(thrum_stream *stream, char *buffer, size_t size)
{
    return thrum_iterable_make(&lines_operations, stream, (thrum_value)(intptr_t)buffer, (thrum_value)size);
}

int thrum_stream_unread(thrum_stream *stream, const void *data, size_t size)
{
    not_for_interrupts();
    int error = may_read(stream);
    if (error)
        return error;
    return size > ring_capacity(&stream->input) || !put_back(stream, (const char *)data, size) ? THRUM_ENOMEM : 0;
}
