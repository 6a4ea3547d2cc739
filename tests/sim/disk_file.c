/* The bytes of one file of the simulated disk: those that are durable, and the changes since, which a power loss keeps
 * or loses sector by sector.
 *
 * A sector holds what some moment of its life wrote: never the second of two changes without the first. Different
 * sectors, and the size of the file, are independent of each other; that is more than a real disk would do. */
#include "disk_parts.h"

#include <stdlib.h>
#include <string.h>

#define SIZE_PLACE UINT64_MAX /* the sector number of "the size of the file" */

struct disk_file *disk_file_new(uint64_t number)
{
    struct disk_file *file = calloc(1, sizeof *file);
    if (file) {
        file->number = number;
        file->references = 1;
    }
    return file;
}

void disk_file_hold(struct disk_file *file)
{
    if (file)
        file->references++;
}

struct disk_file *disk_file_release(struct disk_file *file)
{
    if (file && --file->references == 0) {
        free(file->durable);
        free(file->changes);
        free(file->data);
        free(file);
    }
    return NULL;
}

static bool grow(void **array, size_t *capacity, size_t wanted, size_t item_bytes)
{
    if (wanted <= *capacity)
        return true;
    size_t larger = *capacity ? *capacity : 64;
    while (larger < wanted)
        larger *= 2;
    void *moved = realloc(*array, larger * item_bytes);
    if (!moved)
        return false;
    *array = moved;
    *capacity = larger;
    return true;
}

/* Also shrinks; what is new is zero. */
static bool resize_durable(struct disk_file *file, size_t size)
{
    void *bytes = file->durable;
    if (!grow(&bytes, &file->durable_capacity, size, 1))
        return false;
    file->durable = bytes;
    if (size > file->durable_bytes)
        memset(file->durable + file->durable_bytes, 0, size - file->durable_bytes);
    file->durable_bytes = size;
    return true;
}

static bool put_durable(struct disk_file *file, uint64_t offset, const uint8_t *bytes, size_t length)
{
    size_t end = (size_t)offset + length;
    if (end > file->durable_bytes && !resize_durable(file, end))
        return false;
    memcpy(file->durable + offset, bytes, length);
    return true;
}

bool disk_file_reserve(struct disk_file *file, size_t bytes)
{
    if (file->data_bytes + bytes > DISK_UNSYNCED_MAX_BYTES && !disk_file_synced(file))
        return false;
    void *changes = file->changes, *data = file->data;
    bool ok = grow(&changes, &file->change_capacity, file->change_count + 1, sizeof *file->changes);
    file->changes = changes;
    ok = ok && grow(&data, &file->data_capacity, file->data_bytes + bytes, 1);
    file->data = data;
    return ok;
}

void disk_file_written(struct disk_file *file, uint64_t offset, const void *bytes, size_t length)
{
    if (length == 0)
        return;
    file->changes[file->change_count++] =
        (struct disk_change){ .offset = offset, .length = length, .data = file->data_bytes };
    memcpy(file->data + file->data_bytes, bytes, length);
    file->data_bytes += length;
}

void disk_file_truncated(struct disk_file *file, uint64_t size)
{
    file->changes[file->change_count++] = (struct disk_change){ .is_truncate = true, .offset = size };
}

static void forget_changes(struct disk_file *file)
{
    file->change_count = 0;
    file->data_bytes = 0;
}

bool disk_file_synced(struct disk_file *file)
{
    for (size_t i = 0; i < file->change_count; i++) {
        const struct disk_change *change = &file->changes[i];
        if (change->is_truncate ? !resize_durable(file, (size_t)change->offset)
                                : !put_durable(file, change->offset, file->data + change->data, change->length))
            return false;
    }
    forget_changes(file);
    return true;
}

bool disk_file_fill(struct disk_file *file, const uint8_t *bytes, size_t count)
{
    forget_changes(file);
    file->differs = false;
    return resize_durable(file, 0) && (count == 0 || put_durable(file, 0, bytes, count));
}

