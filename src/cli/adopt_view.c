/* One line a nonce; below, one paragraph for each that a person must decide, with all that is needed to. */
#include "cli/adopt_view.h"

#include "base/bytes.h"
#include "eth/address.h"
#include "service/asset_view.h"

#include <stdlib.h>
#include <string.h>

#define CANDIDATES_SHOWN_MAX_COUNT 10

const char *adopt_trouble_cause(enum adopt_trouble trouble)
{
    switch (trouble) {
    case TROUBLE_NONE:
        return "";
    case TROUBLE_UNMATCHED:
        return "no disbursement owes what it pays";
    case TROUBLE_SURPLUS:
        return "every disbursement that owes this is paid by another transaction already, or can't be paid any more: "
               "this looks like a second payment";
    case TROUBLE_BOUND:
        return "an unpaid disbursement owes exactly this, but the nonce belongs to another payment";
    case TROUBLE_UNKNOWN_ID:
        return "the disbursement it was assigned to does not owe this";
    case TROUBLE_NOT_FREE:
        return "the disbursement it was assigned to is neither queued nor failed, or was assigned before";
    case TROUBLE_TWO_PAYLOADS:
        return "the store has bound this nonce to one payment, the key has signed another one for it, and neither is "
               "seen";
    case TROUBLE_VANISHED:
        return "it was final, and on this chain it is not there, or has ended otherwise";
    case TROUBLE_NOT_FINAL:
        return "it is not ours, and its block is not final yet";
    case TROUBLE_NO_BYTES:
        return "the node does not show its signed bytes, and its block is not final yet";
    case TROUBLE_IN_POOL:
        return "the node's pool holds a transaction of this account that neither store nor signing log know of";
    }
    return "";
}

const char *adopt_trouble_action(enum adopt_trouble trouble)
{
    switch (trouble) {
    case TROUBLE_NONE:
        return "";
    case TROUBLE_UNMATCHED:
        return "import the payment file that it was paid from (`bursar pay FILE`) and look again; or, if it pays none "
               "of "
               "yours, now or later: --assign TXHASH=foreign, or --assign unmatched=foreign for all like it";
    case TROUBLE_SURPLUS:
        return "say which one it pays with --assign TXHASH=ID (queued or failed), or that it pays none with "
               "--assign TXHASH=foreign";
    case TROUBLE_BOUND:
        return "if that one was paid by it, `bursar cancel` it with the reason; then --assign TXHASH=foreign";
    case TROUBLE_UNKNOWN_ID:
    case TROUBLE_NOT_FREE:
        return "correct the --assign: a queued or failed disbursement that owes exactly this, once; or foreign";
    case TROUBLE_TWO_PAYLOADS:
        return "put back the store that was signed from, or wait until one of them is in a block";
    case TROUBLE_VANISHED:
        return "compare this node with others, and wait for it if it is behind: nothing is adopted from a chain that "
               "has "
               "lost what was final";
    case TROUBLE_NOT_FINAL:
    case TROUBLE_NO_BYTES:
        return "look again when it is final";
    case TROUBLE_IN_POOL:
        return "look again when it is in a block";
    }
    return "";
}

struct ref_copy {
    struct asset_names names;
    char ref[REF_MAX_BYTES + 1];
    const char *state;
    bool is_token; /* then what its transaction shows is a call of the token, and this is what it pays: */
    char amount[ASSET_AMOUNT_TEXT_BYTES];
    struct bursar_address destination;
};

static enum bursar_status copy_ref(void *ctx, const struct disbursement_record *record)
{
    struct ref_copy *copy = ctx;
    (void)snprintf(copy->ref, sizeof copy->ref, "%s", record->ref);
    copy->state = state_name(record->state);
    copy->is_token = record->asset.is_token;
    copy->destination = record->destination;
    asset_amount(&copy->names, record, copy->amount);
    return BURSAR_OK;
}

static void skip_text(void *ctx, const char *text)
{
    (void)ctx;
    (void)text;
}

static enum bursar_status skip_event(void *ctx, const struct event_record *record)
{
    (void)ctx;
    (void)record;
    return BURSAR_OK;
}

