/* The simulated network, seen through the real EVM driver: what the caller is told, and what really arrived. */
#include "chain_fixture.h"

#define BATCH ((size_t)4)

/* Transactions `first` .. first + BATCH - 1 in one request. */
struct batch {
    struct payment payments[BATCH];
    struct raw_transaction list[BATCH];
    struct submit_result results[BATCH];
};

static struct batch *batch_new(const struct fixture *f, uint64_t first)
{
    struct batch *batch = calloc(1, sizeof *batch);
    assert_non_null(batch);
    for (size_t i = 0; i < BATCH; i++) {
        batch->payments[i] = payment_new(first + i);
        payment_sign(f, &batch->payments[i]);
        batch->list[i] = batch->payments[i].signed_bytes;
    }
    return batch;
}

static void batch_free(struct batch *batch)
{
    for (size_t i = 0; i < BATCH; i++)
        payment_free(&batch->payments[i]);
    free(batch);
}

static bool arrived(const struct fixture *f, const struct batch *batch, size_t i)
{
    uint32_t index = sim_chain_find(f->sim, &batch->list[i].hash);
    return index != SIM_NONE && sim_chain_transaction(f->sim, index)->hand_overs > 0;
}

static void script(struct fixture *f, enum sim_network_fault_kind kind, enum sim_network_only only, uint64_t amount)
{
    const struct sim_network_fault fault = { .kind = kind, .only = only, .count = 1, .amount = amount };
    assert_true(sim_network_script(f->network, &fault));
}

struct expectation {
    enum sim_network_fault_kind kind;
    uint64_t amount;
    enum bursar_status status;
    enum submit_verdict first, last;
    bool first_arrives, last_arrives;
};

static const struct expectation expectations[] = {
    { SIM_NETWORK_UNREACHABLE, 0, BURSAR_EUNREACHABLE, SUBMIT_UNSENT, SUBMIT_UNSENT, false, false },
    { SIM_NETWORK_REQUEST_LOST, 0, BURSAR_EUNKNOWN, SUBMIT_UNKNOWN, SUBMIT_UNKNOWN, false, false },
    { SIM_NETWORK_REPLY_LOST, 0, BURSAR_EUNKNOWN, SUBMIT_UNKNOWN, SUBMIT_UNKNOWN, true, true },
    { SIM_NETWORK_HTTP_ERROR, 0, BURSAR_EUNKNOWN, SUBMIT_UNKNOWN, SUBMIT_UNKNOWN, false, false },
    { SIM_NETWORK_HTTP_ERROR_LATE, 0, BURSAR_EUNKNOWN, SUBMIT_UNKNOWN, SUBMIT_UNKNOWN, true, true },
    { SIM_NETWORK_GARBAGE, 0, BURSAR_EPROTOCOL, SUBMIT_UNKNOWN, SUBMIT_UNKNOWN, true, true },
    { SIM_NETWORK_REFUSED_BATCH, 0, BURSAR_EPROTOCOL, SUBMIT_UNKNOWN, SUBMIT_UNKNOWN, false, false },
    { SIM_NETWORK_CUT, 2, BURSAR_EPROTOCOL, SUBMIT_ACCEPTED, SUBMIT_UNKNOWN, true, false },
    { SIM_NETWORK_UNANSWERED, 2, BURSAR_EPROTOCOL, SUBMIT_UNKNOWN, SUBMIT_ACCEPTED, true, true },
    { SIM_NETWORK_TWICE, 0, BURSAR_OK, SUBMIT_ACCEPTED, SUBMIT_ACCEPTED, true, true },
    { SIM_NETWORK_TWICE, 1, BURSAR_OK, SUBMIT_KNOWN, SUBMIT_KNOWN, true, true },
    { SIM_NETWORK_DELAYED, 2, BURSAR_EUNKNOWN, SUBMIT_UNKNOWN, SUBMIT_UNKNOWN, false, false },
    { SIM_NETWORK_AGAIN, 2, BURSAR_OK, SUBMIT_ACCEPTED, SUBMIT_ACCEPTED, true, true },
};

