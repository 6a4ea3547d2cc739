/* Open addressing, at most half full. Keys are hashes of the simulation's own making: nobody crafts collisions. */
#include "sim_map.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 64

struct sim_map_entry {
    struct bursar_hash key;
    uint32_t value;
    uint32_t is_used;
};

static void out_of_memory(void)
{
    (void)fputs("sim: out of memory\n", stderr);
    abort();
}

void *sim_allocate(size_t count, size_t element_bytes)
{
    void *memory = calloc(count ? count : 1, element_bytes);
    if (!memory)
        out_of_memory();
    return memory;
}

void *sim_grow(void *array, size_t count, size_t *capacity, size_t element_bytes)
{
    if (count < *capacity)
        return array;
    size_t larger = *capacity ? *capacity * 2 : 16;
    void *moved = larger > *capacity ? reallocarray(array, larger, element_bytes) : NULL;
    if (!moved)
        out_of_memory();
    *capacity = larger;
    return moved;
}

/* Addresses may differ in their last bytes only, so all of them count. */
static size_t slot_of(const struct sim_map *map, const struct bursar_hash *key)
{
    uint64_t words[4], mixed = 0;
    memcpy(words, key->bytes, sizeof words);
    for (size_t i = 0; i < 4; i++) {
        mixed = (mixed ^ words[i]) * UINT64_C(0x9e3779b97f4a7c15);
        mixed ^= mixed >> 29;
    }
    return (size_t)mixed & (map->capacity - 1);
}

/* Where the key is, or the free place where it belongs. */
static struct sim_map_entry *find(const struct sim_map *map, const struct bursar_hash *key)
{
    size_t slot = slot_of(map, key);
    while (map->entries[slot].is_used && memcmp(&map->entries[slot].key, key, sizeof *key) != 0)
        slot = (slot + 1) & (map->capacity - 1);
    return &map->entries[slot];
}

static void enlarge(struct sim_map *map)
{
    struct sim_map old = *map;
    map->capacity = old.capacity ? old.capacity * 2 : FIRST_CAPACITY;
    map->entries = sim_allocate(map->capacity, sizeof *map->entries);
    for (size_t i = 0; i < old.capacity; i++) {
        if (old.entries[i].is_used)
            *find(map, &old.entries[i].key) = old.entries[i];
    }
    free(old.entries);
}

void sim_map_put(struct sim_map *map, const struct bursar_hash *key, uint32_t value)
{
    if (map->count * 2 >= map->capacity)
        enlarge(map);
    *find(map, key) = (struct sim_map_entry){ .key = *key, .value = value, .is_used = 1 };
    map->count++;
}

uint32_t sim_map_get(const struct sim_map *map, const struct bursar_hash *key)
{
    if (map->capacity == 0)
        return UINT32_MAX;
    const struct sim_map_entry *entry = find(map, key);
    return entry->is_used ? entry->value : UINT32_MAX;
}

void sim_map_free(struct sim_map *map)
{
    free(map->entries);
    *map = (struct sim_map){ 0 };
}
