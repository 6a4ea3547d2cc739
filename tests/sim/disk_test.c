/* What the simulated disk promises: synced is synced, unsynced is sometimes lost, and the dead change nothing. */
#include "disk_bench.h"

#define BYTES 4096U

static int open_new(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    return fd;
}

static void fill(int fd, char with, size_t count, off_t offset)
{
    char bytes[2 * BYTES];
    memset(bytes, with, sizeof bytes);
    assert_int_equal(pwrite(fd, bytes, count, offset), count);
}

/* How many of the file's first `within` bytes are `which`; *ret_size of the file. SIZE_MAX: there is no such file. */
static size_t count_within(const char *path, size_t within, char which, size_t *ret_size)
{
    char bytes[4 * BYTES];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return SIZE_MAX;
    ssize_t got = pread(fd, bytes, sizeof bytes, 0);
    assert_true(got >= 0);
    assert_int_equal(close(fd), 0);
    size_t count = 0;
    for (size_t i = 0; i < (size_t)got && i < within; i++)
        count += bytes[i] == which;
    *ret_size = (size_t)got;
    return count;
}

static size_t count_of(const char *path, char which, size_t *ret_size)
{
    return count_within(path, SIZE_MAX, which, ret_size);
}

/* A durable file of BYTES times 'a'. */
static int open_durable(const char *path)
{
    int fd = open_new(path);
    fill(fd, 'a', BYTES, 0);
    assert_int_equal(fsync(fd), 0);
    sync_names();
    return fd;
}

static void what_was_synced_survives_every_power_loss(void **state)
{
    (void)state;
    size_t size = 0;
    assert_int_equal(close(open_durable(DISK_ROOT "/f")), 0);
    for (int round = 0; round < 1000; round++) {
        char with = (char)('a' + round % 20);
        int fd = open(DISK_ROOT "/f", O_RDWR | O_CLOEXEC);
        assert_true(fd >= 0);
        fill(fd, with, BYTES, 0);
        assert_int_equal(round % 2 ? fsync(fd) : fdatasync(fd), 0);
        assert_int_equal(close(fd), 0);
        lose_power();
        assert_int_equal(count_of(DISK_ROOT "/f", with, &size), BYTES);
        assert_int_equal(size, BYTES);
    }
    assert_int_equal(disk_counted(disk).power_losses, 1000);
}

static void what_was_not_synced_is_kept_lost_or_torn_by_sectors(void **state)
{
    (void)state;
    int kept = 0, lost = 0, torn = 0, cut_off = 0, reordered = 0;
    for (int round = 0; round < 400; round++) {
        size_t size = 0;
        int fd = open_durable(DISK_ROOT "/f");
        fill(fd, 'b', BYTES, 0);
        fill(fd, 'c', BYTES, BYTES); /* appended */
        assert_int_equal(close(fd), 0);
        lose_power();
        size_t found = count_within(DISK_ROOT "/f", BYTES, 'b', &size);
        size_t before = count_within(DISK_ROOT "/f", BYTES, 'a', &size);
        size_t appended = count_of(DISK_ROOT "/f", 'c', &size);
        assert_int_equal(found % 512, 0);
        assert_int_equal(found + before, BYTES);
        assert_true(size == BYTES || size == 2 * (size_t)BYTES);
        kept += found == BYTES;
        lost += found == 0;
        torn += found > 0 && found < BYTES;
        cut_off += size == BYTES;
        reordered += found < BYTES && appended >= 512;
        fresh();
    }
    assert_true(kept > 40 && lost > 40 && torn > 40 && cut_off > 40 && reordered > 10);
}

static void a_truncation_that_was_not_synced_may_be_undone(void **state)
{
    (void)state;
    int undone = 0, done = 0;
    for (int round = 0; round < 200; round++) {
        size_t size = 0;
        int fd = open_durable(DISK_ROOT "/f");
        assert_int_equal(ftruncate(fd, 1000), 0);
        assert_int_equal(close(fd), 0);
        lose_power();
        size_t found = count_of(DISK_ROOT "/f", 'a', &size);
        assert_int_equal(found, size);
        undone += size == BYTES;
        done += size == 1000;
        fresh();
    }
    assert_int_equal(undone + done, 200);
    assert_true(undone > 20 && done > 20);
}

