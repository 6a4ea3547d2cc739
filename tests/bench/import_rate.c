/* How fast rows enter a store: `import_rate [ROWS [DIRECTORY]]` imports that many simple rows (200,000) in one durable
 * transaction into a new store in DIRECTORY (.), prints rows a second, and removes the store again. */
#include "base/bytes.h"
#include "base/time.h"
#include "store/sqlite_store.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#define ROWS_DEFAULT 200000
#define ROWS_MAX 100000000

static enum bursar_status import_rows(struct store *store, int64_t treasury, uint64_t rows, struct bursar_error *err)
{
    enum bursar_status status = store->import_begin(store->ctx, treasury, "bench.csv", "bench", 1, err);
    for (uint64_t i = 0; i < rows && status == BURSAR_OK; i++) {
        char ref[REF_MAX_BYTES + 1];
        (void)snprintf(ref, sizeof ref, "payroll-2026-01/%" PRIu64, i);
        struct import_row row = { .line = i + 2,
                                  .obligation = { .ref = ref,
                                                  .amount = bursar_amount_from_u64(1000000000000000000u + i),
                                                  .memo = "salary, January" } };
        for (unsigned b = 0; b < sizeof i; b++) { /* as scattered as real addresses and hashes are */
            row.obligation.destination.bytes[b] = (uint8_t)((i * 0x9e3779b97f4a7c15u) >> (8 * b));
            row.content_hash.bytes[b] = (uint8_t)((i * 0xbf58476d1ce4e5b9u) >> (8 * b));
        }
        enum import_outcome outcome;
        int64_t id;
        uint64_t line;
        status = store->import_add(store->ctx, &row, &outcome, &id, &line, err);
    }
    bool committed = false;
    if (status == BURSAR_OK)
        status = store->import_end(store->ctx, true, NULL, NULL, &committed, err);
    return status == BURSAR_OK && !committed ? bursar_fail(err, BURSAR_EINTERNAL, "nothing was committed") : status;
}

static enum bursar_status measure(const char *path, uint64_t rows, struct bursar_error *err)
{
    struct sqlite_store *sqlite = NULL;
    enum bursar_status status = sqlite_store_create(path, &sqlite, err);
    if (status != BURSAR_OK)
        return status;
    struct store store = sqlite_store_interface(sqlite);
    struct clock clock = system_clock();
    const struct bursar_address account = { { 0xf3, 0x9f } };
    int64_t treasury = 0;
    status = store.treasury_add(store.ctx, "main", 31337, &account, "block/120", &treasury, err);
    uint64_t start_ms = clock.monotonic_ms(clock.ctx);
    if (status == BURSAR_OK)
        status = import_rows(&store, treasury, rows, err);
    uint64_t took_ms = clock.monotonic_ms(clock.ctx) - start_ms;
    if (status == BURSAR_OK)
        (void)printf("%" PRIu64 " rows in %" PRIu64 " ms: %" PRIu64 " rows/s\n", rows, took_ms,
                     rows * 1000 / (took_ms ? took_ms : 1));
    sqlite_store_close(sqlite);
    return status;
}

int main(int argc, char **argv)
{
    uint64_t rows = ROWS_DEFAULT;
    char path[4096];
    struct bursar_error err = { 0 };
    if (argc > 3 || (argc > 1 && !u64_from_text(argv[1], strlen(argv[1]), 1, ROWS_MAX, &rows))) {
        (void)fprintf(stderr, "usage: import_rate [ROWS [DIRECTORY]]\n");
        return 2;
    }
    if (snprintf(path, sizeof path, "%s/import_rate.db", argc > 2 ? argv[2] : ".") >= (int)sizeof path)
        return 2;
    enum bursar_status status = measure(path, rows, &err);
    if (status != BURSAR_EEXIST)
        (void)unlink(path);
    if (status == BURSAR_OK)
        return 0;
    (void)fprintf(stderr, "import_rate: %s\n", err.message);
    return 1;
}
