/* Keystores: the published vectors open, nothing else does, and what is wrong is said. */
#include "base/cleanup.h"
#include "eth/address.h"
#include "scratch.h"
#include "signer/keystore.h"

#include <jansson.h>

#define PASSWORD "anvil account 0"
#define ANVIL0 FIXTURES "/keystore/anvil0.json"
#define ANVIL0_PASS FIXTURES "/keystore/anvil0.pass"

/* The test vectors that the definition of the format gives, for "testpassword". */
static const char pbkdf2_vector[] =
    "{\"crypto\":{\"cipher\":\"aes-128-ctr\",\"cipherparams\":{\"iv\":\"6087dab2f9fdbbfaddc31a909735c1e6\"},"
    "\"ciphertext\":\"5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46\",\"kdf\":\"pbkdf2\","
    "\"kdfparams\":{\"c\":262144,\"dklen\":32,\"prf\":\"hmac-sha256\","
    "\"salt\":\"ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd\"},"
    "\"mac\":\"517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2\"},"
    "\"id\":\"3198bc9c-6672-5ab3-d995-4942343ae5b6\",\"version\":3}";
static const char scrypt_vector[] =
    "{\"crypto\":{\"cipher\":\"aes-128-ctr\",\"cipherparams\":{\"iv\":\"83dbcc02d8ccb40e466191a123791e0e\"},"
    "\"ciphertext\":\"d172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c\",\"kdf\":\"scrypt\","
    "\"kdfparams\":{\"dklen\":32,\"n\":262144,\"r\":1,\"p\":8,"
    "\"salt\":\"ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19\"},"
    "\"mac\":\"2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097\"},"
    "\"id\":\"3198bc9c-6672-5ab3-d995-4942343ae5b6\",\"version\":3}";

static enum bursar_status open_texts(const char *keystore, size_t keystore_bytes, const char *password,
                                     size_t password_bytes, struct bursar_address *ret, struct bursar_error *err)
{
    char path[SCRATCH_PATH_BYTES], password_path[SCRATCH_PATH_BYTES];
    struct private_key *key;
    write_file(scratch_path(path, "key.json"), keystore, keystore_bytes);
    write_file(scratch_path(password_path, "key.pass"), password, password_bytes);
    enum bursar_status status = keystore_open(path, password_path, &key, err);
    if (status == BURSAR_OK) {
        private_key_address(key, ret);
        private_key_free(key);
    }
    return status;
}

static enum bursar_status open_json(const json_t *root, struct bursar_error *err)
{
    struct bursar_address address;
    char *text = json_dumps(root, 0);
    assert_non_null(text);
    enum bursar_status status = open_texts(text, strlen(text), PASSWORD, strlen(PASSWORD), &address, err);
    free(text);
    return status;
}

static json_t *anvil0(void)
{
    json_t *root = json_load_file(ANVIL0, 0, NULL);
    assert_non_null(root);
    return root;
}

static void assert_address(const struct bursar_address *address, const char *expected)
{
    char text[ADDRESS_TEXT_BYTES];
    address_to_text(address, text);
    assert_string_equal(text, expected);
}

static void the_published_vectors_open(void **state)
{
    (void)state;
    static const char *const vectors[] = { pbkdf2_vector, scrypt_vector };
    for (size_t i = 0; i < COUNT_OF(vectors); i++) {
        struct bursar_address address;
        struct bursar_error err = { 0 };
        assert_int_equal(open_texts(vectors[i], strlen(vectors[i]), "testpassword", 12, &address, &err), BURSAR_OK);
        assert_address(&address, "0x008AeEda4D805471dF9b2A5B0f38A0C3bCBA786b");
    }
}

static void the_fixtures_open_with_and_without_an_address(void **state)
{
    (void)state;
    static const char *const files[][3] = {
        { ANVIL0, ANVIL0_PASS, "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266" },
        { FIXTURES "/keystore/anvil1.json", FIXTURES "/keystore/anvil1.pass",
          "0x70997970C51812dc3A010C7d01b50e0d17dc79C8" },
        { FIXTURES "/keystore/anvil0-noaddress.json", ANVIL0_PASS, "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266" },
    };
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        struct private_key *key;
        struct bursar_address address;
        assert_int_equal(keystore_open(files[i][0], files[i][1], &key, NULL), BURSAR_OK);
        private_key_address(key, &address);
        private_key_free(key);
        assert_address(&address, files[i][2]);
    }
}

