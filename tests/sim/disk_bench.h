/* Shared by the simulated disk's tests: a disk, somebody who uses it, and what befalls them. */
#ifndef SIM_DISK_BENCH_H
#define SIM_DISK_BENCH_H

#include "disk.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define ON_DISK(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static struct random chance;
static struct disk *disk;
static struct disk_user user;

static inline int open_bench(void)
{
    user = (struct disk_user){ .number = 1 };
    disk = disk_new(NULL, &chance);
    if (!disk)
        return -1;
    disk_enter(disk, &user);
    return 0;
}

static inline int set_up(void **state)
{
    (void)state;
    chance = random_new(7);
    return open_bench();
}

static inline int tear_down(void **state)
{
    (void)state;
    bool is_clean = disk_open_count(disk) == 0 && disk_counted(disk).host_errors == 0;
    disk = disk_free(disk);
    return is_clean ? 0 : -1;
}

/* Another disk, with other chances. */
static inline void fresh(void)
{
    assert_int_equal(tear_down(NULL), 0);
    chance = random_new(random_u64(&chance));
    assert_int_equal(open_bench(), 0);
}

static inline void lose_power(void)
{
    disk_enter(disk, NULL);
    assert_true(disk_lose_power(disk, &chance));
    user = (struct disk_user){ .number = user.number + 1 };
    disk_enter(disk, &user);
}

static inline void restart(void)
{
    user = (struct disk_user){ .number = user.number + 1 };
    disk_enter(disk, &user);
}

static inline void sync_names(void)
{
    int fd = open(DISK_ROOT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(fsync(fd), 0);
    assert_int_equal(close(fd), 0);
}

#endif
