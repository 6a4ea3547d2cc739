/* A map from 32 bytes to an index, for things that are found by hash or address. Nothing is ever taken out. */
#ifndef SIM_MAP_H
#define SIM_MAP_H

#include <bursar/types.h>

#include <stddef.h>
#include <stdint.h>

struct sim_map_entry;

/* Zero-initialise. */
struct sim_map {
    struct sim_map_entry *entries;
    size_t count, capacity;
};

void sim_map_put(struct sim_map *map, const struct bursar_hash *key, uint32_t value); /* the key must be new */
uint32_t sim_map_get(const struct sim_map *map, const struct bursar_hash *key);       /* UINT32_MAX: not there */
void sim_map_free(struct sim_map *map);

/* Memory for one element more behind `count`, moved to a larger place now and then; never NULL. */
void *sim_grow(void *array, size_t count, size_t *capacity, size_t element_bytes);
/* Zeroed; never NULL: a simulation without memory ends here. */
void *sim_allocate(size_t count, size_t element_bytes);

#endif
