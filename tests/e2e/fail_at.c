/* Preloaded into the program by test_crash_matrix.py: makes call number N of one kind fail, as an exhausted machine, a
 * full or a dying disk would.
 *
 *   FAIL_WHAT  malloc          malloc, calloc and realloc give NULL, to the program and to every library
 *              own_malloc      the same, where the program's own code calls them
 *              fsync           fsync and fdatasync fail with EIO
 *              write_enospc    writes to files (not to sockets, pipes, terminals) fail with ENOSPC; the first one that
 *                              fails still writes half of its bytes, as the last one that fits does
 *              store           sqlite3_step (or sqlite3_exec, as a whole) gives FAIL_CODE and does nothing
 *              store_rollback  the same; the open transaction is rolled back, as SQLite does by itself at some errors
 *              store_after     the call does its work, then gives FAIL_CODE: a commit may be there, or not
 *   FAIL_AT    N[,COUNT]       calls N to N + COUNT - 1 fail; no COUNT: all from N on; 0 or not given: count only
 *   FAIL_CODE                  an SQLite result code; not given: 10, SQLITE_IOERR
 *
 * Counts from main() on: what libraries do while they are loaded is not the program's. At the end, and where a call is
 * made to fail for the first time, a line on stderr says so. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <link.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

enum what { NOTHING, MALLOC, OWN_MALLOC, FSYNC, WRITE_ENOSPC, STORE, STORE_ROLLBACK, STORE_AFTER };

static const char *const WHAT_NAMES[] = {
    [NOTHING] = "nothing",
    [MALLOC] = "malloc",
    [OWN_MALLOC] = "own_malloc",
    [FSYNC] = "fsync",
    [WRITE_ENOSPC] = "write_enospc",
    [STORE] = "store",
    [STORE_ROLLBACK] = "store_rollback",
    [STORE_AFTER] = "store_after",
};

static enum what what;
static long first, last; /* these calls fail; 0: none */
static int store_code = 10;
static uintptr_t own_start, own_end; /* where the program itself lies */
static atomic_bool is_counting;
static atomic_long calls;

/* Past every interposed function, and without memory. */
__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
    char line[128];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    (void)!syscall(SYS_write, STDERR_FILENO, line, (size_t)length);
}

/* Counts a call of this kind. Is it to fail? ret_first: as the first one. */
static bool fails(enum what kind, bool *ret_first)
{
    if (kind != what || !is_counting)
        return false;
    long call = atomic_fetch_add(&calls, 1) + 1;
    bool is_first = call == first;
    if (ret_first)
        *ret_first = is_first;
    if (is_first)
        say("fail_at: %s %ld fails\n", WHAT_NAMES[what], call);
    return first > 0 && call >= first && call <= last;
}

static void *next(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    if (!found) {
        say("fail_at: there is no %s\n", name);
        _exit(125);
    }
    return found;
}

/* -- from main() to the end ---------------------------------------------------------------------------------------- */

typedef int main_function(int argc, char **argv, char **environment);
static main_function *real_main;

static void read_settings(void)
{
    const char *kind = getenv("FAIL_WHAT"), *at = getenv("FAIL_AT"), *code = getenv("FAIL_CODE");
    for (size_t i = 1; kind && i < sizeof WHAT_NAMES / sizeof *WHAT_NAMES; i++) {
        if (strcmp(kind, WHAT_NAMES[i]) == 0)
            what = (enum what)i;
    }
    char *end = NULL;
    first = at ? strtol(at, &end, 10) : 0;
    last = end && *end == ',' ? first + strtol(end + 1, NULL, 10) - 1 : LONG_MAX;
    if (code)
        store_code = (int)strtol(code, NULL, 10);
}

/* The program comes first in the list. */
static int find_program(struct dl_phdr_info *info, size_t bytes, void *context)
{
    (void)bytes, (void)context;
    own_start = UINTPTR_MAX;
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        if (info->dlpi_phdr[i].p_type != PT_LOAD)
            continue;
        uintptr_t start = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
        own_start = start < own_start ? start : own_start;
        own_end = start + info->dlpi_phdr[i].p_memsz;
    }
    return 1;
}

static int counted_main(int argc, char **argv, char **environment)
{
    read_settings();
    (void)dl_iterate_phdr(find_program, NULL);
    is_counting = true;
    return real_main(argc, argv, environment);
}

int __libc_start_main(main_function *main, int argc, char **argv, void (*init)(void), void (*fini)(void),
                      void (*rtld_fini)(void), void *stack_end)
{
    int (*real)(main_function *, int, char **, void (*)(void), void (*)(void), void (*)(void), void *) =
        (int (*)(main_function *, int, char **, void (*)(void), void (*)(void), void (*)(void), void *))next(
            "__libc_start_main");
    real_main = main;
    return real(counted_main, argc, argv, init, fini, rtld_fini, stack_end);
}

__attribute__((destructor)) static void say_count(void)
{
    if (what != NOTHING)
        say("fail_at: %ld calls\n", atomic_load(&calls));
}

/* -- memory -------------------------------------------------------------------------------------------------------- */

extern void *__libc_malloc(size_t bytes);
extern void *__libc_calloc(size_t count, size_t bytes);
extern void *__libc_realloc(void *memory, size_t bytes);

/* Of the program itself, not of a library? */
static bool is_own(const void *caller)
{
    return (uintptr_t)caller >= own_start && (uintptr_t)caller < own_end;
}