static void a_name_is_durable_only_with_its_directory(void **state)
{
    (void)state;
    int vanished = 0, unlinked = 0, half = 0;
    for (int round = 0; round < 300; round++) {
        size_t size = 0;
        int fd = open_new(DISK_ROOT "/draft");
        fill(fd, 'a', BYTES, 0);
        assert_int_equal(fsync(fd), 0);
        assert_int_equal(close(fd), 0);
        assert_int_equal(link(DISK_ROOT "/draft", DISK_ROOT "/f"), 0);
        assert_int_equal(link(DISK_ROOT "/draft", DISK_ROOT "/f"), -1);
        assert_int_equal(errno, EEXIST);
        assert_int_equal(unlink(DISK_ROOT "/draft"), 0);
        if (round % 3 == 0)
            sync_names();
        lose_power();
        bool f = disk_exists(disk, "f"), draft = disk_exists(disk, "draft");
        if (round % 3 == 0)
            assert_true(f && !draft);
        vanished += !f && !draft;
        unlinked += f && !draft && round % 3;
        half += f && draft;
        if (f) /* its bytes were synced: with the name they are all there, under both names */
            assert_int_equal(count_of(DISK_ROOT "/f", 'a', &size), BYTES);
        if (draft)
            assert_int_equal(count_of(DISK_ROOT "/draft", 'a', &size), BYTES);
        fresh();
    }
    assert_true(vanished > 10 && unlinked > 10 && half > 5);
}

static void after_a_failed_sync_a_later_one_does_not_bring_the_bytes_back(void **state)
{
    (void)state;
    int lost = 0;
    for (int round = 0; round < 100; round++) {
        size_t size = 0;
        int fd = open_durable(DISK_ROOT "/f");
        fill(fd, 'b', BYTES, 0);
        user.errors[DISK_EIO_SYNC].count = 1;
        assert_int_equal(fsync(fd), -1);
        assert_int_equal(errno, EIO);
        assert_int_equal(fsync(fd), 0);
        assert_int_equal(close(fd), 0);
        assert_int_equal(count_of(DISK_ROOT "/f", 'b', &size), BYTES); /* the page cache still has them */
        lose_power();
        lost += count_of(DISK_ROOT "/f", 'b', &size) < BYTES;
        fresh();
    }
    assert_true(lost > 40 && lost < 100);
}

static void a_disk_that_lies_about_syncs_is_noticed(void **state)
{
    (void)state;
    int lost = 0;
    for (int round = 0; round < 100; round++) {
        size_t size = 0;
        int fd = open_durable(DISK_ROOT "/f");
        disk_lie_about_sync(disk, true);
        fill(fd, 'b', BYTES, 0);
        assert_int_equal(fsync(fd), 0);
        assert_int_equal(close(fd), 0);
        lose_power();
        lost += count_of(DISK_ROOT "/f", 'b', &size) < BYTES;
        fresh();
    }
    assert_true(lost > 40);
}

static void scripted_errors_come_when_and_as_often_as_scripted(void **state)
{
    (void)state;
    char byte = 'x';
    int fd = open_durable(DISK_ROOT "/f");
    user.errors[DISK_ENOSPC].skip = 2;
    user.errors[DISK_ENOSPC].count = 2;
    for (int i = 0; i < 6; i++) {
        bool fails = i == 2 || i == 3;
        assert_int_equal(pwrite(fd, &byte, 1, i), fails ? -1 : 1);
        if (fails)
            assert_int_equal(errno, ENOSPC);
    }
    user.errors[DISK_EIO_READ].count = 1;
    assert_int_equal(pread(fd, &byte, 1, 0), -1);
    assert_int_equal(pread(fd, &byte, 1, 0), 1);
    user.errors[DISK_EIO_WRITE].count = 1;
    assert_int_equal(ftruncate(fd, 0), -1);
    user.errors[DISK_ENOSPC].count = 1;
    assert_int_equal(open(DISK_ROOT "/other", O_RDWR | O_CREAT | O_CLOEXEC, 0600), -1);
    assert_int_equal(errno, ENOSPC);
    assert_int_equal(close(fd), 0);
    assert_int_equal(disk_counted(disk).errors[DISK_ENOSPC], 3);
    assert_int_equal(disk_counted(disk).errors[DISK_EIO_READ], 1);
}

