/* Creating a store: whole or not at all, and never over anything. */
#include "store_fixture.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

static size_t files_in(const char *directory)
{
    size_t count = 0;
    DIR *listing = opendir(directory);
    assert_non_null(listing);
    for (struct dirent *entry; (entry = readdir(listing));)
        count += entry->d_name[0] != '.';
    assert_int_equal(closedir(listing), 0);
    return count;
}

static void write_file(const char *path, const char *text)
{
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    assert_int_equal(fputs(text, out) < 0, 0);
    assert_int_equal(fclose(out), 0);
}

static void a_new_store_is_one_private_file_that_opens_again(void **state)
{
    struct fixture *f = *state;
    struct stat file;
    assert_int_equal(sqlite_store_create(f->path, &f->sqlite, &f->err), BURSAR_OK);
    sqlite_store_close(f->sqlite);
    f->sqlite = NULL;
    assert_int_equal(files_in(f->directory), 1); /* no draft, no journal */
    assert_int_equal(stat(f->path, &file), 0);
    assert_int_equal(file.st_mode & 0777, 0600);
    assert_int_equal(file.st_nlink, 1);
    assert_int_equal(sqlite_store_open(f->path, SQLITE_MODE_WRITE, NULL, NULL, &f->sqlite, &f->err), BURSAR_OK);
}

/* In a container the next process may well have the number of the one that died. */
static void what_a_death_while_creating_left_behind_is_in_nobodys_way(void **state)
{
    struct fixture *f = *state;
    char draft[sizeof f->path + 32];
    (void)snprintf(draft, sizeof draft, "%s.draft-%ld", f->path, (long)getpid());
    write_file(draft, "half a store");
    assert_int_equal(sqlite_store_create(f->path, &f->sqlite, &f->err), BURSAR_OK);
}

static void a_store_is_never_overwritten(void **state)
{
    struct fixture *f = *state;
    struct sqlite_store *other = NULL;
    size_t before_bytes, after_bytes;
    sqlite_store_close(f->sqlite);
    f->sqlite = NULL;
    char *before = file_bytes(f->path, &before_bytes);
    assert_int_equal(sqlite_store_create(f->path, &other, &f->err), BURSAR_EEXIST);
    assert_null(other);
    assert_contains(f->err.message, f->path);
    assert_contains(f->err.message, "never overwritten");
    char *after = file_bytes(f->path, &after_bytes);
    assert_int_equal(after_bytes, before_bytes);
    assert_memory_equal(after, before, before_bytes);
    assert_int_equal(files_in(f->directory), 1);
    free(before);
    free(after);
}

static void leftovers_of_a_lost_store_are_refused(void **state)
{
    struct fixture *f = *state;
    static const char *const suffixes[] = { "-wal", "-shm", "-journal" };
    for (size_t i = 0; i < COUNT_OF(suffixes); i++) {
        char leftover[256];
        (void)snprintf(leftover, sizeof leftover, "%s%s", f->path, suffixes[i]);
        write_file(leftover, "what is left of the payments of last week");
        assert_int_equal(sqlite_store_create(f->path, &f->sqlite, &f->err), BURSAR_EEXIST);
        assert_null(f->sqlite);
        assert_contains(f->err.message, leftover);
        assert_int_equal(files_in(f->directory), 1);
        assert_int_equal(unlink(leftover), 0);
    }
}

static void a_link_that_leads_nowhere_is_not_followed(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(symlink("elsewhere.db", f->path), 0);
    assert_int_equal(sqlite_store_create(f->path, &f->sqlite, &f->err), BURSAR_EEXIST);
    assert_int_equal(files_in(f->directory), 1);
}

static void a_directory_that_is_missing_is_named(void **state)
{
    struct fixture *f = *state;
    char path[256];
    (void)snprintf(path, sizeof path, "%s/missing/bursar.db", f->directory);
    assert_int_equal(sqlite_store_create(path, &f->sqlite, &f->err), BURSAR_ESTORAGE);
    assert_contains(f->err.message, "/missing");
    assert_contains(f->err.message, "No such file or directory");
    assert_int_equal(files_in(f->directory), 0);
}

