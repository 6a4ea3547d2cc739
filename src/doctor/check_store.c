/* The store as a file: can it be opened, is it whole, has it room. */
#include "doctor/checks.h"

#include "base/cleanup.h"
#include "store/sqlite_store.h"

#include <stdio.h>
#include <string.h>

#define DAMAGE_MAX_BYTES 400

#define PUT_BACK                                                                                                       \
    "end `bursar run`, keep a copy of the damaged file, put back the newest backup, then `bursar reconcile --dry-run`"

/* What to do when it can't be opened, by what the store says of itself. */
static const char *opening_action(enum bursar_status status, const char *message)
{
    static const struct {
        const char *says, *action;
    } known[] = {
        { "there is no store", "put back the newest backup, then `bursar reconcile --dry-run`; `bursar init` is for a "
                               "treasury that has never paid" },
        { "damaged", PUT_BACK },
        { "older schema", "start `bursar run`: it upgrades the store" },
        { "newer Bursar", "install the version of Bursar that wrote it, or a later one" },
        { "network file system", "move the store to a local disk, and correct `url` in [store] of bursar.conf" },
        { "ermission", "give the user that runs Bursar access to that file and its folder" },
    };
    if (status == BURSAR_EBUSY)
        return "run `bursar doctor` again; somebody writes for very long";
    for (size_t i = 0; i < COUNT_OF(known); i++) {
        if (strstr(message, known[i].says))
            return known[i].action;
    }
    return "correct `url` in [store] of bursar.conf, or put back the newest backup";
}

struct sqlite_store *doctor_store(const struct doctor *doctor, const char *path)
{
    struct sqlite_store *store = NULL;
    struct bursar_error err = { 0 };
    char damage[DAMAGE_MAX_BYTES] = "";
    struct finding finding = { .name = "store", .subject = path, .result = CHECK_WRONG, .grade = GRADE_UNREACHABLE };
    enum bursar_status status = sqlite_store_open(path, SQLITE_MODE_LOOK, NULL, NULL, &store, &err);
    if (status != BURSAR_OK) {
        finding.action = opening_action(status, err.message);
        doctor_tell(doctor, finding, "%.700s", err.message);
        doctor_disk(doctor, "disk", path);
        return NULL;
    }
    status = sqlite_store_damage(store, damage, sizeof damage, &err);
    if (status != BURSAR_OK || damage[0]) {
        finding.action = PUT_BACK;
        doctor_tell(doctor, finding, "it is damaged: %s", status != BURSAR_OK ? err.message : damage);
        doctor_disk(doctor, "disk", path);
        return store;
    }
    finding.result = CHECK_OK;
    finding.grade = GRADE_NONE;
    doctor_tell(doctor, finding, "whole, schema %d, on a local disk", sqlite_store_schema());
    doctor_disk(doctor, "disk", path);
    return store;
}
