/* What happens to the simulated disk from outside: the power goes, a person puts an old copy back or removes a file. */
#include "disk_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- the power goes --- */

/* Which name is durable as which file, of all that was renamed since the last sync of the directory. */
static void settle_names(struct disk *disk, uint64_t key)
{
    size_t count = disk->renaming_count;
    struct disk_loss loss = disk_loss_draw(key, count);
    for (size_t i = 0; i < count; i++) {
        const struct disk_renaming *renaming = &disk->renamings[i];
        struct disk_name *name = &disk->names[renaming->name];
        if (i < disk_loss_kept(&loss, renaming->name, count)) {
            disk_file_hold(renaming->file);
            (void)disk_file_release(name->durable);
            name->durable = renaming->file;
        }
        (void)disk_file_release(renaming->file);
    }
    disk->renaming_count = 0;
    for (size_t i = 0; i < disk->name_count; i++)
        disk->counters.undone_names += disk->names[i].now != disk->names[i].durable;
}

static bool settle_files(struct disk *disk, uint64_t key)
{
    bool ok = true;
    for (size_t i = 0; i < disk->name_count; i++)
        if (disk->names[i].durable)
            disk->names[i].durable->is_settled = false;
    for (size_t i = 0; i < disk->name_count; i++) {
        struct disk_file *file = disk->names[i].durable;
        if (!file || file->is_settled)
            continue;
        ok = disk_file_settle(file, random_mix(key, file->number), &disk->counters) && ok;
        file->is_settled = true;
    }
    return ok;
}

/* Under any name that stayed in the directory as it was; NULL: none yet. */
static const char *place_of(const struct disk *disk, const struct disk_file *file)
{
    for (size_t i = 0; i < disk->name_count; i++)
        if (disk->names[i].now == file)
            return disk->names[i].name;
    return NULL;
}

static bool place(struct disk *disk, struct disk_name *name)
{
    struct disk_file *file = name->durable;
    const char *there = place_of(disk, file);
    bool ok = false;
    if (there) {
        char from[DISK_PATH_MAX_BYTES], to[DISK_PATH_MAX_BYTES];
        ok = disk_real_path(disk, there, from) && disk_real_path(disk, name->name, to) && __real_link(from, to) == 0;
    } else {
        ok = disk_write_real(disk, name->name, file->durable, file->durable_bytes);
    }
    (void)snprintf(file->name, sizeof file->name, "%s", name->name);
    disk_file_hold(file);
    name->now = file;
    return ok;
}

/* Makes the real directory what is durable; what is the same already is not touched. */
static bool place_all(struct disk *disk)
{
    bool ok = true;
    for (size_t i = 0; i < disk->name_count; i++) {
        struct disk_name *name = &disk->names[i];
        if (name->now && (name->now != name->durable || name->now->differs)) {
            ok = disk_unlink_real(disk, name->name) && ok;
            name->now = disk_file_release(name->now);
        }
    }
    for (size_t i = 0; i < disk->name_count; i++)
        if (disk->names[i].durable && !disk->names[i].now)
            ok = place(disk, &disk->names[i]) && ok;
    for (size_t i = 0; i < disk->name_count; i++)
        if (disk->names[i].durable)
            disk->names[i].durable->differs = false;
    return ok;
}

bool disk_lose_power(struct disk *disk, struct random *random)
{
    if (disk->open_count > 0)
        return false;
    uint64_t key = random_u64(random);
    disk->counters.power_losses++;
    settle_names(disk, random_mix(key, 1));
    bool ok = settle_files(disk, random_mix(key, 2));
    ok = place_all(disk) && ok;
    disk_names_synced(disk);
    ok = disk_sweep(disk, false) && ok;
    if (!ok)
        disk_host_failed(disk);
    return ok;
}

/* --- a person does something --- */

static const char *const SUFFIXES[DISK_COPY_PARTS] = { "", "-wal", "-journal" };

static bool name_part(const char *name, const char *suffix, char ret[DISK_NAME_MAX_BYTES])
{
    int length = snprintf(ret, DISK_NAME_MAX_BYTES, "%s%s", name, suffix);
    return length > 0 && length < (int)DISK_NAME_MAX_BYTES;
}

