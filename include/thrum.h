/**
 * @file thrum.h
 * Everything: asyncio for C. Each subject has a header of its own in thrum/.
 */
#ifndef THRUM_H
#define THRUM_H

#include <thrum/as_completed.h>
#include <thrum/async.h>
#include <thrum/awaitables.h>
#include <thrum/blocks.h>
#include <thrum/cancelscopes.h>
#include <thrum/channels.h>
#include <thrum/contextvars.h>
#include <thrum/devices.h>
#include <thrum/errors.h>
#include <thrum/futures.h>
#include <thrum/gather.h>
#include <thrum/generators.h>
#include <thrum/graph.h>
#include <thrum/handles.h>
#include <thrum/limiters.h>
#include <thrum/locks.h>
#include <thrum/pool.h>
#include <thrum/queues.h>
#include <thrum/race.h>
#include <thrum/rwlocks.h>
#include <thrum/serial.h>
#include <thrum/shield.h>
#include <thrum/staggered.h>
#include <thrum/streams.h>
#include <thrum/supervisors.h>
#include <thrum/taskgroups.h>
#include <thrum/tasks.h>
#include <thrum/tickers.h>
#include <thrum/timeouts.h>
#include <thrum/typedchannels.h>
#include <thrum/typedqueues.h>
#include <thrum/types.h>
#include <thrum/version.h>
#include <thrum/wait.h>

#if !THRUM_HOSTED
#include <thrum/bare.h>
#include <thrum/port.h>
#include <thrum/rings.h>
#endif

#if THRUM_HOSTED
#include <thrum/addresses.h>
#include <thrum/backends.h>
#include <thrum/carriers.h>
#include <thrum/cores.h>
#include <thrum/datagrams.h>
#include <thrum/debug.h>
#include <thrum/events.h>
#include <thrum/feeds.h>
#include <thrum/files.h>
#include <thrum/monitor.h>
#include <thrum/names.h>
#include <thrum/networks.h>
#include <thrum/pipelines.h>
#include <thrum/protocols.h>
#include <thrum/runners.h>
#include <thrum/servers.h>
#include <thrum/signals.h>
#include <thrum/sockets.h>
#include <thrum/stdstreams.h>
#include <thrum/subprocess.h>
#include <thrum/subprocess_protocols.h>
#include <thrum/terminals.h>
#include <thrum/thread_futures.h>
#include <thrum/threadqueues.h>
#include <thrum/threads.h>
#include <thrum/tls.h>
#include <thrum/transports.h>
#include <thrum/unixsockets.h>
#include <thrum/watches.h>
#endif

#endif
