/* Which name is which file: now, and after a power loss. Only a sync of the directory makes a change of names durable:
 * a file may be synced and still be lost with its name, as POSIX has it. */
#include "disk_parts.h"

#include <stdlib.h>
#include <string.h>

/* SIZE_MAX: no such. */
static size_t index_of(const struct disk *disk, const char *name)
{
    for (size_t i = 0; i < disk->name_count; i++)
        if (strcmp(disk->names[i].name, name) == 0)
            return i;
    return SIZE_MAX;
}

struct disk_file *disk_names_find(const struct disk *disk, const char *name)
{
    size_t index = index_of(disk, name);
    return index == SIZE_MAX ? NULL : disk->names[index].now;
}

/* The index of the name, made if need be; SIZE_MAX without memory. */
static size_t entry_of(struct disk *disk, const char *name)
{
    size_t index = index_of(disk, name);
    if (index != SIZE_MAX)
        return index;
    if (disk->name_count == disk->name_capacity) {
        size_t larger = disk->name_capacity ? 2 * disk->name_capacity : 64;
        struct disk_name *moved = realloc(disk->names, larger * sizeof *moved);
        if (!moved)
            return SIZE_MAX;
        disk->names = moved;
        disk->name_capacity = larger;
    }
    struct disk_name *entry = &disk->names[disk->name_count];
    *entry = (struct disk_name){ 0 };
    (void)snprintf(entry->name, sizeof entry->name, "%s", name);
    return disk->name_count++;
}

static bool reserve_renaming(struct disk *disk)
{
    if (disk->renaming_count >= DISK_UNSYNCED_NAMES_MAX)
        disk_names_synced(disk);
    if (disk->renaming_count < disk->renaming_capacity)
        return true;
    size_t larger = disk->renaming_capacity ? 2 * disk->renaming_capacity : 64;
    struct disk_renaming *moved = realloc(disk->renamings, larger * sizeof *moved);
    if (!moved)
        return false;
    disk->renamings = moved;
    disk->renaming_capacity = larger;
    return true;
}

bool disk_names_set(struct disk *disk, const char *name, struct disk_file *file)
{
    if (!reserve_renaming(disk))
        return false;
    size_t index = entry_of(disk, name);
    if (index == SIZE_MAX)
        return false;
    if (file)
        (void)snprintf(file->name, sizeof file->name, "%s", name);
    disk_file_hold(file); /* for the name */
    disk_file_hold(file); /* for the list of what is not synced */
    (void)disk_file_release(disk->names[index].now);
    disk->names[index].now = file;
    disk->renamings[disk->renaming_count++] = (struct disk_renaming){ .name = index, .file = file };
    return true;
}

void disk_names_synced(struct disk *disk)
{
    for (size_t i = 0; i < disk->renaming_count; i++)
        (void)disk_file_release(disk->renamings[i].file);
    disk->renaming_count = 0;
    size_t kept = 0;
    for (size_t i = 0; i < disk->name_count; i++) {
        struct disk_name *entry = &disk->names[i];
        if (entry->durable != entry->now) {
            (void)disk_file_release(entry->durable);
            disk_file_hold(entry->now);
            entry->durable = entry->now;
        }
        if (entry->now)
            disk->names[kept++] = *entry;
    }
    disk->name_count = kept;
}

void disk_names_free(struct disk *disk)
{
    for (size_t i = 0; i < disk->renaming_count; i++)
        (void)disk_file_release(disk->renamings[i].file);
    for (size_t i = 0; i < disk->name_count; i++) {
        (void)disk_file_release(disk->names[i].now);
        (void)disk_file_release(disk->names[i].durable);
    }
    free(disk->renamings);
    free(disk->names);
    disk->renamings = NULL;
    disk->names = NULL;
    disk->renaming_count = disk->name_count = 0;
}
