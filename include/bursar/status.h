/* Status codes: what went wrong and, with it, what the caller should do next.
 *
 * One list; every function of the library that can fail returns one of these and, where it takes a
 * `struct bursar_error *`, fills in a sentence a person can act on. Numbers are pinned: append only. */
#ifndef BURSAR_STATUS_H
#define BURSAR_STATUS_H

#include <stddef.h>

#if defined(__GNUC__)
#define BURSAR_MUST_CHECK __attribute__((warn_unused_result))
#define BURSAR_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define BURSAR_MUST_CHECK
#define BURSAR_PRINTF(fmt, args)
#endif

/* What to do about a status. */
enum bursar_remedy {
    BURSAR_REMEDY_NONE = 0,  /* nothing went wrong */
    BURSAR_REMEDY_FIX = 1,   /* the input or the configuration must change; trying again changes nothing */
    BURSAR_REMEDY_RETRY = 2, /* try again later: the world may have moved on */
    BURSAR_REMEDY_LOOK = 3,  /* the outcome is unknown: look before acting again */
    BURSAR_REMEDY_STOP = 4,  /* stop spending: a person must look */
};

/* name, number, remedy, text */
#define BURSAR_STATUS_LIST(X)                                                                                          \
    X(OK, 0, NONE, "ok")                                                                                               \
    X(EINTERNAL, 1, STOP, "internal error")                                                                            \
    X(EUSAGE, 2, FIX, "wrong usage")                                                                                   \
    X(EINVAL, 3, FIX, "invalid input")                                                                                 \
    X(EUNREACHABLE, 4, RETRY, "not reachable")                                                                         \
    X(ENOTFOUND, 5, FIX, "not found")                                                                                  \
    X(EREFUSED, 6, STOP, "refused for safety")                                                                         \
    X(EUNKNOWN, 7, LOOK, "outcome unknown")                                                                            \
    X(ENOMEM, 8, RETRY, "out of memory")                                                                               \
    X(ELIMIT, 9, FIX, "limit exceeded")                                                                                \
    X(EEXIST, 10, FIX, "already exists")                                                                               \
    X(ECONFLICT, 11, FIX, "conflicts with what is stored")                                                             \
    X(ESTORAGE, 12, STOP, "storage error")                                                                             \
    X(EBUSY, 13, RETRY, "held by another")                                                                             \
    X(ESTALE, 14, RETRY, "the row changed under us")                                                                   \
    X(EFENCED, 15, STOP, "the lease has passed to another executor")                                                   \
    X(EPROTOCOL, 16, RETRY, "the node gave a malformed answer")                                                        \
    X(ECANCELLED, 17, RETRY, "given up on request")                                                                    \
    X(EEQUIVOCATION, 18, STOP, "another payload was already signed for this nonce")

enum bursar_status {
#define X(name, number, remedy, text) BURSAR_##name = (number),
    BURSAR_STATUS_LIST(X)
#undef X
};

#define BURSAR_ERROR_MESSAGE_MAX_BYTES 512

/* A status with its sentence. Owned by the caller; zero-initialise before use. */
struct bursar_error {
    enum bursar_status status;
    char message[BURSAR_ERROR_MESSAGE_MAX_BYTES];
};

/* Fixed English text of a status; never NULL. */
const char *bursar_status_text(enum bursar_status status);
enum bursar_remedy bursar_status_remedy(enum bursar_status status);

/* Fills `err` (may be NULL) and returns `status`, so that `return bursar_fail(err, ...)` is one line. */
enum bursar_status bursar_fail(struct bursar_error *err, enum bursar_status status, const char *format, ...)
    BURSAR_PRINTF(3, 4);
#ifdef __clang_analyzer__
/* The analyzer does not look into the function; it must know that the status comes back as it went in. */
#define bursar_fail(err, status, ...) ((void)(bursar_fail)((err), (status), __VA_ARGS__), (status))
#endif

#endif
