/* Transports that the loop closes, and what debug mode says of them. */
#include "protocols.h"

/* Whoever was made is told of both ends, with what was written sent as far as the system takes it. */
TEST(transports_end, loop_closes)
{
    thrum_pool_stats stats;
    thrum_loop *loop;
    noted what[2];
    wire both[2];
    memset(what, 0, sizeof what);
    CHECK_EQ(thrum_loop_new(&loop, NULL), 0);
    both[0] = wire_open(&what[0]);
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_STR(what[0].calls, "M");
    both[1] = wire_open(&what[1]);
    CHECK_EQ(thrum_transport_write(both[0].transport, "bye", 3), 0);
    thrum_transport_release(both[0].transport);
    CHECK_EQ(thrum_loop_close(loop), 0);
    CHECK_STR(what[0].calls, "ML");
    CHECK_EQ(what[0].error, THRUM_ECLOSED);
    CHECK_STR(what[1].calls, "ML");
    CHECK_STR(peer_read(&(pair){.peer = both[0].peer}), "bye");
    CHECK_STR(peer_read(&(pair){.peer = both[0].peer}), "(end)");
    CHECK_EQ(thrum_transport_write(both[1].transport, "late", 4), 0);
    thrum_transport_release(both[1].transport);
    thrum_pool_stats_get(&stats);
    CHECK_EQ(stats.blocks, 0);
    close(both[0].peer);
    close(both[1].peer);
}

static int unclosed, other;

static void note_unclosed(void *context, const char *line)
{
    (void)context;
    if (strncmp(line, "unclosed transport", 18) == 0)
        unclosed++;
    else
        other++;
}

/* Debug mode names what nobody has closed, once; not what was closed and is only to be told so. */
TEST(transports_end, unclosed)
{
    const thrum_loop_options debug = {.size = sizeof debug, .debug = true};
    thrum_loop *loop;
    noted what[3];
    wire all[3];
    memset(what, 0, sizeof what);
    thrum_log_set(note_unclosed, NULL);
    CHECK_EQ(thrum_loop_new(&loop, &debug), 0);
    for (int i = 0; i < 3; i++)
        all[i] = wire_open(&what[i]);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(thrum_loop_step(loop, 0), 0);
    thrum_transport_close(all[1].transport);
    thrum_transport_abort(all[2].transport);
    CHECK_EQ(thrum_loop_close(loop), 0);
    CHECK_EQ(unclosed, 1);
    CHECK_EQ(other, 0);
    thrum_log_set(NULL, NULL);
    for (int i = 0; i < 3; i++) {
        CHECK_STR(what[i].calls, "ML");
        CHECK_EQ(what[i].error, i ? 0 : THRUM_ECLOSED);
        thrum_transport_release(all[i].transport);
        close(all[i].peer);
    }
}
