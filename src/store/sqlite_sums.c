/* See sqlite_sums.h. */
#include "store/sqlite_sums.h"

#include <stdint.h>
#include <string.h>

/* Big-endian, right-aligned; false for what is no amount and no sum. */
static bool read_sum(sqlite3_value *value, uint8_t ret[SUM_BYTES])
{
    const void *bytes = sqlite3_value_blob(value);
    size_t length = (size_t)sqlite3_value_bytes(value);
    memset(ret, 0, SUM_BYTES);
    if (length > SUM_BYTES)
        return false;
    if (bytes)
        memcpy(ret + SUM_BYTES - length, bytes, length);
    return true;
}

/* Wraps around at its width, both ways: what was added and is taken away again leaves no trace. */
static void owed_sum(sqlite3_context *context, int count, sqlite3_value **values)
{
    uint8_t sum[SUM_BYTES], other[SUM_BYTES];
    (void)count;
    if (!read_sum(values[0], sum) || !read_sum(values[1], other)) {
        sqlite3_result_error(context, "owed_sum: not an amount", -1);
        return;
    }
    bool adds = sqlite3_value_int(values[2]) >= 0;
    int carry = 0;
    for (size_t i = SUM_BYTES; i-- > 0;) {
        int digit = adds ? sum[i] + other[i] + carry : sum[i] - other[i] - carry;
        carry = digit < 0 || digit > 0xff;
        sum[i] = (uint8_t)(digit & 0xff);
    }
    sqlite3_result_blob(context, sum, SUM_BYTES, SQLITE_TRANSIENT);
}

bool sqlite_sums_install(sqlite3 *db)
{
    return sqlite3_create_function_v2(db, "owed_sum", 3, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS, NULL,
                                      owed_sum, NULL, NULL, NULL) == SQLITE_OK;
}
