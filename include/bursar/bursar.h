/* Everything of libbursar in one include.
 *
 *     cc host.c $(pkg-config --cflags --libs bursar)
 *
 * The library pays what a treasury has approved, each disbursement exactly once, on any chain that its host can reach:
 * the host brings a signer, a submitter and, where the chain confirms later, an observer, as callbacks (executor.h);
 * what is to be paid and what became of it is in a store (store.h). It never prints, never exits, installs no signal
 * handler and reads no environment variable. Every function that can fail returns an enum bursar_status and, where it
 * takes a `struct bursar_error *` (which may be NULL), says in one sentence what happened and what to do.
 *
 * Structs that may grow start with `size`: set it to sizeof the struct. Names of the library start with bursar_ or
 * BURSAR_; nothing else is exported. C++ hosts include this header, not the single ones. */
#ifndef BURSAR_BURSAR_H
#define BURSAR_BURSAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#include <bursar/amount.h>
#include <bursar/breaker.h>
#include <bursar/executor.h>
#include <bursar/status.h>
#include <bursar/store.h>
#include <bursar/types.h>

#ifdef __cplusplus
}
#endif

#endif
