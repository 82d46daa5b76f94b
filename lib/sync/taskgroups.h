/* What others need to know of groups. */
#ifndef THRUM_SYNC_TASKGROUPS_H
#define THRUM_SYNC_TASKGROUPS_H

#include <thrum/futures.h>
#include <thrum/taskgroups.h>

/* For call graphs: if an open scope is a group's, tell of its children. Whoever has opened the block waits for them,
 * whatever else it does in there. */
void thrum_group_awaits(const thrum_scope *scope, thrum_awaits *tell, void *context);

/* Somebody waits until a child reports that it is ready. When it ends first, what it ends with is his, not the group's:
 * `told` is completed with it, or with THRUM_ESTATE. */
typedef struct child_start {
    thrum_future told;
    int32_t error;
    bool ready; /* the child has reported, and is an ordinary one */
    bool over;  /* or has ended without, and may be gone */
    void (*failed)(struct child_start *start, thrum_task *task, int error); /* called for that */
} child_start;

/* Spawn a child like that. */
thrum_task *thrum_group_spawn_starting(thrum_group *group, thrum_awaitable what, child_start *start);

#endif
