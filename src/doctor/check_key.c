/* Keystore and password file: there, private, and fitting each other. */
#include "doctor/checks.h"

#include "eth/address.h"
#include "signer/keystore.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <unistd.h>

/* A service is handed the password by its manager, and nobody else finds it. */
static bool was_handed_over(const struct examination *e, struct treasury *ret)
{
    const struct store *store = e->subject->store;
    const struct clock *clock = &e->doctor->clock;
    struct bursar_error err = { 0 };
    if (!store || !e->has_account || access(e->subject->password_file, F_OK) == 0 || errno != ENOENT)
        return false;
    return store->treasury_find(store->ctx, e->subject->chain_id, &e->account, ret, &err) == BURSAR_OK &&
           executor_presence(ret, clock->wall_ms(clock->ctx)) == EXECUTOR_RUNNING;
}

static bool has_password_file(const struct examination *e)
{
    struct treasury treasury;
    struct finding finding = { .name = "password_file",
                               .subject = e->subject->password_file,
                               .result = CHECK_WARNING,
                               .action = "nothing, if a service manager hands it to a service; else put it there, "
                                         "before Bursar is started the next time" };
    if (!was_handed_over(e, &treasury))
        return doctor_file(e->doctor, finding.name, finding.subject);
    doctor_tell(e->doctor, finding, "is not there, but %.200s is running, and has it", treasury.lease_holder);
    return false;
}

void check_key(struct examination *e)
{
    const struct doctor *doctor = e->doctor;
    const struct doctor_subject *subject = e->subject;
    struct bursar_error err = { 0 };
    struct private_key *key = NULL;
    char address[ADDRESS_TEXT_BYTES], action[CHECK_TEXT_MAX_BYTES];
    bool has_keystore = doctor_file(doctor, "keystore", subject->keystore);
    if (has_keystore)
        e->has_account = keystore_address(subject->keystore, &e->account, &err) == BURSAR_OK;
    bool has_password = has_password_file(e);
    if (!has_keystore || !has_password) {
        doctor_tell(doctor, (struct finding){ .name = "key", .result = CHECK_NOT_CHECKED }, "it needs the %s",
                    has_keystore ? "password file" : "keystore");
        return;
    }
    enum bursar_status status = keystore_open(subject->keystore, subject->password_file, &key, &err);
    (void)malloc_trim(0); /* scrypt's */
    if (status != BURSAR_OK) {
        (void)snprintf(action, sizeof action, "write the password of %.300s into %.300s", subject->keystore,
                       subject->password_file);
        doctor_tell(doctor,
                    (struct finding){ .name = "key", .result = CHECK_WRONG, .grade = GRADE_PERSON, .action = action },
                    "%.700s", err.message);
        return;
    }
    private_key_address(key, &e->account);
    private_key_free(key);
    e->has_account = true;
    address_to_text(&e->account, address);
    doctor_tell(doctor, (struct finding){ .name = "key", .result = CHECK_OK }, "opens with its password: %s", address);
}