static void the_address_is_read_without_a_password(void **state)
{
    (void)state;
    struct bursar_address address;
    assert_int_equal(keystore_address(ANVIL0, &address, NULL), BURSAR_OK);
    assert_address(&address, "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
    assert_int_equal(keystore_address(FIXTURES "/keystore/anvil0-noaddress.json", &address, NULL), BURSAR_ENOTFOUND);
}

static void a_wrong_password_is_refused_and_both_files_are_named(void **state)
{
    (void)state;
    struct private_key *key = NULL;
    struct bursar_error err = { 0 };
    assert_int_equal(keystore_open(ANVIL0, FIXTURES "/keystore/anvil1.pass", &key, &err), BURSAR_EINVAL);
    assert_null(key);
    assert_non_null(strstr(err.message, "anvil0.json"));
    assert_non_null(strstr(err.message, "anvil1.pass"));
    assert_null(strstr(err.message, "anvil account"));
}

static void one_trailing_newline_is_not_part_of_the_password(void **state)
{
    (void)state;
    static const struct {
        const char *password;
        size_t length;
        enum bursar_status status;
    } cases[] = {
        { PASSWORD, 15, BURSAR_OK },
        { PASSWORD "\n", 16, BURSAR_OK },
        { PASSWORD "\r\n", 17, BURSAR_OK },
        { PASSWORD "\n\n", 17, BURSAR_EINVAL },
        { PASSWORD "\r\n\n", 18, BURSAR_EINVAL },
        { PASSWORD "\r", 16, BURSAR_EINVAL },
        { PASSWORD " ", 16, BURSAR_EINVAL },
        { "\n" PASSWORD, 16, BURSAR_EINVAL },
        { "", 0, BURSAR_EINVAL },
        { "\n", 1, BURSAR_EINVAL },
        { "\r\n", 2, BURSAR_EINVAL },
    };
    cleanup(buf_free) struct buf keystore = { 0 };
    read_file(ANVIL0, &keystore);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct bursar_address address;
        struct bursar_error err = { 0 };
        assert_int_equal(
            open_texts(keystore.data, keystore.length_bytes, cases[i].password, cases[i].length, &address, &err),
            cases[i].status);
    }
}

static void a_password_that_is_too_long_is_refused_as_such(void **state)
{
    (void)state;
    static char password[PASSWORD_MAX_BYTES + 3];
    struct bursar_address address;
    struct bursar_error err = { 0 };
    cleanup(buf_free) struct buf keystore = { 0 };
    read_file(ANVIL0, &keystore);
    memset(password, 'x', sizeof password);
    for (size_t length = PASSWORD_MAX_BYTES + 1; length <= sizeof password; length++) {
        assert_int_equal(open_texts(keystore.data, keystore.length_bytes, password, length, &address, &err),
                         BURSAR_EINVAL);
        assert_non_null(strstr(err.message, "longer than"));
    }
    assert_int_equal(open_texts(keystore.data, keystore.length_bytes, password, PASSWORD_MAX_BYTES, &address, &err),
                     BURSAR_EINVAL);
    assert_non_null(strstr(err.message, "does not open"));
}

static void a_file_that_cannot_be_read_is_named(void **state)
{
    (void)state;
    char path[SCRATCH_PATH_BYTES];
    struct private_key *key;
    struct bursar_address address;
    struct bursar_error err = { 0 };
    scratch_path(path, "not-there.json");
    assert_int_equal(keystore_open(path, ANVIL0_PASS, &key, &err), BURSAR_EINVAL);
    assert_non_null(strstr(err.message, path));
    assert_int_equal(keystore_address(path, &address, &err), BURSAR_EINVAL);
    assert_int_equal(keystore_open(ANVIL0, path, &key, &err), BURSAR_EINVAL);
    assert_non_null(strstr(err.message, path));
    assert_int_equal(keystore_open(scratch_directory, ANVIL0_PASS, &key, &err), BURSAR_EINVAL);
    assert_non_null(strstr(err.message, scratch_directory));
}

