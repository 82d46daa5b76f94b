/**
 * @file thrum.h
 * Everything: asyncio for C. Each subject has a header of its own in thrum/.
 */
#ifndef THRUM_H
#define THRUM_H

#include <thrum/async.h>
#include <thrum/awaitables.h>
#include <thrum/blocks.h>
#include <thrum/errors.h>
#include <thrum/futures.h>
#include <thrum/handles.h>
#include <thrum/locks.h>
#include <thrum/pool.h>
#include <thrum/taskgroups.h>
#include <thrum/tasks.h>
#include <thrum/timeouts.h>
#include <thrum/types.h>
#include <thrum/version.h>

#if THRUM_HOSTED
#include <thrum/events.h>
#include <thrum/runners.h>
#include <thrum/servers.h>
#include <thrum/streams.h>
#endif

#endif
