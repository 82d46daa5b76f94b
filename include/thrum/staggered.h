/**
 * @file staggered.h
 * A race whose runners start one after the other: the next one when the one before has failed, or has taken too long.
 * This is what connects to whichever of a host's addresses answers first ("happy eyeballs", RFC 8305).
 */
#ifndef THRUM_STAGGERED_H
#define THRUM_STAGGERED_H

#include <thrum/gather.h>

THRUM_BEGIN_DECLS

/** Makes the awaitable of the runner with a number. It is called in the task that waits for the race, when it is that
 * runner's turn. */
typedef thrum_awaitable thrum_race_starter(void *context, size_t index);

/**
 * Start runner 0, then another one whenever the one that was started last has failed, or a delay has passed; the first
 * that succeeds wins (of several in one pass that with the lowest number), all others are cancelled and joined.
 * Cancelling the race cancels them all; THRUM_ECANCELED comes out when they have ended.
 * [awaits · one block of the pool and a task for each runner · this loop's thread only]
 *
 * @param count     how many runners there are
 * @param start     makes them
 * @param context   for `start`
 * @param delay     ticks from one start to the next; THRUM_NEVER: one after the other has failed
 * @param winner    where its number goes; NULL: it is not wanted. Outlives the await.
 * @param outcomes  room for `count` outcomes; NULL: none is wanted. The error of one that was not started is
 *                  THRUM_EPENDING, that of one that did not win THRUM_ECANCELED or its own. Written also when the race
 *                  gives THRUM_EGROUP. Outlives the await.
 * @return gives the winner's result; THRUM_EGROUP when all have failed, with their errors in
 *         thrum_error_last()->errors; THRUM_ECANCELED; THRUM_ENOMEM; THRUM_EINVAL for none
 *
 * asyncio: staggered.staggered_race
 */
THRUM_API thrum_awaitable thrum_staggered_race(size_t count, thrum_race_starter *start, void *context, thrum_time delay,
                                               size_t *winner, thrum_outcome *outcomes) THRUM_MUST_USE_;

THRUM_END_DECLS

#endif