static bool no_memory(const void *caller)
{
    if (!(what == OWN_MALLOC ? is_own(caller) && fails(OWN_MALLOC, NULL) : fails(MALLOC, NULL)))
        return false;
    errno = ENOMEM;
    return true;
}

void *malloc(size_t bytes)
{
    return no_memory(__builtin_return_address(0)) ? NULL : __libc_malloc(bytes);
}

void *calloc(size_t count, size_t bytes)
{
    return no_memory(__builtin_return_address(0)) ? NULL : __libc_calloc(count, bytes);
}

void *realloc(void *memory, size_t bytes)
{
    return no_memory(__builtin_return_address(0)) ? NULL : __libc_realloc(memory, bytes);
}

/* -- the disk ------------------------------------------------------------------------------------------------------ */

/* A sync that is made, or fails. */
#define SYNC(name)                                                                                                     \
    int name(int fd)                                                                                                   \
    {                                                                                                                  \
        if (fails(FSYNC, NULL)) {                                                                                      \
            errno = EIO;                                                                                               \
            return -1;                                                                                                 \
        }                                                                                                              \
        return (int)syscall(SYS_##name, fd);                                                                           \
    }

SYNC(fsync)
SYNC(fdatasync)

static bool is_file(int fd)
{
    struct stat file;
    return fstat(fd, &file) == 0 && S_ISREG(file.st_mode);
}

/* How many of these bytes the disk still takes; 0 and errno: none. */
static size_t fitting(int fd, size_t bytes)
{
    bool is_first = false;
    if (what != WRITE_ENOSPC || !is_file(fd) || !fails(WRITE_ENOSPC, &is_first))
        return bytes;
    if (is_first && bytes > 1)
        return bytes / 2;
    errno = ENOSPC;
    return 0;
}

ssize_t write(int fd, const void *data, size_t bytes)
{
    size_t fit = fitting(fd, bytes);
    return fit == 0 && bytes > 0 ? -1 : syscall(SYS_write, fd, data, fit);
}

ssize_t pwrite(int fd, const void *data, size_t bytes, off_t at)
{
    size_t fit = fitting(fd, bytes);
    return fit == 0 && bytes > 0 ? -1 : syscall(SYS_pwrite64, fd, data, fit, at);
}

ssize_t pwrite64(int fd, const void *data, size_t bytes, off64_t at)
{
    return pwrite(fd, data, bytes, at);
}

/* -- the store ----------------------------------------------------------------------------------------------------- */

struct sqlite3;
struct sqlite3_stmt;

static int told_code;   /* 0: SQLite knows its last error itself */
static bool is_in_exec; /* sqlite3_exec steps too, and would not hear of an error that SQLite itself knows nothing of */

static void roll_back(struct sqlite3 *db)
{
    int (*real)(struct sqlite3 *, const char *, void *, void *, char **) =
        (int (*)(struct sqlite3 *, const char *, void *, void *, char **))next("sqlite3_exec");
    is_in_exec = true;
    (void)real(db, "ROLLBACK", NULL, NULL, NULL); /* fails where no transaction is open */
    is_in_exec = false;
}

static bool store_fails(struct sqlite3 *db)
{
    bool does_fail = fails(STORE, NULL) || fails(STORE_ROLLBACK, NULL) || fails(STORE_AFTER, NULL);
    if (does_fail && what == STORE_ROLLBACK)
        roll_back(db);
    told_code = does_fail ? store_code : 0;
    return does_fail;
}

int sqlite3_step(struct sqlite3_stmt *statement)
{
    static int (*_Atomic real)(struct sqlite3_stmt *);
    static struct sqlite3 *(*_Atomic db_of)(struct sqlite3_stmt *);
    if (!real || !db_of) {
        real = (int (*)(struct sqlite3_stmt *))next("sqlite3_step");
        db_of = (struct sqlite3 * (*)(struct sqlite3_stmt *)) next("sqlite3_db_handle");
    }
    if (is_in_exec || !store_fails(db_of(statement)))
        return real(statement);
    if (what == STORE_AFTER)
        (void)real(statement);
    return store_code;
}

int sqlite3_exec(struct sqlite3 *db, const char *sql, int (*row)(void *, int, char **, char **), void *context,
                 char **ret_message)
{
    int (*real)(struct sqlite3 *, const char *, int (*)(void *, int, char **, char **), void *, char **) = (int (*)(
        struct sqlite3 *, const char *, int (*)(void *, int, char **, char **), void *, char **))next("sqlite3_exec");
    if (is_in_exec) /* SQLite itself, reading the schema */
        return real(db, sql, row, context, ret_message);
    bool does_fail = store_fails(db);
    if (does_fail && what != STORE_AFTER)
        return store_code;
    is_in_exec = true;
    int code = real(db, sql, row, context, ret_message);
    is_in_exec = false;
    return does_fail ? store_code : code;
}

int sqlite3_extended_errcode(struct sqlite3 *db)
{
    int (*real)(struct sqlite3 *) = (int (*)(struct sqlite3 *))next("sqlite3_extended_errcode");
    return told_code ? told_code : real(db);
}

const char *sqlite3_errmsg(struct sqlite3 *db)
{
    const char *(*real)(struct sqlite3 *) = (const char *(*)(struct sqlite3 *))next("sqlite3_errmsg");
    return told_code ? "made to fail" : real(db);
}
