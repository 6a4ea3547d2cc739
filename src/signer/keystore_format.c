/* Reads and checks a keystore's JSON. Nothing is derived from a value before it was found sane: a hostile file could
 * otherwise take all memory or never end. */
#include "signer/keystore_format.h"

#include "base/bytes.h"
#include "base/cleanup.h"

#include <jansson.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

static void free_json(json_t **json)
{
    json_decref(*json);
}

static void free_bytes(uint8_t **bytes)
{
    free(*bytes);
}

enum bursar_status small_file_read(const char *path, uint8_t *ret, size_t capacity_bytes, size_t *ret_bytes,
                                   struct bursar_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return bursar_fail(err, BURSAR_EINVAL, "%s: cannot be opened: %s", path, strerror(errno));
    size_t length = 0;
    bool too_long = false;
    ssize_t got = 1;
    while (got != 0 && !too_long) {
        uint8_t beyond; /* one byte more than fits shows that the file is too long */
        got = length < capacity_bytes ? read(fd, ret + length, capacity_bytes - length) : read(fd, &beyond, 1);
        if (got < 0 && errno != EINTR) {
            int error = errno;
            (void)close(fd);
            return bursar_fail(err, BURSAR_EINVAL, "%s: cannot be read: %s", path, strerror(error));
        }
        if (got > 0) {
            too_long = length == capacity_bytes;
            length += (size_t)got;
        }
    }
    (void)close(fd);
    if (too_long)
        return bursar_fail(err, BURSAR_EINVAL, "%s: is longer than the %zu bytes allowed", path, capacity_bytes);
    *ret_bytes = length;
    return BURSAR_OK;
}

static const json_t *member(const json_t *object, const char *name, const char *path, struct bursar_error *err)
{
    const json_t *value = json_object_get(object, name);
    if (!value)
        (void)bursar_fail(err, BURSAR_EINVAL, "%s: is not a usable keystore: \"%s\" is missing", path, name);
    return value;
}

/* Hexadecimal text, with or without 0x, of minimum_bytes to maximum_bytes. */
static bool read_hex(const json_t *object, const char *name, uint8_t *ret, size_t minimum_bytes, size_t maximum_bytes,
                     size_t *ret_bytes, const char *path, struct bursar_error *err)
{
    const json_t *value = member(object, name, path, err);
    if (!value)
        return false;
    const char *text = json_string_value(value);
    size_t length = json_string_length(value);
    if (text && length >= 2 && text[0] == '0' && text[1] == 'x') {
        text += 2;
        length -= 2;
    }
    if (!text || length / 2 < minimum_bytes || length / 2 > maximum_bytes ||
        !hex_decode(text, length, ret, length / 2)) {
        (void)bursar_fail(err, BURSAR_EINVAL, "%s: \"%s\" must be %zu to %zu bytes in hexadecimal", path, name,
                          minimum_bytes, maximum_bytes);
        return false;
    }
    *ret_bytes = length / 2;
    return true;
}

static bool read_exact_hex(const json_t *object, const char *name, uint8_t *ret, size_t bytes, const char *path,
                           struct bursar_error *err)
{
    size_t got;
    return read_hex(object, name, ret, bytes, bytes, &got, path, err);
}

static bool read_number(const json_t *object, const char *name, uint64_t minimum, uint64_t maximum, uint64_t *ret,
                        const char *path, struct bursar_error *err)
{
    const json_t *value = member(object, name, path, err);
    if (!value)
        return false;
    json_int_t number = json_integer_value(value);
    if (!json_is_integer(value) || number < 0 || (uint64_t)number < minimum || (uint64_t)number > maximum) {
        (void)bursar_fail(err, BURSAR_EINVAL, "%s: \"%s\" must be a whole number from %" PRIu64 " to %" PRIu64, path,
                          name, minimum, maximum);
        return false;
    }
    *ret = (uint64_t)number;
    return true;
}

static bool read_word(const json_t *object, const char *name, const char *expected, const char *path,
                      struct bursar_error *err)
{
    const json_t *value = member(object, name, path, err);
    if (!value)
        return false;
    if (!json_is_string(value) || strcmp(json_string_value(value), expected) != 0) {
        (void)bursar_fail(err, BURSAR_EINVAL, "%s: \"%s\" must be \"%s\"", path, name, expected);
        return false;
    }
    return true;
}

