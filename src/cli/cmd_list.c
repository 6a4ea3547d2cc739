/* bursar list: a page of disbursements. */
#include "base/cleanup.h"
#include "base/time.h"
#include "cli/context.h"
#include "cli/exit_code.h"
#include "cli/shown.h"
#include "eth/address.h"

#include <string.h>

#define LIMIT_DEFAULT 50
#define STUCK_TEXT_BYTES 60 /* of the cause; `show` has all of it */
#define OPTION_STATE 1
#define OPTION_LIMIT 2
#define OPTION_AFTER 3

/* One row more than asked for is read: it tells whether there is a next page. */
struct page {
    const struct situation *situation;
    struct asset_names names;
    size_t limit;
    size_t count;
    int64_t last_id;
    bool has_more;
    json_t *items;      /* for --json */
    struct table table; /* else */
};

static bool add_row(struct page *page, const struct disbursement_record *record)
{
    char id[24], nonce[24] = "", amount[ASSET_AMOUNT_TEXT_BYTES], destination[ADDRESS_TEXT_BYTES],
                 hash[HASH_TEXT_BYTES];
    struct diagnosis diagnosis;
    char stuck[STUCK_TEXT_BYTES + 4];
    const char *state = state_name(record->state);
    diagnose(record, page->situation, &diagnosis);
    bool is_blocked = diagnosis.kind == DIAGNOSIS_BLOCKED;
    /* What has a transaction shows it, unless it is stuck. */
    bool shows_cause = is_blocked || (diagnosis.kind == DIAGNOSIS_WAITING && !record->has_transaction);
    hash[0] = 0;
    (void)snprintf(stuck, sizeof stuck, "%.*s%s", STUCK_TEXT_BYTES, diagnosis.text.cause,
                   strlen(diagnosis.text.cause) > STUCK_TEXT_BYTES ? "..." : "");
    (void)snprintf(id, sizeof id, "%lld", (long long)record->id);
    if (record->has_nonce)
        (void)snprintf(nonce, sizeof nonce, "%llu", (unsigned long long)record->nonce);
    if (record->has_transaction)
        hash_to_text(&record->transaction_hash, hash);
    asset_amount(&page->names, record, amount);
    address_to_text(&record->destination, destination);
    const char *cells[] = {
        id, state ? state : "?", record->ref, amount, destination, nonce, shows_cause ? stuck : hash
    };
    return table_add(&page->table, cells, is_blocked ? COLOUR_BAD : output_state_colour(record->state));
}

static enum bursar_status take_record(void *ctx, const struct disbursement_record *record)
{
    struct page *page = ctx;
    if (page->count == page->limit) {
        page->has_more = true;
        return BURSAR_OK;
    }
    page->count++;
    page->last_id = record->id;
    if (!page->items)
        return add_row(page, record) ? BURSAR_OK : BURSAR_ENOMEM;
    json_t *item = shown_json(record, page->situation, &page->names);
    return json_array_append_new(page->items, item) == 0 ? BURSAR_OK : BURSAR_ENOMEM;
}

static enum bursar_status print_page(struct page *page, struct bursar_error *err)
{
    if (page->items)
        return output_json(json_pack("{s:O,s:o}", "items", page->items, "next",
                                     page->has_more ? json_integer((json_int_t)page->last_id) : json_null()),
                           err);
    if (page->count > 0)
        table_print(&page->table, stdout);
    else
        (void)fputs("no disbursements\n", stderr);
    if (page->has_more)
        (void)fprintf(stderr, "more: --after %lld\n", (long long)page->last_id);
    return BURSAR_OK;
}

/* What the command line asked for. */
struct wanted {
    struct list_filter filter;
    const char *after;
};

static enum bursar_status list(struct cli *cli, struct session *session, struct wanted *wanted,
                               struct bursar_error *err)
{
    const struct treasury_config *section;
    struct treasury treasury;
    struct situation situation;
    struct clock clock = system_clock();
    enum bursar_status status = session_open(session, cli, SQLITE_MODE_READ, NULL, NULL, err);
    if (status == BURSAR_OK)
        status = session_section(session, cli, &section, err);
    if (status == BURSAR_OK)
        status = treasury_of_section(session, section, &treasury, err);
    if (status == BURSAR_OK && wanted->after)
        status = disbursement_find(session, treasury.id, wanted->after, &wanted->filter.after_id, err);
    if (status == BURSAR_OK)
        status = shown_situation(session, section, &treasury, clock.wall_ms(clock.ctx), &situation, err);
    if (status != BURSAR_OK)
        return status;
    struct page page = { .situation = &situation,
                         .names = { session->config->assets, session->config->asset_count, treasury.chain_id },
                         .limit = wanted->filter.limit,
                         .table = { .columns = 7, .colour_column = 1 } };
    static const char *const heading[] = {
        "ID", "STATE", "REF", "AMOUNT", "DESTINATION", "NONCE", "TRANSACTION, OR WHY NOT"
    };
    if (wanted->filter.limit < LIST_MAX_ROWS)
        wanted->filter.limit++;
    if (cli->json ? !(page.items = json_array()) : !table_add(&page.table, heading, COLOUR_TITLE))
        status = bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    if (status == BURSAR_OK)
        status = session->store.list(session->store.ctx, treasury.id, &wanted->filter, take_record, &page, err);
    page.has_more = page.has_more || page.count == LIST_MAX_ROWS;
    if (status == BURSAR_OK)
        status = print_page(&page, err);
    json_decref(page.items);
    table_free(&page.table);
    return status;
}

static int parse(struct cli *cli, int argc, char **argv, struct wanted *ret)
{
    static const struct option options[] = { { "state", required_argument, NULL, OPTION_STATE },
                                             { "limit", required_argument, NULL, OPTION_LIMIT },
                                             { "after", required_argument, NULL, OPTION_AFTER },
                                             CLI_LONG_OPTIONS };
    int option, code = -1;
    uint64_t limit;
    enum disbursement_state state;
    while (code < 0 && (option = getopt_long(argc, argv, CLI_SHORT_OPTIONS, options, NULL)) != -1) {
        if (option == OPTION_STATE) {
            if (!state_from_name(optarg, &state))
                return cli_usage(cli, "list", "--state %.60s: there is no such state", optarg);
            ret->filter.state = (int)state;
        } else if (option == OPTION_LIMIT) {
            if (!u64_from_text(optarg, strlen(optarg), 1, LIST_MAX_ROWS, &limit))
                return cli_usage(cli, "list", "--limit %.60s: must be 1-%d", optarg, LIST_MAX_ROWS);
            ret->filter.limit = (size_t)limit;
        } else if (option == OPTION_AFTER) {
            ret->after = optarg;
        } else {
            code = cli_common_option(cli, "list", option, argv);
        }
    }
    return code >= 0 ? code : cli_operands(cli, "list", argc, argv, 0, 0);
}

int cmd_list(struct cli *cli, int argc, char **argv)
{
    struct wanted wanted = { .filter = { .limit = LIMIT_DEFAULT } };
    int code = parse(cli, argc, argv, &wanted);
    if (code >= 0)
        return code;
    struct session session = { 0 };
    struct bursar_error err = { 0 };
    enum bursar_status status = list(cli, &session, &wanted, &err);
    session_close(&session);
    if (status != BURSAR_OK) {
        err.status = status;
        return output_error(cli->json, &err);
    }
    return EXIT_CODE_DONE;
}