static void a_file_that_ends_early_never_opens(void **state)
{
    (void)state;
    cleanup(buf_free) struct buf keystore = { 0 };
    read_file(ANVIL0, &keystore);
    size_t last = keystore.length_bytes;
    while (keystore.data[last - 1] != '}')
        last--;
    for (size_t length = 0; length < last; length++) {
        struct bursar_address address;
        struct bursar_error err = { 0 };
        assert_int_equal(open_texts(keystore.data, length, PASSWORD, strlen(PASSWORD), &address, &err), BURSAR_EINVAL);
        assert_non_null(strstr(err.message, "key.json"));
    }
}

static void an_oversized_file_is_refused(void **state)
{
    (void)state;
    static char spaces[KEYSTORE_MAX_BYTES + 1];
    struct bursar_address address;
    struct bursar_error err = { 0 };
    memset(spaces, ' ', sizeof spaces);
    assert_int_equal(open_texts(spaces, sizeof spaces, PASSWORD, strlen(PASSWORD), &address, &err), BURSAR_EINVAL);
    assert_non_null(strstr(err.message, "longer than"));
}

static void a_capital_crypto_is_taken_too_but_not_both(void **state)
{
    (void)state;
    struct bursar_error err = { 0 };
    json_t *root = anvil0(), *crypto = json_incref(json_object_get(root, "crypto"));
    assert_int_equal(json_object_set(root, "Crypto", crypto), 0);
    assert_int_equal(open_json(root, &err), BURSAR_EINVAL);
    assert_int_equal(json_object_del(root, "crypto"), 0);
    assert_int_equal(open_json(root, &err), BURSAR_OK);
    json_decref(crypto);
    json_decref(root);
}

static json_t *object_at(json_t *root, const char *where)
{
    json_t *crypto = json_object_get(root, "crypto");
    if (strcmp(where, "") == 0)
        return root;
    return strcmp(where, "crypto") == 0 ? crypto : json_object_get(crypto, where);
}

static void each_missing_field_is_named(void **state)
{
    (void)state;
    static const char *const fields[][2] = {
        { "", "version" },        { "", "crypto" },           { "crypto", "cipher" }, { "crypto", "cipherparams" },
        { "cipherparams", "iv" }, { "crypto", "ciphertext" }, { "crypto", "kdf" },    { "crypto", "kdfparams" },
        { "kdfparams", "dklen" }, { "kdfparams", "n" },       { "kdfparams", "r" },   { "kdfparams", "p" },
        { "kdfparams", "salt" },  { "crypto", "mac" },
    };
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        struct bursar_error err = { 0 };
        json_t *root = anvil0();
        assert_int_equal(json_object_del(object_at(root, fields[i][0]), fields[i][1]), 0);
        assert_int_equal(open_json(root, &err), BURSAR_EINVAL);
        assert_non_null(strstr(err.message, fields[i][1]));
        json_decref(root);
    }
}

static void each_senseless_value_is_refused_before_anything_is_derived(void **state)
{
    (void)state;
    static const struct {
        const char *where, *name, *value;
    } cases[] = {
        { "", "version", "4" },
        { "", "version", "\"3\"" },
        { "", "address", "\"f39f\"" },
        { "", "address", "7" },
        { "", "crypto", "[]" },
        { "crypto", "cipher", "\"aes-256-ctr\"" },
        { "crypto", "kdf", "\"argon2\"" },
        { "crypto", "kdf", "null" },
        { "crypto", "kdfparams", "\"\"" },
        { "crypto", "ciphertext", "\"00\"" },
        { "crypto", "mac", "\"zz\"" },
        { "cipherparams", "iv", "\"00\"" },
        { "kdfparams", "salt", "\"\"" },
        { "kdfparams", "salt", "\"abc\"" },
        { "kdfparams", "dklen", "31" },
        { "kdfparams", "dklen", "64" },
        { "kdfparams", "n", "0" },
        { "kdfparams", "n", "1" },
        { "kdfparams", "n", "-4096" },
        { "kdfparams", "n", "4095" },
        { "kdfparams", "n", "4096.0" },
        { "kdfparams", "n", "\"4096\"" },
        { "kdfparams", "n", "4611686018427387904" }, /* 2^62 */
        { "kdfparams", "n", "1099511627776" },       /* 2^40 */
        { "kdfparams", "n", "67108864" },            /* 64 GiB */
        { "kdfparams", "n", "8388608" },             /* 8 GiB, in a bearable time */
        { "kdfparams", "r", "0" },
        { "kdfparams", "r", "4294967295" },
        { "kdfparams", "r", "4294967296" },
        { "kdfparams", "p", "0" },
        { "kdfparams", "p", "4294967295" },
        { "kdfparams", "p", "65536" }, /* little memory, but hours */
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct bursar_error err = { 0 };
        json_t *root = anvil0(), *value = json_loads(cases[i].value, JSON_DECODE_ANY, NULL);
        assert_int_equal(json_object_set_new(object_at(root, cases[i].where), cases[i].name, value), 0);
        assert_int_equal(open_json(root, &err), BURSAR_EINVAL);
        assert_null(strstr(err.message, "password"));
        json_decref(root);
    }
}

