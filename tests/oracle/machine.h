/* What runs a program: its objects, the tasks that it made, and the trace. */
#ifndef ORACLE_MACHINE_H
#define ORACLE_MACHINE_H

#include "program.h"

/* One task: a script that runs. It outlives its thrum_task, for those who ask for the outcome later. */
struct run {
    const char *who; /* the slot */
    const struct script *script;
    unsigned serial;
    thrum_task *task;     /* good until `over`, and afterwards if `owned` */
    bool owned;           /* we hold a reference */
    bool over;            /* its script has ended, or never began */
    bool gone;            /* a child of a group: `outcome` stands for it */
    thrum_handle ended;   /* a child of a group: called when it has ended */
    thrum_future outcome; /* of a child of a group */
    struct run *next;     /* in the order of making */
};

/* A call that the loop makes: it runs a script of statements that do not wait. Made anew for each use. */
struct call {
    thrum_handle handle;
    struct run run; /* for the trace */
    struct call *before;
};

/* A name that something is remembered under: a slot's newest task, a group that is open. */
struct name {
    const char *name;
    void *what;
    struct name *next;
};

struct machine {
    struct program program;
    struct run *first, *last;
    unsigned made;
    unsigned limit; /* tasks made later leave no trace; 0: there is no limit */
    unsigned noted;
    struct name *slots, *groups, *calls, *limits;
    struct call *last_call;
};

extern struct machine oracle;

/* Results are kept plus 1, so that 0 is Python's None. */
#define NOTHING ((thrum_value)0)
#define RESULT(value) ((thrum_value)(value) + 1)

/* What a block gives that met a `break`. */
#define BROKE INT64_MIN

/* What is remembered under a name; a new name is made. */
struct name *name_of(struct name **names, const char *what);

/* Add a line to the trace. */
void note(const struct run *run, int line, int error, thrum_value value);
void note_deadlock(void);

/* The program's own errors, and what a group ended with, are numbers of the application; and back. */
int error_named(const char *name);
const char *error_name(int error);

/* Right after a block that ended with THRUM_EGROUP: an error whose name lists what is in the group. */
int error_of_group(void);

/* A new task in a slot, or in a group; an error when that takes no more. */
int start(const char *slot, const char *script, const char *group, bool eager);

/* A new task that is one statement. */
int start_of(const struct statement *statement);
thrum_awaitable statement_task(struct run *run, const struct statement *statement);

/* A result that is text: a value of its own, and as it is printed. */
thrum_value result_text(const char *text);
const char *text_of(thrum_value value, char *room, size_t size);

/* The statements of a block, one after the other: gives 0, or RESULT() of the `return` that it met, or BROKE. */
thrum_awaitable block(struct run *run, const struct statement *first) THRUM_MUST_USE_;

/* Statements of readers (readers.c): those that wait, and those that do not. */
thrum_awaitable reading(struct run *run, const struct statement *statement) THRUM_MUST_USE_;
thrum_awaitable lines(struct run *run, const struct statement *statement) THRUM_MUST_USE_;
int of_reader(const struct statement *statement, thrum_stream *reader, thrum_value *value);

/* What `await SLOT` waits for. */
thrum_awaitable wait_for_run(struct run *run);

/* A statement that never waits: gives its error, and stores its result. */
int at_once(const struct statement *statement, thrum_value *value);

/* The task of a script. */
thrum_awaitable script_task(struct run *run);

#endif
