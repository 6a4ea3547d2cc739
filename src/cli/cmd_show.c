/* bursar show: one disbursement with its dependencies, history and transactions. */
#include "cli/show.h"

#include "base/cleanup.h"
#include "base/time.h"
#include "chain/chain.h"
#include "cli/exit_code.h"
#include "cli/shown.h"
#include "eth/address.h"
#include "service/story.h"

#include <string.h>

#define SHOWN_ROWS_MAX_COUNT 1000

/* Collects the visits of what is printed for people. */
struct showing {
    const struct situation *situation;
    struct asset_names names;
    struct table history_table;
    struct table attempts_table;
};

static void print_field(const char *name, const char *value)
{
    char plain[MEMO_MAX_BYTES + 1];
    output_plain(value, plain, sizeof plain);
    (void)printf("%-13s%s\n", name, plain);
}

static void print_payment(const struct disbursement_record *record, const struct asset_names *names)
{
    char text[OUTPUT_COIN_TEXT_BYTES], amount[ASSET_AMOUNT_TEXT_BYTES], address[ADDRESS_TEXT_BYTES],
        hash[HASH_TEXT_BYTES];
    char schedule[SHOWN_SCHEDULE_TEXT_BYTES], number[32];
    struct bursar_amount fee;
    address_to_text(&record->destination, address);
    print_field("destination", address);
    asset_amount(names, record, amount);
    print_field("amount", amount);
    if (record->asset.is_token) {
        address_to_text(&record->asset.token, address);
        print_field("token", address);
    }
    if (record->memo[0])
        print_field("memo", record->memo);
    shown_schedule(record, schedule);
    if (schedule[0])
        print_field("not before", schedule);
    if (record->has_nonce) {
        (void)snprintf(number, sizeof number, "%llu", (unsigned long long)record->nonce);
        print_field("nonce", number);
    }
    if (record->has_transaction) {
        hash_to_text(&record->transaction_hash, hash);
        print_field("transaction", hash);
    }
    if (record->has_block) {
        (void)snprintf(number, sizeof number, "%llu", (unsigned long long)record->block.number);
        print_field("block", number);
    }
    if (record->is_short && record->state == STATE_FINALIZED) {
        struct disbursement_record missing = *record;
        char short_by[ASSET_AMOUNT_TEXT_BYTES];
        missing.amount = record->short_by;
        asset_amount(names, &missing, short_by);
        print_field("short by", short_by);
    }
    if (shown_fee(record->has_fee, record->gas_used, record->effective_gas_price_wei, &fee)) {
        output_coin(fee, text);
        print_field("fee", text);
    }
}

static enum bursar_status take_record(void *ctx, const struct disbursement_record *record)
{
    struct showing *showing = ctx;
    struct diagnosis diagnosis;
    const char *state = state_name(record->state);
    (void)printf("%-13s%lld\n", "id", (long long)record->id);
    print_field("ref", record->ref);
    (void)printf("%-13s%s%s%s\n", "state", output_colour_on(stdout, output_state_colour(record->state)),
                 state ? state : "?", output_colour_off(stdout));
    print_payment(record, &showing->names);
    diagnose(record, showing->situation, &diagnosis);
    if (diagnosis.kind != DIAGNOSIS_NONE) {
        print_field(diagnosis.kind == DIAGNOSIS_BLOCKED ? "stuck" : "waiting", diagnosis.text.cause);
        print_field("  to do", diagnosis.text.action);
    }
    return BURSAR_OK;
}

static void take_dependency(void *ctx, const char *ref)
{
    (void)ctx;
    print_field("depends on", ref);
}

static void time_text(uint64_t wall_ms, char ret[RFC3339_TEXT_BYTES])
{
    ret[0] = 0;
    if (wall_ms > 0)
        rfc3339_from_seconds(wall_ms / 1000, ret);
}

static enum bursar_status take_event(void *ctx, const struct event_record *event)
{
    struct showing *showing = ctx;
    const char *cause = lifecycle_cause_name(event->cause);
    const char *from = event->from_state ? state_name((enum disbursement_state)event->from_state) : NULL;
    const char *to = state_name((enum disbursement_state)event->to_state);
    char at[RFC3339_TEXT_BYTES];
    time_text(event->at_ms, at);
    const char *cells[] = {
        at, from ? from : "new", to ? to : "?", cause ? cause : "?", event->actor, event->detail ? event->detail : ""
    };
    if (showing->history_table.rows >= SHOWN_ROWS_MAX_COUNT)
        return BURSAR_OK;
    return table_add(&showing->history_table, cells, output_state_colour((enum disbursement_state)event->to_state))
               ? BURSAR_OK
               : BURSAR_ENOMEM;
}