struct disk_loss disk_loss_draw(uint64_t key, size_t count)
{
    struct disk_loss loss = { .key = random_mix(key, 1) };
    uint64_t drawn = random_mix(key, 2);
    loss.leaves_noise = (drawn >> 8) % 4 == 0;
    switch (drawn % 8) {
    case 0: /* nothing is kept */
        loss.none = 256;
        break;
    case 1: /* nothing is lost */
        loss.all = 256;
        break;
    case 2: /* nearly nothing is kept */
        loss.none = 240;
        loss.all = 8;
        break;
    case 3: /* nearly nothing is lost */
        loss.none = 8;
        loss.all = 240;
        break;
    case 4: /* in order, up to some moment */
    case 5:
        loss.is_prefix = true;
        loss.cut = random_mix(key, 3) % (count + 1);
        break;
    case 6:
        loss.none = loss.all = 128;
        break;
    case 7:
        loss.none = loss.all = 64;
        break;
    }
    return loss;
}

size_t disk_loss_kept(const struct disk_loss *loss, uint64_t place, size_t count)
{
    uint64_t drawn = random_mix(loss->key, place);
    if (loss->is_prefix) {
        uint64_t kept = loss->cut + (drawn & 1);
        return kept < count ? (size_t)kept : count;
    }
    unsigned way = drawn & 255;
    if (way < loss->none)
        return 0;
    if (way < loss->none + loss->all)
        return count;
    return (size_t)((drawn >> 8) % (count + 1));
}

/* A power loss being worked out for one file. */
struct settling {
    struct disk_file *file;
    struct disk_loss loss;
    size_t old_bytes; /* of the file, durable before */
    size_t size_kept; /* so many changes count for the size */
};

static bool leave_noise(struct settling *settling, uint64_t offset, size_t length)
{
    uint8_t noise[DISK_SECTOR_BYTES];
    if (offset < settling->old_bytes)
        return true; /* what was there before stays there */
    struct random random = random_new(random_mix(settling->loss.key, offset));
    random_fill(&random, noise, length);
    return put_durable(settling->file, offset, noise, length);
}

/* *ret_kept of the write's bytes outlive. */
static bool settle_write(struct settling *settling, size_t index, size_t *ret_kept)
{
    struct disk_file *file = settling->file;
    const struct disk_change *change = &file->changes[index];
    size_t done = 0;
    *ret_kept = 0;
    while (done < change->length) {
        uint64_t offset = change->offset + done;
        size_t length = DISK_SECTOR_BYTES - (size_t)(offset % DISK_SECTOR_BYTES);
        if (length > change->length - done)
            length = change->length - done;
        size_t kept = disk_loss_kept(&settling->loss, offset / DISK_SECTOR_BYTES, file->change_count);
        if (index < kept) {
            if (!put_durable(file, offset, file->data + change->data + done, length))
                return false;
            *ret_kept += length;
        } else {
            file->differs = true;
            if (kept == 0 && settling->loss.leaves_noise && !leave_noise(settling, offset, length))
                return false;
        }
        done += length;
    }
    return true;
}

bool disk_file_settle(struct disk_file *file, uint64_t key, struct disk_counters *counters)
{
    if (file->change_count == 0)
        return true;
    struct settling settling = { .file = file,
                                 .loss = disk_loss_draw(key, file->change_count),
                                 .old_bytes = file->durable_bytes };
    settling.size_kept = disk_loss_kept(&settling.loss, SIZE_PLACE, file->change_count);
    if (settling.size_kept < file->change_count)
        file->differs = true;
    size_t size = file->durable_bytes;
    for (size_t i = 0; i < file->change_count; i++) {
        const struct disk_change *change = &file->changes[i];
        bool counts = i < settling.size_kept;
        if (change->is_truncate) {
            if (!counts)
                continue;
            size = (size_t)change->offset;
            if (size < file->durable_bytes)
                memset(file->durable + size, 0, file->durable_bytes - size);
            continue;
        }
        if (counts && change->offset + change->length > size)
            size = (size_t)(change->offset + change->length);
        size_t kept = 0;
        if (!settle_write(&settling, i, &kept))
            return false;
        if (kept == 0)
            counters->lost_writes++;
        else if (kept < change->length)
            counters->torn_writes++;
    }
    forget_changes(file);
    return resize_durable(file, size);
}
