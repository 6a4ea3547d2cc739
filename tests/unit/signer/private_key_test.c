/* A key in use: who signed can be told from the signature, and the key stays where it was put. */
#include "scratch.h"

#include <sys/wait.h>

static const struct bursar_hash some_hash = { { 1, 2, 3 } };

static void a_signature_leads_back_to_its_account(void **state)
{
    (void)state;
    struct private_key *key = known_key(0);
    struct eth_signature signature;
    struct bursar_address expected = known_address(0), address;
    assert_int_equal(private_key_sign(key, &some_hash, &signature, NULL), BURSAR_OK);
    assert_int_equal(private_key_recover(key, &some_hash, &signature, &address, NULL), BURSAR_OK);
    assert_true(address_equal(&address, &expected));
    private_key_free(key);
}

static void another_hash_or_parity_leads_elsewhere(void **state)
{
    (void)state;
    struct private_key *key = known_key(0);
    struct bursar_hash other = some_hash;
    struct eth_signature signature;
    struct bursar_address ours = known_address(0), address = { { 0 } };
    assert_int_equal(private_key_sign(key, &some_hash, &signature, NULL), BURSAR_OK);
    other.bytes[31] ^= 1;
    if (private_key_recover(key, &other, &signature, &address, NULL) == BURSAR_OK)
        assert_false(address_equal(&address, &ours));
    signature.y_parity ^= 1;
    if (private_key_recover(key, &some_hash, &signature, &address, NULL) == BURSAR_OK)
        assert_false(address_equal(&address, &ours));
    private_key_free(key);
}

static void numbers_that_are_no_key_are_refused(void **state)
{
    (void)state;
    uint8_t secret[32] = { 0 };
    struct private_key *key = NULL;
    struct bursar_error err = { 0 };
    assert_int_equal(private_key_new(secret, &key, &err), BURSAR_EINVAL);
    memset(secret, 0xff, sizeof secret);
    assert_int_equal(private_key_new(secret, &key, &err), BURSAR_EINVAL);
    assert_null(key);
}

/* The flags of the mapping that holds `address`, from /proc/self/smaps; false where the kernel does not tell. */
static bool mapping_flags(const void *address, char *ret, size_t capacity)
{
    FILE *maps = fopen("/proc/self/smaps", "re");
    char line[512];
    bool here = false, found = false;
    if (!maps)
        return false;
    while (!found && fgets(line, sizeof line, maps)) {
        unsigned long from, to;
        if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
            here = (uintptr_t)address >= from && (uintptr_t)address < to;
        found = here && strncmp(line, "VmFlags:", 8) == 0;
    }
    (void)fclose(maps);
    if (found)
        (void)snprintf(ret, capacity, "%s", line);
    return found;
}

static void a_key_is_locked_in_memory_and_left_out_of_core_dumps(void **state)
{
    (void)state;
    char flags[512];
    struct private_key *key = known_key(0);
    if (mapping_flags(key, flags, sizeof flags)) {
#ifndef __SANITIZE_ADDRESS__ /* it turns mlock into nothing */
        assert_non_null(strstr(flags, " lo"));
#endif
        assert_non_null(strstr(flags, " dd"));
    }
    private_key_free(key);
}

static void a_child_process_cannot_sign_with_its_parents_key(void **state)
{
    (void)state;
    char flags[512];
    struct private_key *key = known_key(0);
    if (!mapping_flags(key, flags, sizeof flags) || !strstr(flags, " wf")) {
        private_key_free(key);
        skip(); /* this kernel does not wipe pages on fork */
    }
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct eth_signature signature;
        _exit(private_key_sign(key, &some_hash, &signature, NULL) == BURSAR_EREFUSED ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    private_key_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signature_leads_back_to_its_account),
        cmocka_unit_test(another_hash_or_parity_leads_elsewhere),
        cmocka_unit_test(numbers_that_are_no_key_are_refused),
        cmocka_unit_test(a_key_is_locked_in_memory_and_left_out_of_core_dumps),
        cmocka_unit_test(a_child_process_cannot_sign_with_its_parents_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
