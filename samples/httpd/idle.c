/* Connections that wait. Of a server that keeps them open nearly all do, so they are to hold little; and they are to go
 * when their time is up, or when the server stops. */
#include "site.h"

static bool empty(const idle_list *list)
{
    return list->links.next == &list->links;
}

static void take_off(idle_link *link)
{
    link->next->previous = link->previous;
    link->previous->next = link->next;
    link->next = NULL;
}

/* The time of the first one is up, if that is still there. A cancellation comes out of the await that waits for a
 * request: such a connection has nothing to finish. */
static void look(thrum_handle *timer)
{
    idle_list *list = (idle_list *)timer->context;
    while (!empty(list) && list->links.next->until <= thrum_now()) {
        thrum_task *task = list->links.next->task;
        take_off(list->links.next);
        (void)thrum_task_cancel(task);
    }
    if (!empty(list))
        (void)thrum_call_at(list->links.next->until, timer);
}

static void open_list(idle_list *list)
{
    list->links.next = list->links.previous = &list->links;
    thrum_handle_init(&list->timer, look, list);
}

void idle_open(struct site *site)
{
    open_list(&site->silent);
    open_list(&site->kept);
    open_list(&site->talking);
}

void idle_begin(idle_list *list, idle_link *link, thrum_time patience)
{
    link->task = thrum_current_task();
    link->until = patience == THRUM_NEVER ? THRUM_NEVER : thrum_now() + patience;
    if (empty(list))
        (void)thrum_call_at(link->until, &list->timer);
    link->next = &list->links;
    link->previous = list->links.previous;
    link->previous->next = link;
    list->links.previous = link;
}

/* The timer stays where it is while others wait: it comes early then, once. */
void idle_end(idle_link *link)
{
    if (!link->next)
        return;
    idle_list *last = link->next == link->previous ? (idle_list *)(void *)link->next : NULL;
    take_off(link);
    if (last)
        (void)thrum_handle_cancel(&last->timer);
}

bool idle_any(const struct site *site)
{
    return !empty(&site->silent) || !empty(&site->kept) || !empty(&site->talking);
}

static void stop(const idle_list *list)
{
    for (const idle_link *link = list->links.next; link != &list->links; link = link->next)
        (void)thrum_task_cancel(link->task);
}

void connections_stop(struct site *site)
{
    site->stopping = true;
    stop(&site->silent);
    stop(&site->kept);
    stop(&site->talking);
}
