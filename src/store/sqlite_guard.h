/* What SQLite believes of the disk is made true first: see sqlite_guard.c. */
#ifndef STORE_SQLITE_GUARD_H
#define STORE_SQLITE_GUARD_H

/* The name of the VFS that every connection to a store is opened with; NULL: SQLite could not be set up. Any thread. */
const char *sqlite_guard_name(void);

#endif
