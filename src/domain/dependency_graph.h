/* Finds a cycle among new disbursements. Only new rows can form one: stored rows' dependencies never change. Pure. */
#ifndef DOMAIN_DEPENDENCY_GRAPH_H
#define DOMAIN_DEPENDENCY_GRAPH_H

#include <bursar/status.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* `from` waits for `on`: indices of new rows, [0, node_count). */
struct dependency_edge {
    uint32_t from;
    uint32_t on;
};

/* Sets *ret_found and, when found, *ret_node to a row on the cycle (the lowest index of that cycle). Sorts `edges` in
 * place. O(nodes + edges log edges) time, no recursion. ENOMEM possible. */
BURSAR_MUST_CHECK enum bursar_status dependency_cycle_find(struct dependency_edge *edges, size_t edge_count,
                                                           size_t node_count, bool *ret_found, uint32_t *ret_node,
                                                           struct bursar_error *err);

#endif