static enum bursar_status take_attempt(void *ctx, const struct attempt_record *attempt)
{
    struct showing *showing = ctx;
    char at[RFC3339_TEXT_BYTES], nonce[24], sends[24], hash[HASH_TEXT_BYTES];
    const char *verdict = attempt->verdict ? submit_verdict_name((enum submit_verdict)attempt->verdict) : "";
    time_text(attempt->signed_ms, at);
    (void)snprintf(nonce, sizeof nonce, "%llu", (unsigned long long)attempt->nonce);
    (void)snprintf(sends, sizeof sends, "%llu", (unsigned long long)attempt->sends);
    hash_to_text(&attempt->hash, hash);
    const char *message = attempt->message ? attempt->message : "";
    if (attempt->purpose == PURPOSE_FOREIGN)
        message = "somebody else's";
    if (attempt->purpose == PURPOSE_FOUND)
        message = "found in a block";
    const char *cells[] = { at, story_attempt_status_name(attempt->status), nonce, hash, sends, verdict, message };
    if (showing->attempts_table.rows >= SHOWN_ROWS_MAX_COUNT)
        return BURSAR_OK;
    return table_add(&showing->attempts_table, cells, COLOUR_PLAIN) ? BURSAR_OK : BURSAR_ENOMEM;
}

static void print_showing(const struct showing *showing)
{
    (void)fputc('\n', stdout);
    table_print(&showing->history_table, stdout);
    if (showing->attempts_table.rows > 1) {
        (void)fputc('\n', stdout);
        table_print(&showing->attempts_table, stdout);
    }
}

static enum bursar_status prepare(struct showing *showing, struct bursar_error *err)
{
    static const char *const history[] = { "TIME", "FROM", "TO", "WHY", "BY", "DETAIL" };
    static const char *const attempts[] = { "SIGNED", "STATUS", "NONCE", "TRANSACTION", "SENT", "NODE SAID", "" };
    showing->history_table = (struct table){ .columns = COUNT_OF(history), .colour_column = 2 };
    showing->attempts_table = (struct table){ .columns = COUNT_OF(attempts), .colour_column = 1 };
    return table_add(&showing->history_table, history, COLOUR_TITLE) &&
                   table_add(&showing->attempts_table, attempts, COLOUR_TITLE)
               ? BURSAR_OK
               : bursar_fail(err, BURSAR_ENOMEM, "out of memory");
}

enum bursar_status show_disbursement(const struct session *session, const struct treasury_config *section,
                                     const struct treasury *treasury, int64_t id, bool json, struct bursar_error *err)
{
    const struct store *store = &session->store;
    struct situation situation;
    struct clock clock = system_clock();
    enum bursar_status status = shown_situation(session, section, treasury, clock.wall_ms(clock.ctx), &situation, err);
    if (status != BURSAR_OK)
        return status;
    struct treasury_settings settings;
    shown_settings(session->config, section, &settings);
    if (json) {
        json_t *document;
        status = story_read(store, id, &situation, &settings.names, &document, err);
        return status == BURSAR_OK ? output_json(document, err) : status;
    }
    struct showing showing = { .situation = &situation, .names = settings.names };
    status = prepare(&showing, err);
    if (status == BURSAR_OK)
        status = store->show(store->ctx, treasury->id, id, take_record, take_dependency, take_event, take_attempt,
                             &showing, err);
    if (status == BURSAR_OK)
        print_showing(&showing);
    table_free(&showing.history_table);
    table_free(&showing.attempts_table);
    return status;
}

static enum bursar_status show(struct cli *cli, struct session *session, const char *id_text, struct bursar_error *err)
{
    const struct treasury_config *section;
    struct treasury treasury;
    int64_t id = 0;
    enum bursar_status status = session_open(session, cli, SQLITE_MODE_READ, NULL, NULL, err);
    if (status == BURSAR_OK)
        status = session_section(session, cli, &section, err);
    if (status == BURSAR_OK)
        status = treasury_of_section(session, section, &treasury, err);
    if (status == BURSAR_OK)
        status = disbursement_find(session, treasury.id, id_text, &id, err);
    return status == BURSAR_OK ? show_disbursement(session, section, &treasury, id, cli->json, err) : status;
}

int cmd_show(struct cli *cli, int argc, char **argv)
{
    static const struct option options[] = { CLI_LONG_OPTIONS };
    int option, code;
    while ((option = getopt_long(argc, argv, CLI_SHORT_OPTIONS, options, NULL)) != -1) {
        if ((code = cli_common_option(cli, "show", option, argv)) >= 0)
            return code;
    }
    if ((code = cli_operands(cli, "show", argc, argv, 1, 1)) >= 0)
        return code;
    struct session session = { 0 };
    struct bursar_error err = { 0 };
    enum bursar_status status = show(cli, &session, argv[optind], &err);
    session_close(&session);
    if (status != BURSAR_OK) {
        err.status = status;
        return output_error(cli->json, &err);
    }
    return EXIT_CODE_DONE;
}
