/* The signing log: there, whole, whose it is just now, and whether the store knows all of it (INV-12). */
#include "doctor/checks.h"

#include "doctor/log_look.h"

#include <inttypes.h>
#include <stdio.h>

static void tell_extent(const struct examination *e, const char *path)
{
    char use[64] = "";
    struct finding finding = { .name = "log", .subject = path, .result = CHECK_OK };
    if (e->log_pid)
        (void)snprintf(use, sizeof use, ", in use by process %" PRIu64, e->log_pid);
    if (e->log.entries > 0)
        doctor_tell(e->doctor, finding, "whole, signed from nonce %" PRIu64 " to %" PRIu64 "%s%s", e->log.first_nonce,
                    e->log.next_nonce - 1, use, e->is_stored ? "; the store knows all of it" : "");
    else
        doctor_tell(e->doctor, finding, "whole, nothing signed yet%s", use);
}

/* Without a stored treasury there is nothing to compare it with. */
static void look_alone(struct examination *e, const char *path)
{
    struct bursar_error err = { 0 };
    struct signing_log *log = NULL;
    struct finding finding = { .name = "log", .subject = path, .result = CHECK_NOT_CHECKED };
    if (!e->has_account) {
        doctor_tell(e->doctor, finding, "it needs the account, which only the key tells");
        return;
    }
    enum bursar_status status = signing_log_open_read_only(path, e->subject->chain_id, &e->account, &log, &err);
    if (status == BURSAR_OK) {
        signing_log_extent(log, &e->log);
        signing_log_close(log);
        e->has_log = true;
        tell_extent(e, path);
        return;
    }
    bool is_new = status == BURSAR_ENOTFOUND && e->subject->store;
    finding.result = is_new ? CHECK_WARNING : CHECK_WRONG;
    finding.grade = GRADE_SAFETY;
    finding.action = is_new ? "nothing, for a new treasury: `bursar run` makes it; else put it back beside the keystore"
                            : halt_action(status == BURSAR_ENOTFOUND ? HALT_SIGNING_LOG_LOST : HALT_SIGNER);
    doctor_tell(e->doctor, finding, "%.700s", err.message);
}

void check_log(struct examination *e)
{
    struct bursar_error err = { 0 };
    char path[SIGNING_LOG_PATH_MAX_BYTES];
    if (signing_log_path(e->subject->keystore, e->subject->chain_id, path, &err) != BURSAR_OK) {
        doctor_tell(e->doctor,
                    (struct finding){ .name = "log",
                                      .result = CHECK_WRONG,
                                      .grade = GRADE_PERSON,
                                      .action = "move the keystore to a shorter path" },
                    "%.700s", err.message);
        return;
    }
    e->log_pid = lock_holder(path);
    if (!doctor_same_disk(path, e->subject->store_path))
        doctor_disk(e->doctor, "disk", path);
    if (!e->is_stored) {
        look_alone(e, path);
        return;
    }
    struct log_look look;
    log_look(e->subject->store, &e->situation.treasury, e->subject->keystore, &look);
    e->has_log = look.has_log;
    e->log = look.extent;
    e->log_halt = look.halt;
    if (look.has_log)
        e->lane = look.lane;
    if (look.halt == HALT_NONE) {
        tell_extent(e, path);
        return;
    }
    doctor_tell(e->doctor,
                (struct finding){ .name = "log",
                                  .subject = path,
                                  .result = CHECK_WRONG,
                                  .grade = GRADE_SAFETY,
                                  .action = halt_action(look.halt) },
                "%.700s", look.halt_reason);
}
