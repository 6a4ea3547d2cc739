/* Cycles among new rows: known shapes, a chain too long for any stack, and random graphs against a naive checker. */
#include "domain/dependency_graph.h"

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define NO_CYCLE UINT32_MAX
#define CHAIN_NODES 1000000u

/* The row on a cycle that is named, or NO_CYCLE. */
static uint32_t find(struct dependency_edge *edges, size_t edge_count, size_t node_count)
{
    bool found = true;
    uint32_t node = 4711;
    assert_int_equal(dependency_cycle_find(edges, edge_count, node_count, &found, &node, NULL), BURSAR_OK);
    if (!found)
        assert_int_equal(node, 4711);
    return found ? node : NO_CYCLE;
}

static void no_rows_and_no_dependencies_have_no_cycle(void **state)
{
    (void)state;
    assert_int_equal(find(NULL, 0, 0), NO_CYCLE);
    assert_int_equal(find(NULL, 0, 5), NO_CYCLE);
}

static void a_row_that_waits_for_itself_is_found(void **state)
{
    (void)state;
    struct dependency_edge edges[] = { { 0, 1 }, { 2, 2 } };
    assert_int_equal(find(edges, COUNT_OF(edges), 3), 2);
}

static void two_rows_that_wait_for_each_other_are_found(void **state)
{
    (void)state;
    struct dependency_edge edges[] = { { 2, 1 }, { 1, 2 } };
    assert_int_equal(find(edges, COUNT_OF(edges), 4), 1);
}

static void a_diamond_is_no_cycle(void **state)
{
    (void)state;
    struct dependency_edge edges[] = { { 3, 1 }, { 3, 2 }, { 1, 0 }, { 2, 0 } };
    assert_int_equal(find(edges, COUNT_OF(edges), 4), NO_CYCLE);
}

static void a_dependency_named_twice_is_no_cycle(void **state)
{
    (void)state;
    struct dependency_edge edges[] = { { 1, 0 }, { 1, 0 }, { 2, 1 }, { 2, 1 } };
    assert_int_equal(find(edges, COUNT_OF(edges), 3), NO_CYCLE);
}

static void the_row_named_is_on_the_cycle_not_one_that_waits_for_it(void **state)
{
    (void)state;
    /* 0 -> 1 -> 2 -> {5 -> 4 -> 3 -> 5}, and a chain 6 -> 7 -> 8 beside it */
    struct dependency_edge edges[] = { { 0, 1 }, { 1, 2 }, { 2, 5 }, { 5, 4 }, { 4, 3 }, { 3, 5 }, { 6, 7 }, { 7, 8 } };
    assert_int_equal(find(edges, COUNT_OF(edges), 9), 3);
}

static void a_chain_hanging_off_a_cycle_does_not_hide_it(void **state)
{
    (void)state;
    /* {6 -> 7 -> 6}, where 7 also waits for the chain 5 -> 4 -> 3 */
    struct dependency_edge edges[] = { { 6, 7 }, { 7, 6 }, { 7, 5 }, { 5, 4 }, { 4, 3 } };
    assert_int_equal(find(edges, COUNT_OF(edges), 8), 6);
}

static void a_chain_of_a_million_rows_is_checked_without_recursion(void **state)
{
    (void)state;
    struct dependency_edge *edges = calloc(CHAIN_NODES, sizeof *edges);
    assert_non_null(edges);
    for (uint32_t i = 0; i + 1 < CHAIN_NODES; i++)
        edges[i] = (struct dependency_edge){ .from = i, .on = i + 1 };
    assert_int_equal(find(edges, CHAIN_NODES - 1, CHAIN_NODES), NO_CYCLE);
    /* The last closes the ring. */
    edges[CHAIN_NODES - 1] = (struct dependency_edge){ .from = CHAIN_NODES - 1, .on = 0 };
    assert_int_equal(find(edges, CHAIN_NODES, CHAIN_NODES), 0);
    free(edges);
}

static void a_dependency_on_a_row_that_is_none_is_an_error(void **state)
{
    (void)state;
    bool found;
    uint32_t node;
    struct bursar_error err = { 0 };
    struct dependency_edge on[] = { { 0, 3 } }, from[] = { { 9, 0 } };
    assert_int_equal(dependency_cycle_find(on, 1, 3, &found, &node, &err), BURSAR_EINTERNAL);
    assert_non_null(strstr(err.message, "row 3 of 3"));
    assert_int_equal(dependency_cycle_find(from, 1, 3, &found, &node, &err), BURSAR_EINTERNAL);
    assert_non_null(strstr(err.message, "row 9 of 3"));
}

/* splitmix64: the same graphs in every run. */
static uint64_t next_random(uint64_t *seed)
{
    uint64_t z = *seed += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

#define SMALL_NODES 10

/* Reachability of everything from everything, by Warshall's closure: slow and plain. */
static void closure(const struct dependency_edge *edges, size_t edge_count, bool reach[SMALL_NODES][SMALL_NODES])
{
    memset(reach, 0, sizeof(bool) * SMALL_NODES * SMALL_NODES);
    for (size_t i = 0; i < edge_count; i++)
        reach[edges[i].from][edges[i].on] = true;
    for (int via = 0; via < SMALL_NODES; via++) {
        for (int a = 0; a < SMALL_NODES; a++) {
            for (int b = 0; b < SMALL_NODES; b++)
                reach[a][b] = reach[a][b] || (reach[a][via] && reach[via][b]);
        }
    }
}

static void random_graphs_agree_with_a_naive_checker(void **state)
{
    (void)state;
    uint64_t seed = 4;
    size_t with = 0, without = 0;
    for (int round = 0; round < 20000; round++) {
        struct dependency_edge edges[16];
        bool reach[SMALL_NODES][SMALL_NODES];
        size_t edge_count = next_random(&seed) % (COUNT_OF(edges) + 1);
        for (size_t i = 0; i < edge_count; i++)
            edges[i] = (struct dependency_edge){ (uint32_t)(next_random(&seed) % SMALL_NODES),
                                                 (uint32_t)(next_random(&seed) % SMALL_NODES) };
        closure(edges, edge_count, reach);
        bool cyclic = false;
        for (int i = 0; i < SMALL_NODES; i++)
            cyclic = cyclic || reach[i][i];
        uint32_t node = find(edges, edge_count, SMALL_NODES);
        assert_int_equal(node != NO_CYCLE, cyclic);
        if (cyclic)
            assert_true(reach[node][node]);
        with += cyclic;
        without += !cyclic;
    }
    assert_true(with > 2000 && without > 2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_rows_and_no_dependencies_have_no_cycle),
        cmocka_unit_test(a_row_that_waits_for_itself_is_found),
        cmocka_unit_test(two_rows_that_wait_for_each_other_are_found),
        cmocka_unit_test(a_diamond_is_no_cycle),
        cmocka_unit_test(a_dependency_named_twice_is_no_cycle),
        cmocka_unit_test(the_row_named_is_on_the_cycle_not_one_that_waits_for_it),
        cmocka_unit_test(a_chain_hanging_off_a_cycle_does_not_hide_it),
        cmocka_unit_test(a_chain_of_a_million_rows_is_checked_without_recursion),
        cmocka_unit_test(a_dependency_on_a_row_that_is_none_is_an_error),
        cmocka_unit_test(random_graphs_agree_with_a_naive_checker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