static void a_field_given_twice_is_refused(void **state)
{
    (void)state;
    static const char twice[] = "{\"version\":3,\"version\":3}";
    struct bursar_address address;
    struct bursar_error err = { 0 };
    assert_int_equal(open_texts(twice, strlen(twice), "", 0, &address, &err), BURSAR_EINVAL);
    assert_non_null(strstr(err.message, "uplicate"));
}

static void any_damage_to_what_the_mac_covers_is_noticed(void **state)
{
    (void)state;
    static const char *const fields[][2] = { { "crypto", "mac" }, { "crypto", "ciphertext" }, { "kdfparams", "salt" } };
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        struct bursar_error err = { 0 };
        char text[65];
        json_t *root = anvil0(), *object = object_at(root, fields[i][0]);
        (void)snprintf(text, sizeof text, "%s", json_string_value(json_object_get(object, fields[i][1])));
        text[63] = text[63] == '0' ? '1' : '0';
        assert_int_equal(json_object_set_new(object, fields[i][1], json_string(text)), 0);
        assert_int_equal(open_json(root, &err), BURSAR_EINVAL);
        assert_non_null(strstr(err.message, "damaged"));
        json_decref(root);
    }
}

/* The initialisation vector is not covered by the MAC: only the address shows that it is not the one it was. */
static void a_key_of_another_address_is_refused_and_both_are_named(void **state)
{
    (void)state;
    struct bursar_error err = { 0 };
    json_t *root = anvil0();
    const char *other = "70997970c51812dc3a010c7d01b50e0d17dc79c8";
    assert_int_equal(json_object_set_new(root, "address", json_string(other)), 0);
    assert_int_equal(open_json(root, &err), BURSAR_EINVAL);
    assert_non_null(strstr(err.message, "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"));
    assert_non_null(strstr(err.message, "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"));
    json_decref(root);
}

static void an_address_may_be_written_with_0x_or_be_null(void **state)
{
    (void)state;
    struct bursar_error err = { 0 };
    json_t *root = anvil0();
    assert_int_equal(json_object_set_new(root, "address", json_string("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266")),
                     0);
    assert_int_equal(open_json(root, &err), BURSAR_OK);
    assert_int_equal(json_object_set_new(root, "address", json_null()), 0);
    assert_int_equal(open_json(root, &err), BURSAR_OK);
    json_decref(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_vectors_open),
        cmocka_unit_test(the_fixtures_open_with_and_without_an_address),
        cmocka_unit_test(the_address_is_read_without_a_password),
        cmocka_unit_test(a_wrong_password_is_refused_and_both_files_are_named),
        cmocka_unit_test(one_trailing_newline_is_not_part_of_the_password),
        cmocka_unit_test(a_password_that_is_too_long_is_refused_as_such),
        cmocka_unit_test(a_file_that_cannot_be_read_is_named),
        cmocka_unit_test(a_file_that_ends_early_never_opens),
        cmocka_unit_test(an_oversized_file_is_refused),
        cmocka_unit_test(a_capital_crypto_is_taken_too_but_not_both),
        cmocka_unit_test(each_missing_field_is_named),
        cmocka_unit_test(each_senseless_value_is_refused_before_anything_is_derived),
        cmocka_unit_test(a_field_given_twice_is_refused),
        cmocka_unit_test(any_damage_to_what_the_mac_covers_is_noticed),
        cmocka_unit_test(a_key_of_another_address_is_refused_and_both_are_named),
        cmocka_unit_test(an_address_may_be_written_with_0x_or_be_null),
    };
    return cmocka_run_group_tests(tests, scratch_set_up, scratch_tear_down);
}
