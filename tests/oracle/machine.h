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
    struct name *slots, *groups;
};

extern struct machine oracle;

/* Results are kept plus 1, so that 0 is Python's None. */
#define NOTHING ((thrum_value)0)
#define RESULT(value) ((thrum_value)(value) + 1)

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
int start(const char *slot, const char *script, const char *group);

/* What `await SLOT` waits for. */
thrum_awaitable wait_for_run(struct run *run);

/* A statement that never waits: gives its error, and stores its result. */
int at_once(const struct statement *statement, thrum_value *value);

/* The task of a script. */
thrum_awaitable script_task(struct run *run);

#endif
