/* The inside of the bare-metal loop. */
#ifndef THRUM_LOOP_BARE_BARE_H
#define THRUM_LOOP_BARE_BARE_H

#include <thrum/bare.h>

/* What takes up what interrupts have posted, while there is any; NULL. Signals come with the first one that is posted
 * (signals.c): a program without any has nothing of them. */
extern void (*volatile bare_posts)(void);

#endif