static bool read_scrypt(const json_t *parameters, struct keystore_file *file, const char *path,
                        struct bursar_error *err)
{
    uint64_t n, r, p, row_bytes, matrix_bytes, blocks_bytes, work;
    if (!read_number(parameters, "n", 2, INT64_MAX, &n, path, err) ||
        !read_number(parameters, "r", 1, UINT32_MAX, &r, path, err) ||
        !read_number(parameters, "p", 1, UINT32_MAX, &p, path, err))
        return false;
    if (n & (n - 1)) {
        (void)bursar_fail(err, BURSAR_EINVAL, "%s: scrypt's \"n\" must be a power of two, not %" PRIu64, path, n);
        return false;
    }
    /* What OpenSSL counts against its limit: 128 r (n + 2) for the matrix and 128 r p for the blocks. */
    row_bytes = 128 * r;
    if (__builtin_mul_overflow(row_bytes, n + 2, &matrix_bytes) ||
        __builtin_mul_overflow(row_bytes, p, &blocks_bytes) ||
        __builtin_add_overflow(matrix_bytes, blocks_bytes, &file->memory_bytes) ||
        file->memory_bytes > KDF_MEMORY_MAX_BYTES) {
        (void)bursar_fail(err, BURSAR_EINVAL,
                          "%s: scrypt with n=%" PRIu64 ", r=%" PRIu64 ", p=%" PRIu64 " needs more than the %" PRIu64
                          " MiB of memory allowed",
                          path, n, r, p, KDF_MEMORY_MAX_BYTES >> 20);
        return false;
    }
    if (__builtin_mul_overflow(n * r, p, &work) || work > SCRYPT_WORK_MAX_BLOCKS) {
        (void)bursar_fail(err, BURSAR_EINVAL,
                          "%s: scrypt with n=%" PRIu64 ", r=%" PRIu64 ", p=%" PRIu64
                          " would take too long: n*r*p may be at most %" PRIu64,
                          path, n, r, p, SCRYPT_WORK_MAX_BLOCKS);
        return false;
    }
    file->kdf = KDF_SCRYPT;
    file->scrypt_n = n;
    file->scrypt_r = (uint32_t)r;
    file->scrypt_p = (uint32_t)p;
    return true;
}

static bool read_pbkdf2(const json_t *parameters, struct keystore_file *file, const char *path,
                        struct bursar_error *err)
{
    file->kdf = KDF_PBKDF2;
    return read_word(parameters, "prf", "hmac-sha256", path, err) &&
           read_number(parameters, "c", 1, PBKDF2_MAX_ROUNDS, &file->pbkdf2_rounds, path, err);
}

static bool read_kdf(const json_t *crypto, struct keystore_file *file, const char *path, struct bursar_error *err)
{
    uint64_t derived_bytes;
    const json_t *parameters = member(crypto, "kdfparams", path, err);
    const json_t *kdf = parameters ? member(crypto, "kdf", path, err) : NULL;
    if (!parameters || !kdf)
        return false;
    const char *name = json_is_string(kdf) ? json_string_value(kdf) : "";
    if (!read_number(parameters, "dklen", 32, 32, &derived_bytes, path, err) ||
        !read_hex(parameters, "salt", file->salt, 1, sizeof file->salt, &file->salt_bytes, path, err))
        return false;
    if (strcmp(name, "scrypt") == 0)
        return read_scrypt(parameters, file, path, err);
    if (strcmp(name, "pbkdf2") == 0)
        return read_pbkdf2(parameters, file, path, err);
    (void)bursar_fail(err, BURSAR_EINVAL, "%s: \"kdf\" must be \"scrypt\" or \"pbkdf2\"", path);
    return false;
}

static bool read_crypto(const json_t *root, struct keystore_file *file, const char *path, struct bursar_error *err)
{
    const json_t *lower = json_object_get(root, "crypto"), *upper = json_object_get(root, "Crypto");
    if (lower && upper) {
        (void)bursar_fail(err, BURSAR_EINVAL, "%s: has both \"crypto\" and \"Crypto\"", path);
        return false;
    }
    const json_t *crypto = upper ? upper : member(root, "crypto", path, err);
    const json_t *cipher = crypto ? member(crypto, "cipherparams", path, err) : NULL;
    return cipher && read_word(crypto, "cipher", "aes-128-ctr", path, err) &&
           read_exact_hex(cipher, "iv", file->iv, sizeof file->iv, path, err) &&
           read_exact_hex(crypto, "ciphertext", file->ciphertext, sizeof file->ciphertext, path, err) &&
           read_exact_hex(crypto, "mac", file->mac, sizeof file->mac, path, err) && read_kdf(crypto, file, path, err);
}

/* The address is optional: absent, null or empty means that the file does not say. */
static bool read_address(const json_t *root, struct keystore_file *file, const char *path, struct bursar_error *err)
{
    const json_t *address = json_object_get(root, "address");
    file->has_address =
        address && !json_is_null(address) && !(json_is_string(address) && json_string_length(address) == 0);
    return !file->has_address ||
           read_exact_hex(root, "address", file->address.bytes, sizeof file->address.bytes, path, err);
}

enum bursar_status keystore_file_read(const char *path, struct keystore_file *ret, struct bursar_error *err)
{
    cleanup(free_bytes) uint8_t *text = malloc(KEYSTORE_MAX_BYTES);
    size_t length = 0;
    uint64_t version;
    json_error_t error;
    struct keystore_file file = { 0 };
    if (!text)
        return bursar_fail(err, BURSAR_ENOMEM, "no memory to read %s", path);
    enum bursar_status status = small_file_read(path, text, KEYSTORE_MAX_BYTES, &length, err);
    if (status != BURSAR_OK)
        return status;
    cleanup(free_json) json_t *root = json_loadb((const char *)text, length, JSON_REJECT_DUPLICATES, &error);
    if (!root)
        return bursar_fail(err, BURSAR_EINVAL, "%s:%d: is not a keystore: bad JSON: %s", path, error.line, error.text);
    if (!json_is_object(root))
        return bursar_fail(err, BURSAR_EINVAL, "%s: is not a keystore: not a JSON object", path);
    if (!read_number(root, "version", 3, 3, &version, path, err) || !read_address(root, &file, path, err) ||
        !read_crypto(root, &file, path, err))
        return BURSAR_EINVAL;
    *ret = file;
    return BURSAR_OK;
}
