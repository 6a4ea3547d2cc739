/* Finds a cycle by peeling off rows that wait for nothing (Kahn), without recursion.
 *
 * What can't be peeled waits, directly or not, for a cycle: from there a walk along dependencies must run into it. */
#include "domain/dependency_graph.h"

#include <stdlib.h>

struct graph {
    const struct dependency_edge *edges; /* sorted by (on, from) */
    size_t edge_count;
    size_t node_count;
    size_t *first;     /* node_count + 1: edges of those that wait for node n are first[n] .. first[n + 1] - 1 */
    uint32_t *pending; /* how many unpeeled dependencies a node still waits for; 0: peeled */
    uint32_t *queue;   /* peeled nodes; afterwards reused: the next node of a walk */
};

static int compare_edges(const void *a, const void *b)
{
    const struct dependency_edge *x = a, *y = b;
    if (x->on != y->on)
        return x->on < y->on ? -1 : 1;
    return (x->from > y->from) - (x->from < y->from);
}

static void graph_index(struct graph *graph)
{
    size_t at = 0;
    for (size_t node = 0; node <= graph->node_count; node++) {
        while (at < graph->edge_count && graph->edges[at].on < node)
            at++;
        graph->first[node] = at;
    }
    for (size_t i = 0; i < graph->edge_count; i++)
        graph->pending[graph->edges[i].from]++;
}

/* Returns how many nodes wait for no cycle. */
static size_t graph_peel(struct graph *graph)
{
    size_t head = 0, tail = 0;
    for (size_t node = 0; node < graph->node_count; node++) {
        if (graph->pending[node] == 0)
            graph->queue[tail++] = (uint32_t)node;
    }
    while (head < tail) {
        uint32_t done = graph->queue[head++];
        for (size_t i = graph->first[done]; i < graph->first[done + 1ull]; i++) {
            uint32_t waiting = graph->edges[i].from;
            if (--graph->pending[waiting] == 0)
                graph->queue[tail++] = waiting;
        }
    }
    return tail;
}

/* Every unpeeled node waits for at least one unpeeled node: follow the lowest of those until a node comes twice. */
static uint32_t graph_walk_to_cycle(struct graph *graph)
{
    uint32_t *next = graph->queue;
    for (size_t i = graph->edge_count; i-- > 0;) {
        if (graph->pending[graph->edges[i].from] && graph->pending[graph->edges[i].on])
            next[graph->edges[i].from] = graph->edges[i].on;
    }
    uint32_t node = 0;
    while (!graph->pending[node])
        node++;
    for (size_t steps = 0; steps < graph->node_count; steps++)
        node = next[node]; /* as many steps as nodes: now surely on the cycle */
    uint32_t lowest = node;
    for (uint32_t at = next[node]; at != node; at = next[at]) {
        if (at < lowest)
            lowest = at;
    }
    return lowest;
}

enum bursar_status dependency_cycle_find(struct dependency_edge *edges, size_t edge_count, size_t node_count,
                                         bool *ret_found, uint32_t *ret_node, struct bursar_error *err)
{
    /* Node numbers and the counts in `pending` are 32 bits wide. */
    if (node_count > UINT32_MAX || edge_count > UINT32_MAX)
        return bursar_fail(err, BURSAR_ELIMIT, "too many dependencies to check at once");
    for (size_t i = 0; i < edge_count; i++) {
        if (edges[i].from >= node_count || edges[i].on >= node_count)
            return bursar_fail(err, BURSAR_EINTERNAL, "a dependency refers to row %u of %zu",
                               edges[i].from >= node_count ? edges[i].from : edges[i].on, node_count);
    }
    if (edge_count == 0) {
        *ret_found = false;
        return BURSAR_OK;
    }
    qsort(edges, edge_count, sizeof *edges, compare_edges);
    struct graph graph = { .edges = edges, .edge_count = edge_count, .node_count = node_count };
    graph.first = calloc(node_count + 1, sizeof *graph.first);
    graph.pending = calloc(node_count, sizeof *graph.pending);
    graph.queue = calloc(node_count, sizeof *graph.queue);
    enum bursar_status status = BURSAR_OK;
    if (!graph.first || !graph.pending || !graph.queue) {
        status = bursar_fail(err, BURSAR_ENOMEM, "no memory to check %zu dependencies", edge_count);
    } else {
        graph_index(&graph);
        bool found = graph_peel(&graph) < node_count;
        if (found)
            *ret_node = graph_walk_to_cycle(&graph);
        *ret_found = found;
    }
    free(graph.first);
    free(graph.pending);
    free(graph.queue);
    return status;
}
