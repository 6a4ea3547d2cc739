/* Shared by the signer's tests: a scratch directory that is removed afterwards, whole files, and a well-known key. */
#ifndef TESTS_SIGNER_SCRATCH_H
#define TESTS_SIGNER_SCRATCH_H

#include "base/bytes.h"
#include "signer/private_key.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define TEST_CHAIN_ID 31337u
#define SCRATCH_PATH_BYTES 512

static char scratch_directory[64];

static inline int scratch_set_up(void **state)
{
    (void)state;
    const char template[] = "/tmp/bursar-test-XXXXXX";
    memcpy(scratch_directory, template, sizeof template);
    return mkdtemp(scratch_directory) ? 0 : -1;
}

static inline int scratch_tear_down(void **state)
{
    (void)state;
    DIR *directory = opendir(scratch_directory);
    if (!directory)
        return -1;
    const struct dirent *entry;
    while ((entry = readdir(directory)))
        (void)unlinkat(dirfd(directory), entry->d_name, 0);
    (void)closedir(directory);
    return rmdir(scratch_directory);
}

/* Each name in its own static buffer would be too clever: the caller brings the room. */
static inline const char *scratch_path(char ret[SCRATCH_PATH_BYTES], const char *name)
{
    (void)snprintf(ret, SCRATCH_PATH_BYTES, "%s/%s", scratch_directory, name);
    return ret;
}

static inline void write_file(const char *path, const void *bytes, size_t length)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    for (size_t done = 0; done < length;) {
        ssize_t wrote = write(fd, (const char *)bytes + done, length - done);
        assert_true(wrote > 0);
        done += (size_t)wrote;
    }
    assert_int_equal(close(fd), 0);
}

static inline void read_file(const char *path, struct buf *ret)
{
    char chunk[65536];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    ssize_t got;
    buf_clear(ret);
    while ((got = read(fd, chunk, sizeof chunk)) > 0)
        assert_true(buf_append(ret, chunk, (size_t)got));
    assert_int_equal(got, 0);
    assert_int_equal(close(fd), 0);
}

/* The account that every development node knows as its first (0) and second (1). */
static inline struct private_key *known_key(int number)
{
    static const char *const secrets[] = { "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
                                           "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d" };
    uint8_t secret[32];
    struct private_key *key;
    assert_true(hex_decode(secrets[number], 64, secret, sizeof secret));
    assert_int_equal(private_key_new(secret, &key, NULL), BURSAR_OK);
    return key;
}

static inline struct bursar_address known_address(int number)
{
    struct private_key *key = known_key(number);
    struct bursar_address address;
    private_key_address(key, &address);
    private_key_free(key);
    return address;
}

#endif
