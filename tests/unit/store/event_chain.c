/* The event chain, checked by someone who only knows how it is documented: SHA-256 over "bursar-event-v1", the hash
 * that the event before carries on, and every field; numbers as 8 big-endian bytes, texts behind their length. */
#include "store_fixture.h"

#include <nettle/sha2.h>

static void add_number(struct sha256_ctx *sha, int64_t number)
{
    uint8_t bytes[8];
    for (unsigned i = 0; i < 8; i++)
        bytes[7 - i] = (uint8_t)((uint64_t)number >> (8 * i));
    sha256_update(sha, sizeof bytes, bytes);
}

static void add_text(struct sha256_ctx *sha, const char *text)
{
    add_number(sha, (int64_t)strlen(text));
    sha256_update(sha, strlen(text), (const uint8_t *)text);
}

size_t check_event_chain(struct fixture *f)
{
    uint8_t expected[32] = { 0 };
    int64_t count = 0;
    sqlite3_stmt *stmt = NULL;
    (void)raw_number(f, "SELECT 1"); /* opens the second connection */
    assert_int_equal(sqlite3_prepare_v2(f->raw,
                                        "SELECT prev_hash, seq, treasury, disbursement, intent, at_ms, cause, "
                                        "from_state, to_state, actor, detail FROM event ORDER BY seq",
                                        -1, &stmt, NULL),
                     SQLITE_OK);
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        struct sha256_ctx sha;
        assert_int_equal(sqlite3_column_int64(stmt, 1), ++count); /* no gap */
        assert_int_equal(sqlite3_column_bytes(stmt, 0), sizeof expected);
        assert_memory_equal(sqlite3_column_blob(stmt, 0), expected, sizeof expected);
        sha256_init(&sha);
        add_text(&sha, "bursar-event-v1");
        sha256_update(&sha, sizeof expected, expected);
        for (int column = 1; column <= 8; column++)
            add_number(&sha, sqlite3_column_int64(stmt, column));
        add_text(&sha, (const char *)sqlite3_column_text(stmt, 9));
        add_text(&sha, (const char *)sqlite3_column_text(stmt, 10));
        sha256_digest(&sha, sizeof expected, expected);
    }
    assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
    return (size_t)count;
}
