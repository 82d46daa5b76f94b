/* A program of the oracle: objects, and scripts by name, as reference.py reads them too. README.md says what the
 * statements are. */
#ifndef ORACLE_PROGRAM_H
#define ORACLE_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <thrum.h>

enum { MOST_WORDS = 10 };

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
    OP_NOTIFY,
    OP_NOTIFY_ALL,
    OP_ABORT,
    OP_RESET,
    OP_PUT_NOWAIT,
    OP_GET_NOWAIT,
    OP_TASK_DONE,
    OP_SHUTDOWN,
    OP_SIZE,
    OP_SOON,
    OP_LATER,
    OP_DROP_HANDLE,
    OP_ON_DONE,
    OP_OFF_DONE,
    OP_ON_FUTURE,
    OP_OFF_FUTURE,
    OP_RESCHEDULE,
    OP_EXPIRED,
    OP_TASK_OF,
    OP_SPAWN_EAGER,
    OP_SETVAR,
    OP_GETVAR,
    OP_ADD,
    OP_VALUE,
    OP_FEED,
    OP_FEED_EOF,
    OP_FAIL_READER,
    OP_AT_EOF,
    OP_BUFFERED,
    OP_READER_ERROR,
    OP_BREAK,
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
    OP_WAIT_FOR_GET,
    OP_PUT,
    OP_GET,
    OP_JOIN_QUEUE,
    OP_CALL,
    OP_SHIELD,
    OP_SHIELD_FUTURE,
    OP_GATHER,
    OP_WAIT_TASKS,
    OP_AS_COMPLETED,
    OP_WAIT_UNTIL,
    OP_READ,
    OP_READ_EXACTLY,
    OP_READ_LINE,
    OP_READ_UNTIL,
    OP_WAIT_FOR_READ,
    OP_YIELD_VALUE, /* in a generator */
    OP_TRY,
    OP_TIMEOUT,
    OP_GROUP,
    OP_REPEAT,
    OP_LIMIT,
    OP_SCOPED,
    OP_FOR,
    OP_LINES,
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
    int count;                 /* of words */
    struct statement *next;
};

struct script {
    const char *name;
    struct statement *body;
    struct script *next;
};

enum kind {
    KIND_LOCK,
    KIND_EVENT,
    KIND_FUTURE,
    KIND_SEM,
    KIND_BSEM,
    KIND_COND,
    KIND_BARRIER,
    KIND_FIFO,
    KIND_LIFO,
    KIND_PRIO,
    KIND_VAR,
    KIND_COUNTER,
    KIND_READER,
    KIND_COUNT
};

struct object {
    enum kind kind;
    const char *name;
    struct object *next;
    union {
        thrum_lock lock;
        thrum_event event;
        thrum_future future;
        thrum_semaphore semaphore;
        thrum_condition condition;
        thrum_barrier barrier;
        thrum_queue queue;
        thrum_context_var variable;
        int counter;
        struct {
            thrum_stream *stream;
            size_t limit;
        } reader;
    } as;
};

struct program {
    struct object *objects;
    struct script *scripts;
};

/* Read a program. What is not understood, or not there yet, is told on stderr, and ends the process with status 77. */
void program_read(struct program *program, FILE *file);

/* By name; one that is not there ends the process. */
struct object *program_object(const struct program *program, const char *name);
struct script *program_script(const struct program *program, const char *name);

/* Make what needs a loop. */
void program_open(const struct program *program);

/* Give back what objects hold. */
void program_close(struct program *program);

/* Zeroed memory that stays. */
void *keep(size_t size);

/* The program cannot be run: say why, and exit with status 77. */
_Noreturn void refuse(int line, const char *why, const char *what);

#endif
