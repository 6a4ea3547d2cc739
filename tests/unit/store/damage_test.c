/* A damaged store: no crash, no guess, a sentence that says so. */
#include "store_fixture.h"

#include <unistd.h>

#define PAGE_BYTES 4096
#define ROWS 300

static enum bursar_status saw(void *ctx, const struct disbursement_record *record)
{
    *(size_t *)ctx += strlen(record->ref) > 0;
    return BURSAR_OK;
}

static enum bursar_status saw_event(void *ctx, const struct event_record *record)
{
    *(size_t *)ctx += strlen(record->actor) > 0;
    return BURSAR_OK;
}

static enum bursar_status saw_attempt(void *ctx, const struct attempt_record *record)
{
    *(size_t *)ctx += record->seq;
    return BURSAR_OK;
}

static void saw_dependency(void *ctx, const char *text)
{
    *(size_t *)ctx += strlen(text);
}

static void set_up_file(struct fixture *f)
{
    int64_t first = import_many(f, "row-", ROWS, NULL);
    (void)import_many(f, "dependent-", 20, "row-5");
    for (int i = 0; i < 40; i++)
        (void)pay_row(f, first + i, i % 5 != 0);
    (void)sqlite3_close(f->raw);
    sqlite_store_close(f->sqlite);
    f->raw = NULL;
    f->sqlite = NULL;
}

/* Opens, reads and writes; returns the first failure. */
static enum bursar_status use(struct fixture *f)
{
    struct sqlite_store *sqlite = NULL;
    enum bursar_status status = sqlite_store_open(f->path, SQLITE_MODE_WRITE, NULL, NULL, &sqlite, &f->err);
    if (status != BURSAR_OK)
        return status;
    struct store store = sqlite_store_interface(sqlite);
    const struct list_filter everything = { .limit = LIST_MAX_ROWS };
    struct due_row due[50];
    struct fence fence = { 0 };
    uint64_t counts[STATE_COUNT];
    size_t count = 0;
    status = store.counts(store.ctx, f->treasury, counts, &f->err);
    if (status == BURSAR_OK)
        status = store.list(store.ctx, f->treasury, &everything, saw, &count, &f->err);
    if (status == BURSAR_OK)
        status = store.show(store.ctx, f->treasury, 3, saw, saw_dependency, saw_event, saw_attempt, &count, &f->err);
    if (status == BURSAR_OK)
        status = store.due_select(store.ctx, f->treasury, true, UINT32_MAX, 9, 50, due, &count, &f->err);
    if (status == BURSAR_OK)
        status = store.lease_take(store.ctx, f->treasury, "tester", 15000, NOW_MS, &fence, &f->err);
    if (status == BURSAR_OK)
        status = store.dependents_wake(store.ctx, fence, 100, &count, &f->err);
    sqlite_store_close(sqlite);
    return status;
}

static void write_back(const char *path, const char *bytes, size_t count)
{
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(bytes, 1, count, out), count);
    assert_int_equal(fclose(out), 0);
}

static void remove_log(struct fixture *f)
{
    char name[256];
    (void)snprintf(name, sizeof name, "%s-wal", f->path);
    (void)unlink(name);
    (void)snprintf(name, sizeof name, "%s-shm", f->path);
    (void)unlink(name);
}

static void a_truncated_store_is_refused_as_damaged(void **state)
{
    struct fixture *f = *state;
    size_t whole;
    set_up_file(f);
    char *bytes = file_bytes(f->path, &whole);
    const size_t lengths[] = { 0, 1, 511, 512, PAGE_BYTES, PAGE_BYTES + 1, whole / 2, whole - PAGE_BYTES };
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        write_back(f->path, bytes, lengths[i]);
        f->err = (struct bursar_error){ 0 };
        expect_status(use(f), BURSAR_ESTORAGE, &f->err, __FILE__, __LINE__);
        assert_contains(f->err.message, "damaged");
        assert_contains(f->err.message, "backup");
        remove_log(f);
    }
    write_back(f->path, bytes, whole);
    expect_status(use(f), BURSAR_OK, &f->err, __FILE__, __LINE__);
    free(bytes);
}

static void a_page_of_nonsense_never_crashes_and_is_named_as_damage(void **state)
{
    struct fixture *f = *state;
    size_t whole, refused = 0;
    set_up_file(f);
    char *bytes = file_bytes(f->path, &whole);
    char *damaged = malloc(whole);
    assert_non_null(damaged);
    for (size_t page = 0; page < whole / PAGE_BYTES; page++) {
        memcpy(damaged, bytes, whole);
        for (size_t i = 0; i < PAGE_BYTES; i++)
            damaged[page * PAGE_BYTES + i] = (char)(i * 2654435761u >> 13);
        write_back(f->path, damaged, whole);
        f->err = (struct bursar_error){ 0 };
        enum bursar_status status = use(f);
        if (status != BURSAR_OK) { /* a page that none of this had to read may stay unseen */
            expect_status(status, BURSAR_ESTORAGE, &f->err, __FILE__, __LINE__);
            assert_contains(f->err.message, "damaged");
            refused++;
        }
        remove_log(f);
    }
    assert_true(refused > whole / PAGE_BYTES / 3);
    free(bytes);
    free(damaged);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_truncated_store_is_refused_as_damaged, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(a_page_of_nonsense_never_crashes_and_is_named_as_damage, set_up_leased,
                                        tear_down),
    };
    return cmocka_run_group_tests_name("store damage", tests, NULL, NULL);
}