size_t disk_keep(struct disk *disk, const char *name)
{
    if (disk->copy_count == DISK_COPIES_MAX || !disk_exists(disk, name))
        return SIZE_MAX;
    struct disk_copy copy = { 0 };
    (void)snprintf(copy.name, sizeof copy.name, "%s", name);
    bool ok = true;
    for (size_t i = 0; i < DISK_COPY_PARTS; i++) {
        char part[DISK_NAME_MAX_BYTES];
        struct disk_copy_part *kept = &copy.parts[i];
        if (!name_part(name, SUFFIXES[i], part) || !disk_exists(disk, part))
            continue;
        kept->exists = disk_read_real(disk, part, &kept->bytes, &kept->count);
        ok = ok && kept->exists;
    }
    if (!ok) {
        disk_host_failed(disk);
        for (size_t i = 0; i < DISK_COPY_PARTS; i++)
            free(copy.parts[i].bytes);
        return SIZE_MAX;
    }
    disk->copies[disk->copy_count] = copy;
    return disk->copy_count++;
}

static bool is_open(const struct disk *disk, const char *name)
{
    for (size_t i = 0; i < DISK_COPY_PARTS; i++) {
        char part[DISK_NAME_MAX_BYTES];
        const struct disk_file *file = name_part(name, SUFFIXES[i], part) ? disk_names_find(disk, part) : NULL;
        if (file && file->open > 0)
            return true;
    }
    return false;
}

bool disk_remove(struct disk *disk, const char *name)
{
    if (is_open(disk, name))
        return false;
    bool ok = true;
    char part[DISK_NAME_MAX_BYTES];
    for (size_t i = 0; i < DISK_COPY_PARTS; i++)
        if (name_part(name, SUFFIXES[i], part) && disk_exists(disk, part))
            ok = disk_unlink_real(disk, part) && disk_names_set(disk, part, NULL) && ok;
    /* SQLite's shared memory is of the file that went. */
    ok = name_part(name, "-shm", part) && disk_unlink_real(disk, part) && ok;
    disk_names_synced(disk);
    if (!ok)
        disk_host_failed(disk);
    return ok;
}

bool disk_put_back(struct disk *disk, size_t number)
{
    if (number >= disk->copy_count)
        return false;
    const struct disk_copy *copy = &disk->copies[number];
    if (is_open(disk, copy->name) || !disk_remove(disk, copy->name))
        return false;
    bool ok = true;
    for (size_t i = 0; i < DISK_COPY_PARTS; i++) {
        const struct disk_copy_part *part = &copy->parts[i];
        char name[DISK_NAME_MAX_BYTES];
        bool is_new = false;
        if (!part->exists || !name_part(copy->name, SUFFIXES[i], name))
            continue;
        struct disk_file *file = disk_file_named(disk, name, &is_new);
        ok = file && disk_file_fill(file, part->bytes, part->count) &&
             disk_write_real(disk, name, part->bytes, part->count) && ok;
    }
    disk_names_synced(disk);
    disk->counters.put_back++;
    if (!ok)
        disk_host_failed(disk);
    return ok;
}

static uint64_t digest_bytes(uint64_t digest, const uint8_t *bytes, size_t count)
{
    for (size_t at = 0; at < count; at += 8) {
        uint64_t word = 0;
        memcpy(&word, bytes + at, count - at < 8 ? count - at : 8);
        digest = random_mix(digest, word);
    }
    return random_mix(digest, count);
}

uint64_t disk_digest(const struct disk *disk)
{
    uint64_t digest = 0;
    for (size_t i = 0; i < disk->name_count; i++) {
        const struct disk_name *name = &disk->names[i];
        uint8_t *bytes = NULL;
        size_t count = 0;
        if (!name->now)
            continue;
        digest = digest_bytes(digest, (const uint8_t *)name->name, strlen(name->name));
        if (disk_read_real(disk, name->name, &bytes, &count))
            digest = digest_bytes(digest, bytes, count);
        free(bytes);
    }
    return digest;
}
