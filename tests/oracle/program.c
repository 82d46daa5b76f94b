#include "program.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_LINE = 512 };

static const struct shape {
    const char *name;
    int arguments;
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
    [OP_TRY] = {"try", 0},
    [OP_TIMEOUT] = {"timeout", 1},
    [OP_GROUP] = {"group", 1},
    [OP_REPEAT] = {"repeat", 1},
    [OP_EXCEPT] = {"except", 1},
    [OP_FINALLY] = {"finally", 0},
};

static const char *const kinds[] = {[KIND_LOCK] = "lock", [KIND_EVENT] = "event", [KIND_FUTURE] = "future"};

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
            if (shapes[i].arguments != reader->count - 1)
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
    memcpy(made->words, reader->words, sizeof made->words);
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

static void read_object(struct program *program, struct reader *reader)
{
    for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (at(reader, kinds[i]) && reader->count == 2) {
            struct object *made = keep(sizeof *made); /* zeroed: every one of them is ready for use */
            made->kind = (enum kind)i;
            made->name = reader->words[1];
            made->next = program->objects;
            program->objects = made;
            return;
        }
    refuse(reader->line, "unsupported", reader->words[0]);
}

void program_read(struct program *program, FILE *file)
{
    struct reader reader = {.file = file};
    for (advance(&reader); reader.count; advance(&reader))
        if (at(&reader, "task"))
            read_script(program, &reader);
        else
            read_object(program, &reader);
}

struct object *program_object(const struct program *program, const char *name, enum kind kind)
{
    for (struct object *object = program->objects; object; object = object->next)
        if (strcmp(object->name, name) == 0 && object->kind == kind)
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