static void check_expectation(struct fixture *f, const struct expectation *expected, uint64_t first, bool by_lane)
{
    struct batch *batch = batch_new(f, first);
    enum bursar_status status = BURSAR_OK;
    uint64_t met = sim_network_faults_met(f->network, expected->kind);
    script(f, expected->kind, SIM_ONLY_SUBMITS, expected->amount);
    (void)fixture_observe(f); /* not touched */
    if (by_lane) {
        assert_int_equal(f->chain.submit_start(f->chain.ctx, 1, batch->list, BATCH, &f->err), BURSAR_OK);
        status = f->chain.submit_finish(f->chain.ctx, 1, batch->list, BATCH, batch->results, &f->err);
    } else {
        status = f->chain.submit(f->chain.ctx, batch->list, BATCH, batch->results, &f->err);
    }
    assert_int_equal(sim_network_faults_met(f->network, expected->kind), met + 1);
    /* By lane a verdict that is missing is EUNKNOWN or the transport's own status. */
    assert_int_equal(status, expected->status);
    assert_int_equal(batch->results[0].verdict, expected->first);
    assert_int_equal(batch->results[BATCH - 1].verdict, expected->last);
    assert_int_equal(arrived(f, batch, 0), expected->first_arrives);
    assert_int_equal(arrived(f, batch, BATCH - 1), expected->last_arrives);
    sim_network_flush(f->network);
    batch_free(batch);
}

static void the_caller_is_told_what_the_real_transport_would_tell(void **state)
{
    struct fixture *f = *state;
    uint64_t first = 0;
    for (size_t i = 0; i < COUNT_OF(expectations); i++) {
        for (int by_lane = 0; by_lane < 2; by_lane++) {
            sim_network_set_lanes(f->network, i % 2 ? SIM_LANES_AT_START : SIM_LANES_AT_FINISH);
            check_expectation(f, &expectations[i], first, by_lane);
            first += BATCH;
        }
    }
}

static void a_failed_read_has_no_effect_and_the_next_one_works(void **state)
{
    struct fixture *f = *state;
    struct chain_view view;
    const struct chain_query query = { .account = f->account };
    (void)fixture_observe(f);
    for (size_t kind = 0; kind < SIM_NETWORK_FAULTS; kind++) {
        bool is_harmless = kind == SIM_NETWORK_TWICE || kind == SIM_NETWORK_AGAIN;
        script(f, (enum sim_network_fault_kind)kind, SIM_ONLY_READS, 1);
        enum bursar_status status = f->chain.observe(f->chain.ctx, &query, &view, &f->err);
        assert_int_equal(status == BURSAR_OK, is_harmless);
        (void)fixture_observe(f);
    }
    assert_int_equal(sim_network_delayed(f->network), 0); /* reads are nothing that could arrive later */
}

static void what_is_delayed_arrives_when_the_chain_is_higher(void **state)
{
    struct fixture *f = *state;
    struct batch *batch = batch_new(f, 0);
    script(f, SIM_NETWORK_DELAYED, SIM_ANY_REQUEST, 2);
    (void)f->chain.submit(f->chain.ctx, batch->list, BATCH, batch->results, &f->err);
    assert_int_equal(sim_network_delayed(f->network), BATCH);
    for (int block = 0; block < 2; block++) {
        sim_network_deliver(f->network);
        assert_false(arrived(f, batch, 0));
        sim_chain_mine(f->sim, 1);
    }
    sim_network_heal(f->network);
    sim_network_deliver(f->network);
    assert_true(arrived(f, batch, 0) && arrived(f, batch, BATCH - 1));
    sim_chain_mine(f->sim, 1);
    assert_int_equal(fixture_observe(f).nonce_latest, BATCH);
    batch_free(batch);
}

static void a_request_that_arrives_again_after_its_reorg_is_mined_again(void **state)
{
    struct fixture *f = *state;
    struct batch *batch = batch_new(f, 0);
    script(f, SIM_NETWORK_AGAIN, SIM_ANY_REQUEST, 1);
    assert_int_equal(f->chain.submit(f->chain.ctx, batch->list, BATCH, batch->results, &f->err), BURSAR_OK);
    sim_chain_mine(f->sim, 1);
    assert_int_equal(sim_chain_reorg(f->sim, 1, SIM_ORPHANS_DROPPED, true), 1);
    assert_int_equal(fixture_observe(f).nonce_latest, 0);
    sim_network_deliver(f->network);
    sim_chain_mine(f->sim, 1);
    assert_int_equal(fixture_observe(f).nonce_latest, BATCH);
    sim_network_flush(f->network);
    for (size_t i = 0; i < BATCH; i++)
        assert_int_equal(sim_chain_payments_to(f->sim, &batch->payments[i].tx.to), 1);
    batch_free(batch);
}