static enum bursar_status skip_attempt(void *ctx, const struct attempt_record *record)
{
    (void)ctx;
    (void)record;
    return BURSAR_OK;
}

static enum bursar_status read_ref(const struct session *session, const struct adopt_plan *plan, int64_t id,
                                   struct ref_copy *ret, struct bursar_error *err)
{
    *ret =
        (struct ref_copy){ .names = { session->config->assets, session->config->asset_count, plan->treasury.chain_id },
                           .state = "" };
    return session->store.show(session->store.ctx, plan->treasury.id, id, copy_ref, skip_text, skip_event, skip_attempt,
                               ret, err);
}

/* What it was meant to pay: what was seen, or, of what is not, or was cancelled, what was signed. */
static const struct payload *payload_of(const struct sight *sight)
{
    if (sight->seen != SEEN_NOWHERE && !sight->is_cancellation)
        return &sight->payload;
    return sight->has_payment ? &sight->signed_payload : NULL;
}

static const struct bursar_hash *hash_of(const struct sight *sight)
{
    if (sight->seen != SEEN_NOWHERE)
        return &sight->hash;
    return sight->has_payment ? &sight->signed_hash : NULL;
}

static bool is_shown(const struct sight *sight)
{
    return sight->step != ADOPT_NOT;
}

static bool stands_against(const struct sight *sight)
{
    return sight->step == ADOPT_UNDECIDED || sight->step == ADOPT_WAIT;
}

/* Which disbursement it is about: what it pays, else what its nonce is bound to. */
static int64_t disbursement_of(const struct sight *sight)
{
    return sight->pays ? sight->pays : sight->disbursement;
}

static void find_candidates(const struct adopt_plan *plan, const struct sight *sight, size_t *ret_first,
                            size_t *ret_end)
{
    const struct payload *payload = payload_of(sight);
    *ret_first = *ret_end = 0;
    if (payload)
        candidates_equal(plan->candidates, plan->candidate_count, payload, ret_first, ret_end);
}

/* -- JSON -------------------------------------------------------------------------------------------------------- */

static json_t *json_of_candidates(const struct session *session, const struct adopt_plan *plan,
                                  const struct sight *sight)
{
    json_t *list = json_array();
    size_t first, end;
    struct bursar_error ignored;
    find_candidates(plan, sight, &first, &end);
    for (size_t i = first; i < end && i - first < CANDIDATES_SHOWN_MAX_COUNT; i++) {
        struct ref_copy copy;
        if (read_ref(session, plan, plan->candidates[i].id, &copy, &ignored) != BURSAR_OK)
            continue;
        (void)json_array_append_new(list, json_pack("{s:I,s:o,s:s}", "id", (json_int_t)plan->candidates[i].id, "ref",
                                                    output_json_text(copy.ref), "state", copy.state));
    }
    return list;
}

static json_t *json_of_sight(const struct session *session, const struct adopt_plan *plan, const struct sight *sight)
{
    const struct payload *payload = payload_of(sight);
    const struct bursar_hash *hash = hash_of(sight);
    struct ref_copy copy = { .state = "" };
    struct bursar_error ignored;
    int64_t id = disbursement_of(sight);
    if (id && read_ref(session, plan, id, &copy, &ignored) != BURSAR_OK)
        copy.ref[0] = 0;
    json_t *item = json_pack(
        "{s:I,s:s,s:o,s:o,s:b,s:b,s:o,s:o,s:o,s:o,s:I}", "nonce", (json_int_t)sight->nonce, "step",
        adopt_step_name(sight->step), "tx_hash", hash ? output_json_hash(hash) : json_null(), "block_number",
        sight->seen == SEEN_MINED ? json_integer((json_int_t)sight->block.number) : json_null(), "final",
        sight->is_final, "in_signing_log", sight->in_log || (sight->seen == SEEN_NOWHERE && sight->has_payment), "to",
        payload ? output_json_address(&payload->to) : json_null(), "value",
        payload ? output_json_amount(payload->value) : json_null(), "id",
        id ? json_integer((json_int_t)id) : json_null(), "ref", copy.ref[0] ? output_json_text(copy.ref) : json_null(),
        "equal", (json_int_t)sight->equal);
    if (!item || (!stands_against(sight) && sight->equal < 2))
        return item;
    (void)json_object_set_new(item, "candidates", json_of_candidates(session, plan, sight));
    if (stands_against(sight)) {
        (void)json_object_set_new(item, "cause", json_string(adopt_trouble_cause(sight->trouble)));
        (void)json_object_set_new(item, "action", json_string(adopt_trouble_action(sight->trouble)));
    }
    return item;
}