static void the_dead_change_nothing_and_only_close(void **state)
{
    (void)state;
    struct stat found;
    char byte = 'x';
    int fd = open_durable(DISK_ROOT "/f"), directory = open(DISK_ROOT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    uint64_t digest = disk_digest(disk), operations = user.operations;
    user.is_dead = true;
    assert_int_equal(pwrite(fd, &byte, 1, 0), -1);
    assert_int_equal(pread(fd, &byte, 1, 0), -1);
    assert_int_equal(ftruncate(fd, 0), -1);
    assert_int_equal(fsync(fd), -1);
    assert_int_equal(fdatasync(fd), -1);
    assert_int_equal(fsync(directory), -1);
    assert_int_equal(fstat(fd, &found), -1);
    assert_int_equal(stat(DISK_ROOT "/f", &found), -1);
    assert_int_equal(open(DISK_ROOT "/f", O_RDWR | O_CLOEXEC), -1);
    assert_int_equal(open(DISK_ROOT "/g", O_RDWR | O_CREAT | O_CLOEXEC, 0600), -1);
    assert_int_equal(link(DISK_ROOT "/f", DISK_ROOT "/g"), -1);
    assert_int_equal(unlink(DISK_ROOT "/f"), -1);
    assert_int_equal(errno, EIO);
    assert_int_equal(close(fd), 0);
    assert_int_equal(close(directory), 0);
    assert_int_equal(user.operations, operations);
    assert_true(disk_digest(disk) == digest);
}

static void one_can_die_before_after_or_within_a_write(void **state)
{
    (void)state;
    int parts = 0;
    for (int how = DISK_DIE_BEFORE; how <= DISK_DIE_TORN; how++) {
        for (int round = 0; round < 50; round++) {
            size_t size = 0;
            int fd = open_durable(DISK_ROOT "/f");
            char bytes[BYTES];
            memset(bytes, 'b', sizeof bytes);
            user.number = (uint64_t)round;
            user.die_at_operation = user.operations + 2;
            user.die_how = (enum disk_death)how;
            assert_int_equal(pwrite(fd, bytes, 1, BYTES), 1);
            assert_false(user.is_dead);
            assert_int_equal(pwrite(fd, bytes, sizeof bytes, 0), -1);
            assert_true(user.is_dead);
            assert_string_equal(user.died_at, how == DISK_DIE_BEFORE  ? "before write of 4096 bytes to f"
                                              : how == DISK_DIE_AFTER ? "after write of 4096 bytes to f"
                                                                      : "in write of 4096 bytes to f");
            assert_int_equal(close(fd), 0);
            restart();
            size_t found = count_of(DISK_ROOT "/f", 'b', &size) - 1;
            if (how != DISK_DIE_TORN)
                assert_int_equal(found, how == DISK_DIE_BEFORE ? 0 : BYTES);
            parts += found > 0 && found < BYTES;
            fresh();
        }
    }
    assert_true(parts > 40);
}

/* What a frozen process meets: others write meanwhile, and it may not live to go on. */
static void somebody_else_writes(void *ctx, struct disk_user *frozen)
{
    struct disk_user other = { .number = 99 };
    disk_enter(disk, &other);
    fill(*(int *)ctx, 'c', 1, 10);
    assert_int_equal(other.operations, 1);
    disk_enter(disk, NULL);
    frozen->at_operation = NULL;
    frozen->is_dead = frozen->number == 13;
}

static void one_can_be_held_up_before_an_operation(void **state)
{
    (void)state;
    for (uint64_t number = 12; number <= 13; number++) {
        size_t size = 0;
        char byte = 'b';
        int fd = open_durable(DISK_ROOT "/f");
        user = (struct disk_user){ .number = number, .at_operation = somebody_else_writes, .ctx = &fd };
        assert_int_equal(pwrite(fd, &byte, 1, 0), number == 13 ? -1 : 1);
        assert_ptr_equal(disk_user_of(disk), &user);
        assert_int_equal(user.operations, number == 13 ? 0 : 1);
        assert_int_equal(close(fd), 0);
        restart();
        assert_int_equal(count_of(DISK_ROOT "/f", 'c', &size), 1);
        assert_int_equal(count_of(DISK_ROOT "/f", 'b', &size), number == 13 ? 0 : 1);
        fresh();
    }
}

static void an_old_copy_is_put_back_whole_and_durable(void **state)
{
    (void)state;
    size_t size = 0;
    int fd = open_durable(DISK_ROOT "/f");
    size_t copy = disk_keep(disk, "f");
    assert_int_equal(copy, 0);
    assert_int_equal(disk_keep(disk, "g"), SIZE_MAX);
    fill(fd, 'b', BYTES, 0);
    assert_int_equal(fsync(fd), 0);
    assert_int_equal(close(open_durable(DISK_ROOT "/f-wal")), 0);
    assert_false(disk_put_back(disk, copy)); /* it is open */
    assert_int_equal(close(fd), 0);
    assert_true(disk_put_back(disk, copy));
    assert_false(disk_exists(disk, "f-wal"));
    lose_power();
    assert_int_equal(count_of(DISK_ROOT "/f", 'a', &size), BYTES);
    assert_false(disk_exists(disk, "f-wal"));
    assert_true(disk_remove(disk, "f"));
    lose_power();
    assert_int_equal(count_of(DISK_ROOT "/f", 'a', &size), SIZE_MAX);
}

static void streams_do_not_depend_on_each_other(void **state)
{
    (void)state;
    struct random parent = random_new(1), same = random_new(1), other = random_new(2);
    struct random a = random_stream(&parent, "a", 0);
    uint64_t first = random_u64(&a);
    (void)random_u64(&parent);
    a = random_stream(&parent, "a", 0);
    assert_true(random_u64(&a) == first);
    struct random b = random_stream(&parent, "b", 0), a1 = random_stream(&parent, "a", 1);
    assert_true(random_u64(&b) != first && random_u64(&a1) != first);
    assert_true(random_u64(&same) != random_u64(&other));
    uint64_t seen[7] = { 0 };
    for (int i = 0; i < 70000; i++)
        seen[random_below(&b, 7)]++;
    for (size_t i = 0; i < COUNT_OF(seen); i++)
        assert_in_range(seen[i], 9500, 10500);
    for (int i = 0; i < 1000; i++)
        assert_in_range(random_between(&b, 5, 6), 5, 6);
    assert_int_equal(random_below(&b, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_do_not_depend_on_each_other),
        ON_DISK(what_was_synced_survives_every_power_loss),
        ON_DISK(what_was_not_synced_is_kept_lost_or_torn_by_sectors),
        ON_DISK(a_truncation_that_was_not_synced_may_be_undone),
        ON_DISK(a_name_is_durable_only_with_its_directory),
        ON_DISK(after_a_failed_sync_a_later_one_does_not_bring_the_bytes_back),
        ON_DISK(a_disk_that_lies_about_syncs_is_noticed),
        ON_DISK(scripted_errors_come_when_and_as_often_as_scripted),
        ON_DISK(the_dead_change_nothing_and_only_close),
        ON_DISK(one_can_die_before_after_or_within_a_write),
        ON_DISK(one_can_be_held_up_before_an_operation),
        ON_DISK(an_old_copy_is_put_back_whole_and_durable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