static void faults_wait_for_their_turn_and_go_by_age(void **state)
{
    struct fixture *f = *state;
    const struct sim_network_fault late = { .kind = SIM_NETWORK_UNREACHABLE, .skip = 2, .count = 2 },
                                   early = { .kind = SIM_NETWORK_REFUSED_BATCH, .count = 1 };
    assert_true(sim_network_script(f->network, &late) && sim_network_script(f->network, &early));
    static const enum submit_verdict expected[] = { SUBMIT_UNKNOWN, SUBMIT_ACCEPTED, SUBMIT_UNSENT, SUBMIT_UNSENT,
                                                    SUBMIT_KNOWN };
    for (size_t i = 0; i < COUNT_OF(expected); i++)
        (void)fixture_pay(f, 0, expected[i]);
    size_t scripted = 0;
    while (sim_network_script(f->network, &early))
        scripted++;
    assert_int_equal(scripted, SIM_NETWORK_FAULTS_MAX_COUNT);
    sim_network_heal(f->network);
    (void)fixture_pay(f, 0, SUBMIT_KNOWN);
}

static void after_a_fault_the_rest_of_a_long_batch_is_not_sent(void **state)
{
    enum { MANY = 150 };
    struct fixture *f = *state;
    static struct payment payments[MANY];
    static struct raw_transaction list[MANY];
    static struct submit_result results[MANY];
    for (size_t i = 0; i < MANY; i++) {
        payments[i] = payment_new(i);
        payment_sign(f, &payments[i]);
        list[i] = payments[i].signed_bytes;
    }
    script(f, SIM_NETWORK_REPLY_LOST, SIM_ANY_REQUEST, 0);
    assert_int_equal(f->chain.submit(f->chain.ctx, list, MANY, results, &f->err), BURSAR_EUNKNOWN);
    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(results[i].verdict, i < RPC_START_MAX_CALLS ? SUBMIT_UNKNOWN : SUBMIT_UNSENT);
    assert_int_equal(sim_chain_pooled(f->sim, 1), RPC_START_MAX_CALLS);
    for (size_t i = 0; i < MANY; i++)
        payment_free(&payments[i]);
}

static void a_started_request_is_under_way_while_others_are_asked(void **state)
{
    struct fixture *f = *state;
    for (size_t lanes = SIM_LANES_AT_START; lanes <= SIM_LANES_AT_FINISH; lanes++) {
        struct batch *a = batch_new(f, 2 * lanes * BATCH), *b = batch_new(f, (2 * lanes + 1) * BATCH);
        sim_network_set_lanes(f->network, (enum sim_network_lanes)lanes);
        assert_int_equal(f->chain.lanes, 2);
        assert_int_equal(f->chain.submit_start(f->chain.ctx, 0, a->list, BATCH, &f->err), BURSAR_OK);
        assert_int_equal(f->chain.submit_start(f->chain.ctx, 1, b->list, BATCH, &f->err), BURSAR_OK);
        assert_int_not_equal(f->chain.submit_start(f->chain.ctx, 1, b->list, BATCH, &f->err), BURSAR_OK);
        (void)fixture_observe(f);
        assert_int_equal(arrived(f, a, 0), lanes == SIM_LANES_AT_START);
        assert_int_equal(f->chain.submit_finish(f->chain.ctx, 1, b->list, BATCH, b->results, &f->err), BURSAR_OK);
        assert_int_equal(f->chain.submit_finish(f->chain.ctx, 0, a->list, BATCH, a->results, &f->err), BURSAR_OK);
        assert_int_equal(a->results[0].verdict, SUBMIT_ACCEPTED);
        assert_int_equal(b->results[BATCH - 1].verdict, SUBMIT_ACCEPTED);
        batch_free(a);
        batch_free(b);
    }
}

