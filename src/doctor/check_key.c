/* Keystore and password file: there, private, and fitting each other. */
#include "doctor/checks.h"

#include "eth/address.h"
#include "signer/keystore.h"

#include <malloc.h>
#include <stdio.h>

void check_key(struct examination *e)
{
    const struct doctor *doctor = e->doctor;
    const struct doctor_subject *subject = e->subject;
    struct bursar_error err = { 0 };
    struct private_key *key = NULL;
    char address[ADDRESS_TEXT_BYTES], action[CHECK_TEXT_MAX_BYTES];
    bool has_keystore = doctor_file(doctor, "keystore", subject->keystore);
    bool has_password = doctor_file(doctor, "password_file", subject->password_file);
    if (has_keystore)
        e->has_account = keystore_address(subject->keystore, &e->account, &err) == BURSAR_OK;
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