enum bursar_status adopt_view_json(const struct session *session, const struct adopt_plan *plan, bool is_dry_run,
                                   bool is_adopted, struct bursar_error *err)
{
    json_t *items = json_array();
    for (size_t i = 0; i < plan->count; i++) {
        if (is_shown(&plan->sights[i]))
            (void)json_array_append_new(items, json_of_sight(session, plan, &plan->sights[i]));
    }
    const struct treasury *treasury = &plan->treasury;
    json_t *halt = treasury->halt == HALT_NONE ? json_null()
                                               : json_pack("{s:s,s:o}", "code", halt_code_name(treasury->halt),
                                                           "reason", output_json_text(treasury->halt_reason));
    return output_json(json_pack("{s:b,s:b,s:b,s:b,s:I,s:I,s:I,s:b,s:I,s:b,s:b,s:o,s:o}", "ok", plan->undecided == 0,
                                 "dry_run", is_dry_run, "adopted", is_adopted, "changed", is_adopted, "changes",
                                 (json_int_t)plan->changes, "undecided", (json_int_t)plan->undecided, "final_block",
                                 (json_int_t)plan->final.number, "signing_log_missing", plan->log_is_missing,
                                 "signing_log_lacks", (json_int_t)plan->log_lacks, "history_replaced", plan->is_rebased,
                                 "more", plan->has_more, "halt", halt, "items", items),
                       err);
}

/* -- text -------------------------------------------------------------------------------------------------------- */

/* What it pays, to whom, and which disbursement that is. */
struct payment_text {
    char value[ASSET_AMOUNT_TEXT_BYTES];
    char to[ADDRESS_TEXT_BYTES];
    char whom[REF_MAX_BYTES + 96];
};

static bool describe_payment(const struct session *session, const struct adopt_plan *plan, const struct sight *sight,
                             struct payment_text *ret, struct bursar_error *err)
{
    struct ref_copy copy;
    char plain[REF_MAX_BYTES + 1];
    int64_t id = disbursement_of(sight);
    const struct payload *payload = payload_of(sight);
    *ret = (struct payment_text){ "", "", "" };
    if (payload) {
        output_coin(payload->value, ret->value);
        address_to_text(&payload->to, ret->to);
    }
    if (!id)
        return true;
    if (read_ref(session, plan, id, &copy, err) != BURSAR_OK)
        return false;
    if (payload && sight->pays && copy.is_token) {
        (void)snprintf(ret->value, sizeof ret->value, "%s", copy.amount);
        address_to_text(&copy.destination, ret->to);
    }
    output_plain(copy.ref, plain, sizeof plain);
    int length = snprintf(ret->whom, sizeof ret->whom, "%lld '%s'", (long long)id, plain);
    if (sight->pays && sight->equal > 1 && length > 0 && (size_t)length < sizeof ret->whom)
        (void)snprintf(ret->whom + length, sizeof ret->whom - (size_t)length, " (one of %zu that owe the same)",
                       sight->equal);
    return true;
}

static bool add_row(const struct session *session, const struct adopt_plan *plan, const struct sight *sight,
                    struct table *table, struct bursar_error *err)
{
    char nonce[24], hash[HASH_TEXT_BYTES] = "", block[24] = "";
    struct payment_text payment;
    (void)snprintf(nonce, sizeof nonce, "%llu", (unsigned long long)sight->nonce);
    if (hash_of(sight))
        hash_to_text(hash_of(sight), hash);
    if (sight->seen == SEEN_MINED)
        (void)snprintf(block, sizeof block, "%llu%s", (unsigned long long)sight->block.number,
                       sight->is_final ? "" : " (not final)");
    if (!describe_payment(session, plan, sight, &payment, err))
        return false;
    const char *const cells[] = { nonce,       adopt_step_name(sight->step), hash, block, payment.value, payment.to,
                                  payment.whom };
    return table_add(table, cells, stands_against(sight) ? COLOUR_BAD : COLOUR_GOOD);
}