static void the_dead_say_nothing_but_their_last_words(void **state)
{
    struct fixture *f = *state;
    struct chain_view view;
    const struct chain_query query = { .account = f->account };
    for (size_t words = 0; words < 2; words++) {
        struct batch *a = batch_new(f, 2 * words * BATCH), *b = batch_new(f, (2 * words + 1) * BATCH);
        sim_network_set_lanes(f->network, SIM_LANES_AT_FINISH);
        sim_network_set_last_words(f->network, words);
        assert_int_equal(f->chain.submit_start(f->chain.ctx, 0, a->list, BATCH, &f->err), BURSAR_OK);
        f->is_dead = true;
        assert_int_not_equal(f->chain.observe(f->chain.ctx, &query, &view, &f->err), BURSAR_OK);
        assert_int_not_equal(f->chain.submit(f->chain.ctx, b->list, BATCH, b->results, &f->err), BURSAR_OK);
        assert_int_equal(b->results[0].verdict, SUBMIT_UNSENT);
        assert_int_not_equal(f->chain.submit_start(f->chain.ctx, 1, b->list, BATCH, &f->err), BURSAR_OK);
        assert_int_not_equal(f->chain.submit_finish(f->chain.ctx, 0, a->list, BATCH, a->results, &f->err), BURSAR_OK);
        assert_int_equal(a->results[0].verdict, SUBMIT_UNKNOWN);
        assert_int_equal(arrived(f, a, 0), words);
        assert_false(arrived(f, b, 0));
        f->is_dead = false;
        sim_network_reset(f->network);
        (void)fixture_observe(f);
        batch_free(a);
        batch_free(b);
    }
}

static void what_was_never_finished_is_given_back(void **state)
{
    struct fixture *f = *state;
    struct batch *batch = batch_new(f, 0);
    for (size_t lanes = SIM_LANES_AT_START; lanes <= SIM_LANES_AT_FINISH; lanes++) {
        sim_network_set_lanes(f->network, (enum sim_network_lanes)lanes);
        assert_int_equal(f->chain.submit_start(f->chain.ctx, lanes, batch->list, BATCH, &f->err), BURSAR_OK);
    }
    sim_network_reset(f->network);
    assert_int_equal(f->chain.submit_start(f->chain.ctx, 0, batch->list, BATCH, &f->err), BURSAR_OK);
    batch_free(batch); /* and the rest with the network */
}

static void a_node_without_a_way_to_it_is_told_from_one_that_only_stays_silent(void **state)
{
    static const struct {
        enum sim_node_reach reach;
        enum submit_verdict verdict;
        bool arrives;
        uint64_t retry_after_ms;
    } cases[] = { { SIM_NODE_DOWN, SUBMIT_UNSENT, false, 0 },
                  { SIM_NODE_MUTE, SUBMIT_UNKNOWN, true, 0 },
                  { SIM_NODE_BUSY, SUBMIT_UNKNOWN, false, 3000 },
                  { SIM_NODE_REACHED, SUBMIT_ACCEPTED, true, 0 } };
    struct fixture *f = *state;
    struct rpc rpc = sim_network_rpc(f->network, 0);
    for (uint64_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct batch *batch = batch_new(f, i * BATCH);
        struct rpc_trouble trouble = { 0 };
        sim_node_set_reach(f->node, cases[i].reach);
        (void)!f->chain.submit(f->chain.ctx, batch->list, BATCH, batch->results, &f->err);
        assert_int_equal(batch->results[0].verdict, cases[i].verdict);
        assert_int_equal(arrived(f, batch, 0), cases[i].arrives);
        rpc.take_trouble(rpc.ctx, &trouble);
        assert_int_equal(trouble.is_transport_fault, cases[i].reach != SIM_NODE_REACHED);
        assert_int_equal(trouble.retry_after_ms, cases[i].retry_after_ms);
        batch_free(batch);
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_caller_is_told_what_the_real_transport_would_tell),
        TEST(a_failed_read_has_no_effect_and_the_next_one_works),
        TEST(what_is_delayed_arrives_when_the_chain_is_higher),
        TEST(a_request_that_arrives_again_after_its_reorg_is_mined_again),
        TEST(faults_wait_for_their_turn_and_go_by_age),
        TEST(after_a_fault_the_rest_of_a_long_batch_is_not_sent),
        TEST(a_started_request_is_under_way_while_others_are_asked),
        TEST(the_dead_say_nothing_but_their_last_words),
        TEST(what_was_never_finished_is_given_back),
        TEST(a_node_without_a_way_to_it_is_told_from_one_that_only_stays_silent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
