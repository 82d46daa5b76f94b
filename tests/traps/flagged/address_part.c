#include "../trap.h"

struct message {
    int kind;
    char text[16];
};

ASYNC(part, ARGS_NONE, LOCALS_NONE)
{
    struct message message;
    ASYNC_BEGIN;
    message.kind = 1;
    AWAIT(read_some(&message.text[4], 12)); // finds address-into-await: 'message'
    ASYNC_END;
}
