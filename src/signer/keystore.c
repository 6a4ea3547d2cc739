/* Opens a keystore: password to derived key to private key. Every secret on the way lives in one locked mapping that
 * is wiped whatever happens. */
#include "signer/keystore.h"

#include "base/cleanup.h"
#include "eth/address.h"
#include "eth/keccak.h"
#include "signer/keystore_format.h"
#include "signer/locked_memory.h"
#include "signer/private_key.h"
#include "signer/scrypt_row.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <inttypes.h>
#include <string.h>
#include <threads.h>

/* The derived key: the first half deciphers, the second half authenticates. */
#define CIPHER_KEY_BYTES 16
#define MAC_KEY_BYTES 16
#define DERIVED_BYTES (CIPHER_KEY_BYTES + MAC_KEY_BYTES)

struct secrets {
    uint8_t password[PASSWORD_MAX_BYTES + 2]; /* and its newline */
    size_t password_bytes;
    uint8_t derived[DERIVED_BYTES];
    uint8_t authenticated[MAC_KEY_BYTES + KEYSTORE_SECRET_BYTES];
    uint8_t private_key[KEYSTORE_SECRET_BYTES];
};

static void free_secrets(struct secrets **secrets)
{
    locked_memory_free(*secrets, sizeof **secrets);
}

static void free_kdf(EVP_KDF **kdf)
{
    EVP_KDF_free(*kdf);
}

static void free_kdf_context(EVP_KDF_CTX **context)
{
    EVP_KDF_CTX_free(*context);
}

static void free_cipher(EVP_CIPHER **cipher)
{
    EVP_CIPHER_free(*cipher);
}

static void free_cipher_context(EVP_CIPHER_CTX **context)
{
    EVP_CIPHER_CTX_free(*context);
}

/* One newline at the end, LF or CRLF, is the editor's and not the user's. */
static enum bursar_status read_password(const char *path, struct secrets *secrets, struct bursar_error *err)
{
    size_t length;
    enum bursar_status status = small_file_read(path, secrets->password, sizeof secrets->password, &length, err);
    if (status != BURSAR_OK)
        return status;
    if (length > 0 && secrets->password[length - 1] == '\n') {
        length--;
        if (length > 0 && secrets->password[length - 1] == '\r')
            length--;
    }
    if (length > PASSWORD_MAX_BYTES)
        return bursar_fail(err, BURSAR_EINVAL, "%s: the password is longer than %zu bytes", path, PASSWORD_MAX_BYTES);
    secrets->password_bytes = length;
    return BURSAR_OK;
}

static OSSL_LIB_CTX *library_context;

static void make_library(void)
{
    library_context = OSSL_LIB_CTX_new();
}

/* NULL without memory, and then for good. A context of our own, never freed: OpenSSL's default one crashes when memory
 * runs out while it is being set up. */
static OSSL_LIB_CTX *library(void)
{
    static once_flag once = ONCE_FLAG_INIT;
    call_once(&once, make_library);
    return library_context;
}

static bool derive(const char *name, const struct secrets *secrets, const OSSL_PARAM parameters[], uint8_t *ret,
                   size_t bytes)
{
    cleanup(free_kdf) EVP_KDF *kdf = library() ? EVP_KDF_fetch(library(), name, NULL) : NULL;
    cleanup(free_kdf_context) EVP_KDF_CTX *context = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
    const OSSL_PARAM password[] = {
        OSSL_PARAM_octet_string(OSSL_KDF_PARAM_PASSWORD, (void *)secrets->password, secrets->password_bytes),
        OSSL_PARAM_END,
    };
    return context && EVP_KDF_CTX_set_params(context, password) == 1 &&
           EVP_KDF_derive(context, ret, bytes, parameters) == 1;
}

static bool pbkdf2(const struct secrets *secrets, const uint8_t *salt, size_t salt_bytes, uint64_t rounds, uint8_t *ret,
                   size_t bytes)
{
    int without_lower_bounds = 1; /* short salts and low costs are the file's choice */
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)salt, salt_bytes),
        OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_ITER, &rounds),
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)"SHA256", 0),
        OSSL_PARAM_construct_int(OSSL_KDF_PARAM_PKCS5, &without_lower_bounds),
        OSSL_PARAM_END,
    };
    return derive("PBKDF2", secrets, parameters, ret, bytes);
}

/* What RFC 7914 rules out and OpenSSL therefore refuses. Within our limit of memory, only r = 1 can get there. */
static bool is_narrow(const struct keystore_file *file)
{
    return file->scrypt_r == 1 && file->scrypt_n >= (uint64_t)1 << 16;
}

static bool scrypt_narrow(const struct keystore_file *file, struct secrets *secrets)
{
    size_t bytes = (size_t)file->scrypt_p * SCRYPT_ROW_BYTES;
    uint8_t *blocks = malloc(bytes);
    bool ok = blocks && pbkdf2(secrets, file->salt, file->salt_bytes, 1, blocks, bytes);
    for (size_t at = 0; ok && at < bytes; at += SCRYPT_ROW_BYTES)
        ok = scrypt_row_mix(blocks + at, file->scrypt_n);
    ok = ok && pbkdf2(secrets, blocks, bytes, 1, secrets->derived, sizeof secrets->derived);
    if (blocks)
        OPENSSL_cleanse(blocks, bytes);
    free(blocks);
    return ok;
}

