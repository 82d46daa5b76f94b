/* A program of the oracle: objects, and scripts by name, as reference.py reads them too. README.md says what the
 * statements are. */
#ifndef ORACLE_PROGRAM_H
#define ORACLE_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <thrum.h>

enum { MOST_WORDS = 6 };

/* Those from OP_TRY on have a body; those before OP_SLEEP never wait. */
enum operation {
    OP_RELEASE,
    OP_LOCKED,
    OP_SET,
    OP_CLEAR,
    OP_RESOLVE,
    OP_FAIL,
    OP_CANCEL_FUTURE,
    OP_SPAWN,
    OP_SPAWN_IN,
    OP_CANCEL,
    OP_UNCANCEL,
    OP_CANCELLING,
    OP_RETURN,
    OP_RAISE,
    OP_SLEEP,
    OP_YIELD,
    OP_ACQUIRE,
    OP_WAIT,
    OP_AWAIT_FUTURE,
    OP_AWAIT,
    OP_WAIT_FOR,
    OP_WAIT_FOR_ACQUIRE,
    OP_TRY,
    OP_TIMEOUT,
    OP_GROUP,
    OP_REPEAT,
    OP_EXCEPT, /* clauses of a try */
    OP_FINALLY,
    OP_COUNT
};

struct statement {
    enum operation op;
    int line;
    char *words[MOST_WORDS]; /* the first is the statement's name */
    struct statement *body;
    struct statement *clauses; /* of a try */
    struct statement *next;
};

struct script {
    const char *name;
    struct statement *body;
    struct script *next;
};

enum kind { KIND_LOCK, KIND_EVENT, KIND_FUTURE };

struct object {
    enum kind kind;
    const char *name;
    struct object *next;
    union {
        thrum_lock lock;
        thrum_event event;
        thrum_future future;
    } as;
};

struct program {
    struct object *objects;
    struct script *scripts;
};

/* Read a program. What is not understood, or not there yet, is told on stderr, and ends the process with status 77. */
void program_read(struct program *program, FILE *file);

/* By name; one that is not there ends the process. */
struct object *program_object(const struct program *program, const char *name, enum kind kind);
struct script *program_script(const struct program *program, const char *name);

/* Zeroed memory that stays. */
void *keep(size_t size);

/* The program cannot be run: say why, and exit with status 77. */
_Noreturn void refuse(int line, const char *why, const char *what);

#endif
