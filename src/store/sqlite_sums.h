/* Sums of amounts inside SQL: exact, where SQLite's own numbers have 63 bits. */
#ifndef STORE_SQLITE_SUMS_H
#define STORE_SQLITE_SUMS_H

#include <bursar/status.h>

#include <sqlite3.h>
#include <stdbool.h>

#define SUM_BYTES 40 /* 2^64 amounts of 2^256 - 1 fit */

/* Gives a connection owed_sum(a, b, sign), which the triggers of the schema call: without it nothing that is owed can
 * be written. False: out of memory. */
BURSAR_MUST_CHECK bool sqlite_sums_install(sqlite3 *db);

#endif
