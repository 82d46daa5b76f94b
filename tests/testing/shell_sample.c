/* The shell, with everything that can come in between, and somebody at the other end of the line. */
#include "samples_board.h"

#include "../../samples/bare/shell/main.c"
#undef main

static ASYNC(board, ARGS((thrum_stream *, line), (void *, context)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    samples_console = self->line;
    AWAIT(app());
    ASYNC_END;
}

/* What is typed, and all that the shell says before the next is. The last one has no keys: there the line ends, or has
 * ended. */
typedef struct exchange {
    const char *keys, *answer;
} exchange;

static ASYNC(type, ARGS((void *, context)),
             LOCALS(const exchange *next; thrum_stream * line; char text[160]; size_t size;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->line, thrum_test_connect(board, NULL, NULL));
    for (self->next = (const exchange *)self->context;; self->next++) {
        if (self->next->keys)
            AWAIT(thrum_stream_write(self->line, self->next->keys, strlen(self->next->keys)));
        else
            (void)thrum_stream_write_eof(self->line);
        self->size = strlen(self->next->answer);
        AWAIT(thrum_timeout(SECONDS(60), thrum_stream_read_exactly(self->line, self->text, self->size)));
        if (memcmp(self->text, self->next->answer, self->size) != 0)
            ASYNC_RAISE(THRUM_EAPP(1));
        if (!self->next->keys)
            break;
    }
    AWAIT_INTO(self->size, thrum_stream_read(self->line, self->text, 1));
    if (self->size != 0)
        ASYNC_RAISE(THRUM_EAPP(2));
FINALLY:
    thrum_stream_release(self->line);
    ASYNC_END;
}

#define GREETING "help says what there is\r\n> "

TEST_LIMIT(testing_samples, shell, 60)
{
    static const exchange all[] = {{"", GREETING},
                                   {"ecko\b\bho  hi\r", "ecko\b \b\b \bho  hi\r\n hi\r\n> "},
                                   {"\033[Anonsense\n", "nonsense\r\nwhat? (help says)\r\n> "},
                                   {"\r", "\r\n> "},
                                   {"xy\025\003", "xy\b \b\b \b^C\r\n> "},
                                   {"count 2\r", "count 2\r\n1\r\n2\r\nthe count is over\r\n> "},
                                   {"\004", "\r\n"},
                                   {NULL, ""}};
    explore_sample(type, (void *)(uintptr_t)all, NULL, 20);
}

/* Ctrl-C while a command is at work: it cleans up. */
TEST_LIMIT(testing_samples, shell_interrupted, 60)
{
    static const exchange all[] = {{"", GREETING},
                                   {"count 9\r", "count 9\r\n1\r\n2\r\n"},
                                   {"\003", "the count is over\r\n^C\r\n> "},
                                   {"\004", "\r\n"},
                                   {NULL, ""}};
    explore_sample(type, (void *)(uintptr_t)all, NULL, 10);
}

/* Ctrl-C right behind the line: the command has begun. */
TEST_LIMIT(testing_samples, shell_interrupted_at_once, 60)
{
    static const exchange all[] = {{"", GREETING},
                                   {"count 9\r\003", "count 9\r\n1\r\nthe count is over\r\n^C\r\n> "},
                                   {"echo here\r", "echo here\r\nhere\r\n> "},
                                   {"\004", "\r\n"},
                                   {NULL, ""}};
    explore_sample(type, (void *)(uintptr_t)all, NULL, 10);
}

/* A line that ends waits for the command. */
TEST_LIMIT(testing_samples, shell_ends_while_a_command_runs, 60)
{
    static const exchange all[] = {
        {"", GREETING}, {"count 2\r", "count 2\r\n1\r\n"}, {NULL, "2\r\nthe count is over\r\n> \r\n"}};
    explore_sample(type, (void *)(uintptr_t)all, NULL, 5);
}