static void a_path_too_long_is_refused(void **state)
{
    struct fixture *f = *state;
    char path[5000];
    memset(path, 'x', sizeof path);
    path[sizeof path - 1] = '\0';
    assert_int_equal(sqlite_store_create(path, &f->sqlite, &f->err), BURSAR_EINVAL);
    assert_contains(f->err.message, "too long");
}

static void an_account_is_a_treasury_once_on_each_chain(void **state)
{
    struct fixture *f = *state;
    struct treasury treasury;
    int64_t second = 0;
    OK(f, treasury_get, f->treasury, &treasury);
    EXPECT(f, BURSAR_EEXIST, treasury_add, "again", CHAIN_ID, &treasury.address, "time/3600", &second);
    OK(f, treasury_add, "elsewhere", CHAIN_ID + 1, &treasury.address, "time/3600", &second);
    OK(f, treasury_find, CHAIN_ID + 1, &treasury.address, &treasury);
    assert_int_equal(treasury.id, second);
    assert_string_equal(treasury.name, "elsewhere");
    assert_string_equal(treasury.epoch_source, "time/3600");
    assert_false(treasury.is_pinned);
    EXPECT(f, BURSAR_ENOTFOUND, treasury_find, CHAIN_ID + 2, &treasury.address, &treasury);
    EXPECT(f, BURSAR_ENOTFOUND, treasury_get, second + 1, &treasury);
}

static void a_treasury_is_pinned_once(void **state)
{
    struct fixture *f = *state;
    const struct bursar_hash genesis = hash_of(1), other = hash_of(2);
    const struct block_mark anchor = mark_at(ANCHOR_NUMBER, 0), elsewhere = mark_at(500, 3);
    struct treasury treasury;
    EXPECT(f, BURSAR_ESTALE, treasury_pin, f->treasury, &other, 99, &elsewhere, &elsewhere);
    OK(f, treasury_get, f->treasury, &treasury);
    assert_true(treasury.is_pinned);
    assert_true(hash_equal(&treasury.genesis_hash, &genesis));
    assert_int_equal(treasury.first_nonce, FIRST_NONCE);
    assert_int_equal(treasury.anchor.number, ANCHOR_NUMBER);
    assert_true(hash_equal(&treasury.anchor.hash, &anchor.hash));
    assert_int_equal(treasury.scan.number, ANCHOR_NUMBER);
}

static void the_epoch_setting_stays_while_rows_wait_on_an_epoch(void **state)
{
    struct fixture *f = *state;
    struct treasury treasury;
    OK(f, treasury_set_epoch_source, f->treasury, "time/60");
    int64_t id = import_rows(f, &(struct row){ .ref = "e", .schedule = SCHEDULE_EPOCH, .schedule_value = 5 }, 1);
    EXPECT(f, BURSAR_ECONFLICT, treasury_set_epoch_source, f->treasury, "block/7");
    OK(f, treasury_get, f->treasury, &treasury);
    assert_string_equal(treasury.epoch_source, "time/60");
    OK(f, lease_take, f->treasury, "tester", 15000, NOW_MS, &f->fence);
    (void)pay_row(f, id, true);
    OK(f, treasury_set_epoch_source, f->treasury, "block/7");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_new_store_is_one_private_file_that_opens_again, set_up_directory, tear_down),
        cmocka_unit_test_setup_teardown(what_a_death_while_creating_left_behind_is_in_nobodys_way, set_up_directory,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_store_is_never_overwritten, set_up_store, tear_down),
        cmocka_unit_test_setup_teardown(leftovers_of_a_lost_store_are_refused, set_up_directory, tear_down),
        cmocka_unit_test_setup_teardown(a_link_that_leads_nowhere_is_not_followed, set_up_directory, tear_down),
        cmocka_unit_test_setup_teardown(a_directory_that_is_missing_is_named, set_up_directory, tear_down),
        cmocka_unit_test_setup_teardown(a_path_too_long_is_refused, set_up_directory, tear_down),
        cmocka_unit_test_setup_teardown(an_account_is_a_treasury_once_on_each_chain, set_up_store, tear_down),
        cmocka_unit_test_setup_teardown(a_treasury_is_pinned_once, set_up_store, tear_down),
        cmocka_unit_test_setup_teardown(the_epoch_setting_stays_while_rows_wait_on_an_epoch, set_up_store, tear_down),
    };
    return cmocka_run_group_tests_name("store create", tests, NULL, NULL);
}
