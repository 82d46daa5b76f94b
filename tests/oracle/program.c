#include "program.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_LINE = 512 };

static const struct shape {
    const char *name;
    int arguments; /* below 0: so many at least */
} shapes[OP_COUNT] = {
    [OP_RELEASE] = {"release", 1},
    [OP_LOCKED] = {"locked", 1},
    [OP_SET] = {"set", 1},
    [OP_CLEAR] = {"clear", 1},
    [OP_RESOLVE] = {"resolve", 2},
    [OP_FAIL] = {"fail", 2},
    [OP_CANCEL_FUTURE] = {"cancel_future", 1},
    [OP_SPAWN] = {"spawn", 2},
    [OP_SPAWN_IN] = {"spawn_in", 3},
    [OP_CANCEL] = {"cancel", 1},
    [OP_UNCANCEL] = {"uncancel", 0},
    [OP_CANCELLING] = {"cancelling", 0},
    [OP_NOTIFY] = {"notify", 2},
    [OP_NOTIFY_ALL] = {"notify_all", 1},
    [OP_ABORT] = {"abort", 1},
    [OP_RESET] = {"reset", 1},
    [OP_PUT_NOWAIT] = {"put_nowait", 2},
    [OP_GET_NOWAIT] = {"get_nowait", 1},
    [OP_TASK_DONE] = {"task_done", 1},
    [OP_SHUTDOWN] = {"shutdown", 2},
    [OP_SIZE] = {"size", 1},
    [OP_SOON] = {"soon", 2},
    [OP_LATER] = {"later", 3},
    [OP_DROP_HANDLE] = {"drop_handle", 1},
    [OP_ON_DONE] = {"on_done", 3},
    [OP_OFF_DONE] = {"off_done", 2},
    [OP_ON_FUTURE] = {"on_future", 3},
    [OP_OFF_FUTURE] = {"off_future", 2},
    [OP_RESCHEDULE] = {"reschedule", 2},
    [OP_EXPIRED] = {"expired", 1},
    [OP_TASK_OF] = {"task_of", -2},
    [OP_SPAWN_EAGER] = {"spawn_eager", 2},
    [OP_SETVAR] = {"setvar", 2},
    [OP_GETVAR] = {"getvar", 1},
    [OP_ADD] = {"add", 2},
    [OP_VALUE] = {"value", 1},
    [OP_FEED] = {"feed", 2},
    [OP_FEED_EOF] = {"feed_eof", 1},
    [OP_FAIL_READER] = {"fail_reader", 2},
    [OP_AT_EOF] = {"at_eof", 1},
    [OP_BUFFERED] = {"buffered", 1},
    [OP_READER_ERROR] = {"reader_error", 1},
    [OP_BREAK] = {"break", 0},
    [OP_RETURN] = {"return", 1},
    [OP_RAISE] = {"raise", 1},
    [OP_SLEEP] = {"sleep", 1},
    [OP_YIELD] = {"yield", 0},
    [OP_ACQUIRE] = {"acquire", 1},
    [OP_WAIT] = {"wait", 1},
    [OP_AWAIT_FUTURE] = {"await_future", 1},
    [OP_AWAIT] = {"await", 1},
    [OP_WAIT_FOR] = {"wait_for", 2},
    [OP_WAIT_FOR_ACQUIRE] = {"wait_for_acquire", 2},
    [OP_WAIT_FOR_GET] = {"wait_for_get", 2},
    [OP_PUT] = {"put", 2},
    [OP_GET] = {"get", 1},
    [OP_JOIN_QUEUE] = {"join_queue", 1},
    [OP_CALL] = {"call", 1},
    [OP_SHIELD] = {"shield", 1},
    [OP_SHIELD_FUTURE] = {"shield_future", 1},
    [OP_GATHER] = {"gather", -1},
    [OP_WAIT_TASKS] = {"wait_tasks", -2},
    [OP_AS_COMPLETED] = {"as_completed", -1},
    [OP_WAIT_UNTIL] = {"wait_until", 3},
    [OP_READ] = {"read", 2},
    [OP_READ_EXACTLY] = {"read_exactly", 2},
    [OP_READ_LINE] = {"read_line", 1},
    [OP_READ_UNTIL] = {"read_until", -2},
    [OP_WAIT_FOR_READ] = {"wait_for_read", 3},
    [OP_YIELD_VALUE] = {"yield_value", 1},
    [OP_TRY] = {"try", 0},
    [OP_TIMEOUT] = {"timeout", 1},
    [OP_GROUP] = {"group", 1},
    [OP_REPEAT] = {"repeat", 1},
    [OP_LIMIT] = {"limit", 2},
    [OP_SCOPED] = {"scoped", 2},
    [OP_FOR] = {"for", 1},
    [OP_LINES] = {"lines", 2},
    [OP_EXCEPT] = {"except", 1},
    [OP_FINALLY] = {"finally", 0},
};

