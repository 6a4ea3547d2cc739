/* What nodes say about a transaction, in their own words. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "chain/node_errors.h"

#include <jansson.h>
#include <string.h>

struct saying {
    long long code;
    const char *message;
    enum submit_verdict want;
};

static void check(const struct saying *sayings, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        enum submit_verdict got = submit_verdict_of_error(sayings[i].code, sayings[i].message);
        if (got != sayings[i].want)
            fail_msg("\"%s\" (%lld) is %s, want %s", sayings[i].message, sayings[i].code, submit_verdict_name(got),
                     submit_verdict_name(sayings[i].want));
    }
}
#define CHECK(sayings) check(sayings, sizeof(sayings) / sizeof((sayings)[0]))

static void geth_and_reth_are_understood(void **state)
{
    (void)state;
    static const struct saying sayings[] = {
        { -32000, "already known", SUBMIT_KNOWN },
        { -32000, "known transaction: 7f657507aee0", SUBMIT_KNOWN },
        { -32000, "nonce too low", SUBMIT_NONCE_TOO_LOW },
        { -32000, "nonce too low: next nonce 5, tx nonce 4", SUBMIT_NONCE_TOO_LOW },
        { -32000, "replacement transaction underpriced", SUBMIT_UNDERPRICED },
        { -32000, "replacement transaction underpriced: new tx gas fee cap 1 <= 2 queued", SUBMIT_UNDERPRICED },
        { -32000, "transaction underpriced: tip needed 1, tip permitted 0", SUBMIT_UNDERPRICED },
        { -32000, "transaction gas price below minimum: gas tip cap 0, minimum needed 1", SUBMIT_UNDERPRICED },
        { -32000, "max fee per gas less than block base fee: address 0x7156, maxFeePerGas: 1, baseFee: 875000000",
          SUBMIT_FEE_TOO_LOW },
        { -32000, "insufficient funds for gas * price + value: balance 0, tx cost 21000, overshot 21000",
          SUBMIT_INSUFFICIENT_FUNDS },
        { -32000, "insufficient funds for transfer", SUBMIT_INSUFFICIENT_FUNDS },
        { -32000, "transaction would cause overdraft", SUBMIT_INSUFFICIENT_FUNDS },
        { -32000, "nonce too high", SUBMIT_REFUSED },
        { -32000, "txpool is full", SUBMIT_REFUSED },
        { -32000, "intrinsic gas too low: gas 20000, minimum needed 21000", SUBMIT_REFUSED },
        { -32000, "in-flight transaction limit reached for delegated accounts", SUBMIT_REFUSED },
        { -32000, "invalid sender", SUBMIT_REFUSED },
    };
    CHECK(sayings);
}

static void anvil_is_understood(void **state)
{
    (void)state;
    static const struct saying sayings[] = {
        { -32003, "nonce too low", SUBMIT_NONCE_TOO_LOW },
        { -32003, "transaction already imported", SUBMIT_KNOWN },
        { -32003, "replacement transaction underpriced", SUBMIT_UNDERPRICED },
        { -32003, "max fee per gas less than block base fee", SUBMIT_FEE_TOO_LOW },
        { -32003, "Insufficient funds for gas * price + value", SUBMIT_INSUFFICIENT_FUNDS },
        { -32602, "Failed to decode transaction", SUBMIT_REFUSED },
    };
    CHECK(sayings);
}

static void erigon_is_understood_with_and_without_its_prefixes(void **state)
{
    (void)state;
    static const struct saying sayings[] = {
        { -32000, "ALREADY_EXISTS: already known", SUBMIT_KNOWN },
        { -32000, "INTERNAL_ERROR: existing tx with same hash", SUBMIT_KNOWN },
        { -32000, "INTERNAL_ERROR: nonce too low", SUBMIT_NONCE_TOO_LOW },
        { -32000, "FEE_TOO_LOW: underpriced", SUBMIT_UNDERPRICED },
        { -32000, "could not replace existing tx", SUBMIT_UNDERPRICED },
        { -32000, "fee too low", SUBMIT_UNDERPRICED },
        { -32000, "INTERNAL_ERROR: insufficient funds", SUBMIT_INSUFFICIENT_FUNDS },
        { -32000, "rpc error: code = Unknown desc = ALREADY_EXISTS: already known", SUBMIT_KNOWN },
    };
    CHECK(sayings);
}

static void nethermind_is_understood(void **state)
{
    (void)state;
    static const struct saying sayings[] = {
        { -32010, "AlreadyKnown", SUBMIT_KNOWN },
        { -32010, "OldNonce, Current nonce: 22, nonce of rejected tx: 17", SUBMIT_NONCE_TOO_LOW },
        { -32010, "ReplacementNotAllowed", SUBMIT_UNDERPRICED },
        { -32010, "OwnNonceAlreadyUsed", SUBMIT_UNDERPRICED },
        { -32010, "FeeTooLow, MaxFeePerGas too low. MaxFeePerGas: 50, BaseFee: 100", SUBMIT_FEE_TOO_LOW },
        { -32010, "FeeTooLow, EffectivePriorityFeePerGas too low 10 < 20, BaseFee: 30", SUBMIT_UNDERPRICED },
        { -32010, "FeeTooLowToCompete", SUBMIT_UNDERPRICED },
        { -32010, "InsufficientFunds, Account balance: 4740799397601480913", SUBMIT_INSUFFICIENT_FUNDS },
        { -32010, "NonceGap, Future nonce. Expected nonce: 10", SUBMIT_REFUSED },
    };
    CHECK(sayings);
}

static void besu_is_understood_though_its_codes_mean_other_things_elsewhere(void **state)
{
    (void)state;
    static const struct saying sayings[] = {
        { -32000, "Known transaction", SUBMIT_KNOWN },
        { -32001, "Nonce too low", SUBMIT_NONCE_TOO_LOW },
        { -32000, "Replacement transaction underpriced", SUBMIT_UNDERPRICED },
        { -32009, "Gas price below configured minimum gas price", SUBMIT_UNDERPRICED },
        { -32009, "Gas price below current base fee", SUBMIT_FEE_TOO_LOW },
        { -32004, "Upfront cost exceeds account balance", SUBMIT_INSUFFICIENT_FUNDS },
        { -32005, "Transaction gas limit exceeds block gas limit", SUBMIT_REFUSED },
        { -32002, "Invalid signature", SUBMIT_REFUSED },
        { -32002, "Transaction pool not enabled. (Either txpool explicitly disabled)", SUBMIT_UNKNOWN },
        { -32008, "Initial sync is still in progress", SUBMIT_UNKNOWN },
        { -32005, "Number of requests exceeds max batch size", SUBMIT_UNKNOWN },
    };
    CHECK(sayings);
}

static void hardhat_is_understood(void **state)
{
    (void)state;
    static const struct saying sayings[] = {
        { -32000, "Nonce too low. Expected nonce to be 5 but got 4.", SUBMIT_NONCE_TOO_LOW },
        { -32000, "Known transaction: 0x1234", SUBMIT_KNOWN },
        { -32000, "Replacement transaction underpriced. A gasPrice/maxFeePerGas of at least 1 is necessary",
          SUBMIT_UNDERPRICED },
        { -32000, "Transaction maxFeePerGas (1) is too low for the next block, which has a baseFeePerGas of 7",
          SUBMIT_FEE_TOO_LOW },
        { -32000, "Sender doesn't have enough funds to send tx. The max upfront cost is: 2",
          SUBMIT_INSUFFICIENT_FUNDS },
    };
    CHECK(sayings);
}

static void an_error_about_the_node_or_the_request_is_no_verdict_on_the_transaction(void **state)
{
    (void)state;
    static const struct saying sayings[] = {
        { -32603, "Internal error", SUBMIT_UNKNOWN },
        { -32603, "something broke", SUBMIT_UNKNOWN },
        { -32005, "daily request count exceeded, request rate limited", SUBMIT_UNKNOWN },
        { -32005, "whatever", SUBMIT_UNKNOWN },
        { 429, "Your app has exceeded its compute units per second capacity", SUBMIT_UNKNOWN },
        { -32000, "Too Many Requests", SUBMIT_UNKNOWN },
        { -32002, "request timed out", SUBMIT_UNKNOWN },
        { -32601, "the method eth_sendRawTransaction does not exist/is not available", SUBMIT_UNKNOWN },
        { -32700, "parse error", SUBMIT_UNKNOWN },
        { -32000, "header not found", SUBMIT_UNKNOWN },
    };
    CHECK(sayings);
}

static void words_that_a_contract_chose_or_that_stand_further_back_do_not_count(void **state)
{
    (void)state;
    static const struct saying sayings[] = {
        { 3, "execution reverted: nonce too low", SUBMIT_REFUSED },
        { 3, "execution reverted: already known", SUBMIT_REFUSED },
        { -32000, "this is not the transaction underpriced you know", SUBMIT_REFUSED },
        { -32000, "already knowns", SUBMIT_REFUSED },
        { -32000, "nonce too lowered", SUBMIT_REFUSED },
        { -32000, "", SUBMIT_REFUSED },
        { 0, "", SUBMIT_REFUSED },
        { -32000, "err: err: err: err: already known", SUBMIT_REFUSED },
    };
    CHECK(sayings);
}

static const char *read_fault_text(enum read_fault fault)
{
    switch (fault) {
    case READ_FAULT_OTHER:
        return "other";
    case READ_FAULT_BLOCK_GONE:
        return "block_gone";
    case READ_FAULT_UNKNOWN_BLOCK:
        return "unknown_block";
    case READ_FAULT_NOTHING_FINAL:
        return "nothing_final";
    case READ_FAULT_REVERTED:
        return "reverted";
    case READ_FAULT_OUT_OF_GAS:
        return "out_of_gas";
    }
    return "";
}

/* A recorded answer says what it means for a hand-over, for a read, or for both. */
static void recorded_answers_of_every_family_are_understood(void **state)
{
    (void)state;
    static const char *const families[] = { "geth",     "erigon",   "nethermind", "besu",   "reth",
                                            "arbitrum", "op-stack", "anvil",      "hardhat" };
    unsigned seen[sizeof families / sizeof families[0]] = { 0 };
    json_t *answers = json_load_file(FIXTURES "/node_errors.json", 0, NULL), *answer;
    size_t index;
    assert_true(json_is_array(answers));
    json_array_foreach(answers, index, answer)
    {
        const char *family = json_string_value(json_object_get(answer, "family"));
        const char *message = json_string_value(json_object_get(answer, "message"));
        const char *submit = json_string_value(json_object_get(answer, "submit"));
        const char *read = json_string_value(json_object_get(answer, "read"));
        long long code = json_integer_value(json_object_get(answer, "code"));
        assert_true(family && message && (submit || read));
        const char *verdict = submit_verdict_name(submit_verdict_of_error(code, message));
        const char *fault = read_fault_text(read_fault_of_error(code, message));
        if (submit && strcmp(verdict, submit) != 0)
            fail_msg("%s: \"%s\" (%lld) is %s, want %s", family, message, code, verdict, submit);
        if (read && strcmp(fault, read) != 0)
            fail_msg("%s: \"%s\" (%lld) is %s, want %s", family, message, code, fault, read);
        for (size_t i = 0; i < sizeof families / sizeof families[0]; i++)
            seen[i] += strcmp(families[i], family) == 0;
    }
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++)
        assert_in_range(seen[i], 9, 1000);
    json_decref(answers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(geth_and_reth_are_understood),
        cmocka_unit_test(anvil_is_understood),
        cmocka_unit_test(erigon_is_understood_with_and_without_its_prefixes),
        cmocka_unit_test(nethermind_is_understood),
        cmocka_unit_test(besu_is_understood_though_its_codes_mean_other_things_elsewhere),
        cmocka_unit_test(hardhat_is_understood),
        cmocka_unit_test(an_error_about_the_node_or_the_request_is_no_verdict_on_the_transaction),
        cmocka_unit_test(recorded_answers_of_every_family_are_understood),
        cmocka_unit_test(words_that_a_contract_chose_or_that_stand_further_back_do_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