static bool scrypt(const struct keystore_file *file, struct secrets *secrets)
{
    struct keystore_file f = *file; /* OSSL_PARAM takes pointers to non-const */
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, f.salt, f.salt_bytes),
        OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_N, &f.scrypt_n),
        OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_R, &f.scrypt_r),
        OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_P, &f.scrypt_p),
        OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_MAXMEM, &f.memory_bytes),
        OSSL_PARAM_END,
    };
    if (is_narrow(file))
        return scrypt_narrow(file, secrets);
    return derive("SCRYPT", secrets, parameters, secrets->derived, sizeof secrets->derived);
}

static enum bursar_status derive_key(const char *path, const struct keystore_file *file, struct secrets *secrets,
                                     struct bursar_error *err)
{
    switch (file->kdf) {
    case KDF_SCRYPT:
        if (scrypt(file, secrets))
            return BURSAR_OK;
        return bursar_fail(err, BURSAR_ENOMEM, "%s: scrypt failed; it needs %" PRIu64 " MiB of memory", path,
                           (file->memory_bytes >> 20) + 1);
    case KDF_PBKDF2:
        if (pbkdf2(secrets, file->salt, file->salt_bytes, file->pbkdf2_rounds, secrets->derived,
                   sizeof secrets->derived))
            return BURSAR_OK;
        return bursar_fail(err, BURSAR_EINTERNAL, "%s: pbkdf2 failed", path);
    }
    return bursar_fail(err, BURSAR_EINTERNAL, "%s: unknown kdf", path);
}

static bool mac_matches(const struct keystore_file *file, struct secrets *secrets)
{
    struct bursar_hash mac;
    memcpy(secrets->authenticated, secrets->derived + CIPHER_KEY_BYTES, MAC_KEY_BYTES);
    memcpy(secrets->authenticated + MAC_KEY_BYTES, file->ciphertext, sizeof file->ciphertext);
    keccak256(secrets->authenticated, sizeof secrets->authenticated, &mac);
    return CRYPTO_memcmp(mac.bytes, file->mac, sizeof file->mac) == 0;
}

static bool decipher(const struct keystore_file *file, struct secrets *secrets)
{
    cleanup(free_cipher_context) EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    cleanup(free_cipher) EVP_CIPHER *cipher = library() ? EVP_CIPHER_fetch(library(), "AES-128-CTR", NULL) : NULL;
    int length = 0;
    return context && cipher && EVP_DecryptInit_ex(context, cipher, NULL, secrets->derived, file->iv) == 1 &&
           EVP_DecryptUpdate(context, secrets->private_key, &length, file->ciphertext, sizeof file->ciphertext) == 1 &&
           length == sizeof secrets->private_key;
}

static enum bursar_status unlock(const char *path, const char *password_path, const struct keystore_file *file,
                                 struct secrets *secrets, struct private_key **ret, struct bursar_error *err)
{
    struct bursar_error why = { 0 };
    enum bursar_status status = read_password(password_path, secrets, err);
    if (status == BURSAR_OK)
        status = derive_key(path, file, secrets, err);
    if (status != BURSAR_OK)
        return status;
    if (!mac_matches(file, secrets))
        return bursar_fail(err, BURSAR_EINVAL,
                           "%s: the password in %s does not open it (a wrong password, or the file is damaged)", path,
                           password_path);
    if (!decipher(file, secrets))
        return bursar_fail(err, BURSAR_EINTERNAL, "%s: deciphering failed", path);
    status = private_key_new(secrets->private_key, ret, &why);
    if (status != BURSAR_OK)
        return bursar_fail(err, status, "%s: %s", path, why.message);
    return BURSAR_OK;
}

enum bursar_status keystore_address(const char *path, struct bursar_address *ret, struct bursar_error *err)
{
    struct keystore_file file;
    enum bursar_status status = keystore_file_read(path, &file, err);
    if (status != BURSAR_OK)
        return status;
    if (!file.has_address)
        return bursar_fail(err, BURSAR_ENOTFOUND, "%s: does not name its address", path);
    *ret = file.address;
    return BURSAR_OK;
}

enum bursar_status keystore_open(const char *path, const char *password_path, struct private_key **ret,
                                 struct bursar_error *err)
{
    struct keystore_file file;
    void *memory;
    enum bursar_status status = keystore_file_read(path, &file, err);
    if (status == BURSAR_OK)
        status = locked_memory_new(sizeof(struct secrets), &memory, err);
    if (status != BURSAR_OK)
        return status;
    cleanup(free_secrets) struct secrets *secrets = memory;
    struct private_key *key = NULL;
    status = unlock(path, password_path, &file, secrets, &key, err);
    if (status != BURSAR_OK)
        return status;

    struct bursar_address address;
    private_key_address(key, &address);
    if (file.has_address && !address_equal(&file.address, &address)) {
        char named[ADDRESS_TEXT_BYTES], derived[ADDRESS_TEXT_BYTES];
        address_to_text(&file.address, named);
        address_to_text(&address, derived);
        private_key_free(key);
        return bursar_fail(err, BURSAR_EINVAL, "%s: says it is for %s, but its key belongs to %s", path, named,
                           derived);
    }
    *ret = key;
    return BURSAR_OK;
}