static const struct shape kinds[KIND_COUNT] = {
    [KIND_LOCK] = {"lock", 1},       [KIND_EVENT] = {"event", 1}, [KIND_FUTURE] = {"future", 1},
    [KIND_SEM] = {"sem", 2},         [KIND_BSEM] = {"bsem", 2},   [KIND_COND] = {"cond", 1},
    [KIND_BARRIER] = {"barrier", 2}, [KIND_FIFO] = {"fifo", 2},   [KIND_LIFO] = {"lifo", 2},
    [KIND_PRIO] = {"prio", 2},       [KIND_VAR] = {"var", 1},     [KIND_COUNTER] = {"counter", 1},
    [KIND_READER] = {"reader", 2},
};

void *keep(size_t size)
{
    /* A chain from a static, so that a leak checker sees what is kept on purpose. */
    static struct kept {
        struct kept *before;
        max_align_t block[];
    } * all;
    struct kept *made = calloc(1, sizeof *made + size);
    if (!made)
        abort();
    made->before = all;
    all = made;
    return made->block;
}

void refuse(int line, const char *why, const char *what)
{
    fprintf(stderr, "line %d: %s: %s\n", line, why, what);
    exit(77);
}

/* ---- lines ---- */

struct reader {
    FILE *file;
    int line;
    int count; /* of words; 0 at the end of the file */
    char *words[MOST_WORDS];
};

/* Go on to the next line that has words. */
static void advance(struct reader *reader)
{
    char text[MOST_LINE];
    reader->count = 0;
    while (!reader->count && fgets(text, sizeof text, reader->file)) {
        reader->line++;
        text[strcspn(text, "#\n")] = '\0';
        char *rest = keep(strlen(text) + 1);
        strcpy(rest, text);
        for (char *word; (word = strtok_r(rest, " \t\r", &rest)) != NULL;) {
            if (reader->count == MOST_WORDS)
                refuse(reader->line, "too many words", text);
            reader->words[reader->count++] = word;
        }
    }
}

static bool at(const struct reader *reader, const char *word)
{
    return reader->count && strcmp(reader->words[0], word) == 0;
}

/* ---- statements ---- */

static enum operation operation_of(const struct reader *reader)
{
    for (int i = 0; i < OP_COUNT; i++)
        if (strcmp(shapes[i].name, reader->words[0]) == 0) {
            int wanted = shapes[i].arguments, given = reader->count - 1;
            if (wanted >= 0 ? given != wanted : given < -wanted)
                refuse(reader->line, "wrong number of words", reader->words[0]);
            return (enum operation)i;
        }
    refuse(reader->line, "unsupported", reader->words[0]);
}

static struct statement *read_block(struct reader *reader);

static struct statement *read_statement(struct reader *reader)
{
    struct statement *made = keep(sizeof *made);
    made->op = operation_of(reader);
    made->line = reader->line;
    made->count = reader->count;
    memcpy(made->words, reader->words, sizeof made->words);
    if (made->op == OP_TASK_OF) {
        /* The rest of the line is a statement of its own. */
        reader->count -= 2;
        memmove(reader->words, reader->words + 2, (size_t)reader->count * sizeof *reader->words);
        made->body = keep(sizeof *made);
        made->body->op = operation_of(reader);
        made->body->line = reader->line;
        made->body->count = reader->count;
        memcpy(made->body->words, reader->words, sizeof made->words);
    }
    advance(reader);
    if (made->op < OP_TRY)
        return made;
    made->body = read_block(reader);
    if (made->op >= OP_EXCEPT)
        return made;
    struct statement **last = &made->clauses;
    while (made->op == OP_TRY && (at(reader, "except") || at(reader, "finally"))) {
        *last = read_statement(reader);
        last = &(*last)->next;
    }
    if (!at(reader, "end"))
        refuse(reader->line, "out of place", reader->count ? reader->words[0] : "the end of the file");
    advance(reader);
    return made;
}

static struct statement *read_block(struct reader *reader)
{
    struct statement *first = NULL, **last = &first;
    while (reader->count && !at(reader, "end") && !at(reader, "except") && !at(reader, "finally")) {
        *last = read_statement(reader);
        last = &(*last)->next;
    }
    return first;
}

