/* The schema's history: element i takes a store from version i to i + 1. */
#ifndef STORE_SQLITE_MIGRATIONS_H
#define STORE_SQLITE_MIGRATIONS_H

extern const char *const SQLITE_MIGRATIONS[];
extern const int SQLITE_MIGRATION_COUNT;

#endif