static enum bursar_status print_table(const struct session *session, const struct adopt_plan *plan,
                                      struct bursar_error *err)
{
    static const char *const heading[] = { "NONCE", "WHAT", "TRANSACTION", "BLOCK", "VALUE", "TO", "DISBURSEMENT" };
    struct table table = { .columns = 7, .colour_column = 1 };
    bool any = false, ok = table_add(&table, heading, COLOUR_TITLE);
    struct bursar_error fault = { 0 };
    for (size_t i = 0; i < plan->count && ok; i++) {
        if (!is_shown(&plan->sights[i]))
            continue;
        any = true;
        ok = add_row(session, plan, &plan->sights[i], &table, &fault);
    }
    if (ok && any)
        table_print(&table, stdout);
    table_free(&table);
    if (ok)
        return BURSAR_OK;
    return bursar_fail(err, fault.status ? fault.status : BURSAR_ENOMEM, "%s",
                       fault.status ? fault.message : "out of memory");
}

static void print_candidates(const struct session *session, const struct adopt_plan *plan, const struct sight *sight)
{
    size_t first, end;
    find_candidates(plan, sight, &first, &end);
    for (size_t i = first; i < end && i - first < CANDIDATES_SHOWN_MAX_COUNT; i++) {
        struct ref_copy copy;
        struct bursar_error ignored;
        char plain[REF_MAX_BYTES + 1];
        if (read_ref(session, plan, plan->candidates[i].id, &copy, &ignored) != BURSAR_OK)
            continue;
        output_plain(copy.ref, plain, sizeof plain);
        (void)printf("  owes this: %lld '%s' (%s)\n", (long long)plan->candidates[i].id, plain, copy.state);
    }
    if (end - first > CANDIDATES_SHOWN_MAX_COUNT)
        (void)printf("  and %zu more\n", end - first - CANDIDATES_SHOWN_MAX_COUNT);
}

static void print_undecided(const struct session *session, const struct adopt_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct sight *sight = &plan->sights[i];
        char hash[HASH_TEXT_BYTES] = "";
        if (!stands_against(sight))
            continue;
        if (hash_of(sight))
            hash_to_text(hash_of(sight), hash);
        (void)printf("\nnonce %llu%s%s: %s\n", (unsigned long long)sight->nonce, hash[0] ? ", " : "", hash,
                     adopt_trouble_cause(sight->trouble));
        print_candidates(session, plan, sight);
        (void)printf("  what to do: %s\n", adopt_trouble_action(sight->trouble));
    }
}

static void print_circumstances(const struct adopt_plan *plan)
{
    if (plan->treasury.halt != HALT_NONE)
        (void)printf("halted: %s\n", halt_code_name(plan->treasury.halt));
    if (plan->log_is_missing)
        (void)printf(
            "the signing log is lost: it is made anew from the store and the chain. What was signed, is not in the "
            "store and has not reached a block or this node's pool can't be known: go on only with the newest "
            "copy of the store\n");
    else if (plan->log_lacks)
        (void)printf("the signing log lacks %llu transactions of the store: it is completed\n",
                     (unsigned long long)plan->log_lacks);
    if (plan->is_rebased)
        (void)printf(
            "block %llu, which was final, is not on this node's chain: everything is taken from this chain. Be sure "
            "that it is the right one: compare it with another node\n",
            (unsigned long long)plan->treasury.anchor.number);
    if (!plan->treasury.is_pinned && plan->log.entries == 0 && plan->first_nonce > 0)
        (void)printf(
            "the account has sent %llu transactions before it became a treasury here: they are unknown, and what "
            "they paid would be paid again if it is queued\n",
            (unsigned long long)plan->first_nonce);
}

enum bursar_status adopt_view_text(const struct session *session, const struct adopt_plan *plan,
                                   struct bursar_error *err)
{
    print_circumstances(plan);
    enum bursar_status status = print_table(session, plan, err);
    if (status == BURSAR_OK)
        print_undecided(session, plan);
    return status;
}
