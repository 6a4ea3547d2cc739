/* What every test of the SQLite store starts from: a store in a directory of its own, a pinned treasury, and short ways
 * to take rows through their lives. Fails the running test when a step that should work does not. */
#ifndef TESTS_STORE_FIXTURE_H
#define TESTS_STORE_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "store/sqlite_core.h"

#include <stdio.h>

#define FIRST_NONCE 7
#define ANCHOR_NUMBER 100
#define CHAIN_ID 31337
#define NOW_MS 1760000000000u

struct fixture {
    char directory[128];
    char path[160];
    struct sqlite_store *sqlite;
    struct store store;
    sqlite3 *raw; /* a second connection that knows nothing of our rules; opened when first asked for */
    int64_t treasury;
    struct fence fence;
    struct bursar_error err;
};

/* cmocka set-ups: an empty directory; a store with a pinned treasury; that with the lease taken. */
int set_up_directory(void **state);
int set_up_store(void **state);
int set_up_leased(void **state);
int tear_down(void **state);

/* A call of the fixture's store that must end in `status`. */
#define EXPECT(f, status, method, ...)                                                                                 \
    expect_status((f)->store.method((f)->store.ctx, __VA_ARGS__, &(f)->err), (status), &(f)->err, __FILE__, __LINE__)
#define OK(f, method, ...) EXPECT(f, BURSAR_OK, method, __VA_ARGS__)
void expect_status(enum bursar_status got, enum bursar_status wanted, const struct bursar_error *err, const char *file,
                   int line);
#define assert_contains(text, part) assert_non_null(strstr((text), (part)))

/* The same store through another handle, as another process would have it. */
struct fixture open_again(const struct fixture *f, enum sqlite_mode mode);
void close_again(struct fixture *again);

void raw_run(struct fixture *f, const char *sql);
/* The statement must be refused by the database, for a reason with `because` in it. */
void raw_refused(struct fixture *f, const char *sql, const char *because);
int64_t raw_number(struct fixture *f, const char *sql);
int64_t raw_number_of(struct fixture *f, const char *sql, int64_t argument);
/* Every row of every table as text; free() it. */
char *dump(struct fixture *f);
/* A whole file; free() it. */
char *file_bytes(const char *path, size_t *ret_bytes);

struct bursar_hash hash_of(uint64_t seed);
struct block_mark mark_at(uint64_t number, uint64_t fork);

/* A row to import; zero means "as simple as can be". */
struct row {
    const char *ref;
    uint64_t amount_wei; /* 0: 1000 */
    enum schedule_kind schedule;
    uint64_t schedule_value;
    const struct bursar_address *token; /* NULL: the native coin */
    const char *depends_on[4];
    uint64_t content; /* another number, another content */
};
enum import_outcome add_row(struct fixture *f, const struct row *row, uint64_t line, int64_t *ret_id,
                            uint64_t *ret_line);
/* Imports rows in one transaction; returns the id of the first. */
int64_t import_rows(struct fixture *f, const struct row *rows, size_t count);
int64_t import_one(struct fixture *f, const char *ref);
/* Rows "PREFIX0", "PREFIX1", ...; each waits for `depends_on` unless NULL. */
int64_t import_many(struct fixture *f, const char *prefix, size_t count, const char *depends_on);

struct binding binding_of(struct fixture *f, int64_t disbursement, uint64_t nonce);
uint64_t next_nonce_of(struct fixture *f);
/* Binds at the lane's next nonce; returns the intent. */
int64_t bind_row(struct fixture *f, int64_t disbursement);
struct new_attempt attempt_of(int64_t intent, uint64_t seed);
/* Signed bytes that `seed` makes unique; returns the attempt. */
int64_t sign_intent(struct fixture *f, int64_t intent, uint64_t seed);
int64_t intent_of(struct fixture *f, int64_t attempt);
void include_attempt(struct fixture *f, int64_t attempt, struct block_mark block);
void finish_attempt(struct fixture *f, int64_t attempt, bool succeeded);
/* All of it: bound, signed, included in block 101, final. Returns the attempt. */
int64_t pay_row(struct fixture *f, int64_t disbursement, bool succeeded);

enum disbursement_state state_of(struct fixture *f, int64_t disbursement);
/* What triggers keep of the disbursements is what anybody who goes through the rows comes to: the sums of what is owed;
 * how many are in each state. */
void assert_sums(struct fixture *f);
void assert_counts(struct fixture *f);
/* Recomputes the whole event chain from the table; returns how many events there are. */
size_t check_event_chain(struct fixture *f);

#endif
