/* What the doctor says of files and disks: made wrong in a folder of the test's own. */
#include "doctor/checks.h"
#include "doctor/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define MIB ((uint64_t)1 << 20)

struct seen {
    size_t count;
    struct check last;
};

static void take(void *ctx, const struct check *check)
{
    struct seen *seen = ctx;
    seen->count++;
    seen->last = *check;
}

static void a_disk_is_full_before_it_is(void **state)
{
    (void)state;
    assert_int_equal(disk_result(0), CHECK_WRONG);
    assert_int_equal(disk_result(16 * MIB - 1), CHECK_WRONG);
    assert_int_equal(disk_result(16 * MIB), CHECK_WARNING);
    assert_int_equal(disk_result(256 * MIB - 1), CHECK_WARNING);
    assert_int_equal(disk_result(256 * MIB), CHECK_OK);
}

static void a_file_is_there_and_its_owners_only(void **state)
{
    (void)state;
    char folder[] = "/tmp/bursar-doctor-XXXXXX", path[64];
    struct seen seen = { 0 };
    const struct doctor doctor = { .visit = take, .ctx = &seen, .treasury = "main" };
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/key", folder);
    assert_false(doctor_file(&doctor, "keystore", path));
    assert_int_equal(seen.last.result, CHECK_WRONG);
    assert_int_equal(seen.last.grade, GRADE_PERSON);
    assert_string_equal(seen.last.subject, path);
    assert_non_null(strstr(seen.last.action, "put it there"));
    assert_false(doctor_file(&doctor, "keystore", folder));
    assert_non_null(strstr(seen.last.found, "not a regular file"));
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, 0640), 0);
    assert_true(doctor_file(&doctor, "keystore", path));
    assert_int_equal(seen.last.result, CHECK_WARNING);
    assert_non_null(strstr(seen.last.action, "chmod 600"));
    assert_int_equal(chmod(path, 0600), 0);
    assert_true(doctor_file(&doctor, "keystore", path));
    assert_int_equal(seen.last.result, CHECK_OK);
    assert_string_equal(seen.last.action, "");
    assert_int_equal(seen.count, 4);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

static void who_holds_a_lock_is_told_without_taking_it(void **state)
{
    (void)state;
    char path[] = "/tmp/bursar-doctor-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(lock_holder(path), 0);
    assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
    assert_int_equal(lock_holder(path), getpid());
    assert_int_equal(close(fd), 0);
    assert_int_equal(lock_holder(path), 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(lock_holder(path), 0);
}

static void durations_and_fees_read_as_people_say_them(void **state)
{
    (void)state;
    static const struct {
        uint64_t seconds;
        const char *text;
    } cases[] = { { 0, "0 s" },        { 119, "119 s" }, { 120, "2 min" },
                  { 7199, "119 min" }, { 7200, "2 h" },  { 48 * 3600, "2 days" } };
    char text[WORDS_TIME_TEXT_BYTES], fee[WORDS_FEE_TEXT_BYTES];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        words_duration(cases[i].seconds, text);
        assert_string_equal(text, cases[i].text);
    }
    words_fee(2500000000, fee);
    assert_string_equal(fee, "2.5 gwei");
    words_fee(1, fee);
    assert_string_equal(fee, "0.000000001 gwei");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_disk_is_full_before_it_is),
        cmocka_unit_test(a_file_is_there_and_its_owners_only),
        cmocka_unit_test(who_holds_a_lock_is_told_without_taking_it),
        cmocka_unit_test(durations_and_fees_read_as_people_say_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