/* ---- the whole ---- */

static void read_script(struct program *program, struct reader *reader)
{
    struct script *made = keep(sizeof *made);
    made->name = reader->count == 2 ? reader->words[1] : "";
    advance(reader);
    made->body = read_block(reader);
    if (!at(reader, "end"))
        refuse(reader->line, "no end", made->name);
    made->next = program->scripts;
    program->scripts = made;
}

static int smaller(const void *a, const void *b)
{
    thrum_value left, right;
    memcpy(&left, a, sizeof left);
    memcpy(&right, b, sizeof right);
    return (left > right) - (left < right);
}

/* Bounded queues stand in memory of their own, the others grow. */
static int make_queue(struct object *made, size_t bound)
{
    enum { SIZE = sizeof(thrum_value) };
    thrum_queue *queue = &made->as.queue;
    void *storage = bound ? keep(bound * SIZE) : NULL;
    switch (made->kind) {
    case KIND_FIFO:
        return storage ? thrum_queue_init(queue, storage, bound, SIZE) : thrum_queue_init_growing(queue, 0, SIZE);
    case KIND_LIFO:
        return storage ? thrum_lifo_queue_init(queue, storage, bound, SIZE)
                       : thrum_lifo_queue_init_growing(queue, 0, SIZE);
    default:
        return storage ? thrum_priority_queue_init(queue, storage, keep(bound * sizeof(uint32_t)), bound, SIZE, smaller)
                       : thrum_priority_queue_init_growing(queue, 0, SIZE, smaller);
    }
}

static bool is_queue(const struct object *object)
{
    return object->kind >= KIND_FIFO && object->kind <= KIND_PRIO;
}

/* Zeroed memory is good for those that take no number. */
static int make(struct object *made, int number)
{
    switch (made->kind) {
    case KIND_SEM:
        thrum_semaphore_init(&made->as.semaphore, (uint32_t)number);
        return 0;
    case KIND_BSEM:
        thrum_bounded_semaphore_init(&made->as.semaphore, (uint32_t)number);
        return 0;
    case KIND_COND:
        thrum_condition_init(&made->as.condition, NULL);
        return 0;
    case KIND_BARRIER:
        return thrum_barrier_init(&made->as.barrier, (uint32_t)number);
    case KIND_READER:
        made->as.reader.limit = (size_t)number;
        return 0;
    default:
        return is_queue(made) ? make_queue(made, (size_t)number) : 0;
    }
}

static void read_object(struct program *program, struct reader *reader)
{
    for (unsigned i = 0; i < KIND_COUNT; i++)
        if (at(reader, kinds[i].name) && reader->count == kinds[i].arguments + 1) {
            struct object *made = keep(sizeof *made);
            made->kind = (enum kind)i;
            made->name = reader->words[1];
            made->next = program->objects;
            if (make(made, reader->count > 2 ? atoi(reader->words[2]) : 0))
                refuse(reader->line, "cannot be made", reader->words[1]);
            program->objects = made;
            return;
        }
    refuse(reader->line, "unsupported", reader->words[0]);
}

void program_read(struct program *program, FILE *file)
{
    struct reader reader = {.file = file};
    for (advance(&reader); reader.count; advance(&reader))
        if (at(&reader, "task") || at(&reader, "callback") || at(&reader, "generator"))
            read_script(program, &reader);
        else
            read_object(program, &reader);
}

void program_open(const struct program *program)
{
    for (struct object *object = program->objects; object; object = object->next) {
        thrum_stream_options options = {.size = sizeof options, .limit = object->as.reader.limit};
        if (object->kind == KIND_READER && thrum_stream_fed(&object->as.reader.stream, &options))
            refuse(0, "cannot be made", object->name);
    }
}

void program_close(struct program *program)
{
    for (struct object *object = program->objects; object; object = object->next)
        if (is_queue(object))
            thrum_queue_close(&object->as.queue);
        else if (object->kind == KIND_READER)
            thrum_stream_release(object->as.reader.stream);
}

struct object *program_object(const struct program *program, const char *name)
{
    for (struct object *object = program->objects; object; object = object->next)
        if (strcmp(object->name, name) == 0)
            return object;
    refuse(0, "there is no such object", name);
}

struct script *program_script(const struct program *program, const char *name)
{
    for (struct script *script = program->scripts; script; script = script->next)
        if (strcmp(script->name, name) == 0)
            return script;
    refuse(0, "there is no such script", name);
}
