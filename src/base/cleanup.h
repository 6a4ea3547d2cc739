/* Scope cleanup: `cleanup(buf_free) struct buf out = {0};` runs when the variable leaves its scope. */
#ifndef BASE_CLEANUP_H
#define BASE_CLEANUP_H

#define cleanup(function) __attribute__((cleanup(function)))
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#endif
