/* bursar reconcile: do store, signing log and chain agree? With --dry-run and --adopt: what makes them. */
#include "base/bytes.h"
#include "base/cleanup.h"
#include "cli/context.h"
#include "cli/decide.h"
#include "cli/exit_code.h"
#include "cli/reconcile_adopt.h"
#include "cli/stop_signal.h"
#include "eth/address.h"
#include "reconcile/reconcile.h"
#include "service/comparison.h"
#include "signer/signing_log.h"

#include <string.h>

struct reporting {
    bool json;
    json_t *differences;
};

static void take_difference(void *ctx, const struct reconcile_difference *difference)
{
    struct reporting *reporting = ctx;
    if (reporting->json) {
        (void)json_array_append_new(reporting->differences, comparison_difference_json(difference));
        return;
    }
    char where[REF_MAX_BYTES + 96] = "", plain[DIFFERENCE_MAX_BYTES * 2];
    if (difference->disbursement)
        (void)snprintf(where, sizeof where,
                       "nonce %llu, disbursement %lld '%s': ", (unsigned long long)difference->nonce,
                       (long long)difference->disbursement, difference->ref);
    else if (difference->has_nonce)
        (void)snprintf(where, sizeof where, "nonce %llu: ", (unsigned long long)difference->nonce);
    output_plain(difference->what, plain, sizeof plain);
    (void)printf("%sdiffers%s  %s%s\n", output_colour_on(stdout, COLOUR_BAD), output_colour_off(stdout), where, plain);
}

static void wait_ms(void *ctx, uint64_t duration_ms)
{
    (void)ctx;
    stop_signal_sleep(duration_ms);
}

static enum bursar_status print_result(const struct reporting *reporting, const struct reconcile_result *result,
                                       struct bursar_error *err)
{
    bool ok = result->differences == 0;
    if (reporting->json)
        return output_json(comparison_json(result, json_incref(reporting->differences)), err);
    char paid[OUTPUT_COIN_TEXT_BYTES], fees[OUTPUT_COIN_TEXT_BYTES];
    output_coin(result->paid_total, paid);
    output_coin(result->fees_total, fees);
    (void)printf("%llu checked, %llu in flight; paid %s, fees %s: ", (unsigned long long)result->checked,
                 (unsigned long long)result->in_flight, paid, fees);
    for (size_t i = 0; i < result->tokens.count; i++) {
        char token[ADDRESS_TEXT_BYTES], amount[BURSAR_AMOUNT_TEXT_BYTES];
        address_to_text(&result->tokens.sums[i].token, token);
        bursar_amount_to_text(result->tokens.sums[i].on_chain, amount);
        (void)printf("%s base units of %s: ", amount, token);
    }
    if (ok)
        (void)printf("%sall agree%s\n", output_colour_on(stdout, COLOUR_GOOD), output_colour_off(stdout));
    else
        (void)printf("%s%llu differences%s\n", output_colour_on(stdout, COLOUR_BAD),
                     (unsigned long long)result->differences, output_colour_off(stdout));
    return BURSAR_OK;
}

static enum bursar_status compare(struct cli *cli, struct session *session, struct node *node,
                                  struct reconcile_result *ret, struct bursar_error *err)
{
    const struct treasury_config *section;
    struct treasury treasury;
    char log_path[SIGNING_LOG_PATH_MAX_BYTES];
    enum bursar_status status = session_open(session, cli, SQLITE_MODE_READ, NULL, NULL, err);
    if (status == BURSAR_OK)
        status = session_section(session, cli, &section, err);
    if (status == BURSAR_OK)
        status = treasury_of_section(session, section, &treasury, err);
    if (status == BURSAR_OK)
        status = signing_log_path(section->keystore, section->chain_id, log_path, err);
    if (status == BURSAR_OK)
        status = node_open(node, section, (uint32_t)session->config->rpc_timeout_ms, NULL, NULL, err);
    if (status != BURSAR_OK)
        return status;
    struct reporting reporting = { .json = cli->json, .differences = json_array() };
    struct reconcile_env env = { .store = session->store,
                                 .chain = node->chain,
                                 .log_path = log_path,
                                 .treasury = treasury.id,
                                 .finality_blocks = (uint32_t)section->finality_blocks,
                                 .wait = wait_ms };
    status = reconcile(&env, take_difference, &reporting, ret, err);
    if (status == BURSAR_OK)
        status = print_result(&reporting, ret, err);
    json_decref(reporting.differences);
    return status;
}

#define OPTION_DRY_RUN 1
#define OPTION_ADOPT 2
#define OPTION_REASON 3
#define OPTION_ASSIGN 4
#define OPTION_FROM_BLOCK 5

static int take_option(const struct cli *cli, int option, struct adopt_wanted *wanted, bool *ret_dry_run)
{
    switch (option) {
    case OPTION_DRY_RUN:
        *ret_dry_run = true;
        return -1;
    case OPTION_ADOPT:
        wanted->writes = true;
        return -1;
    case OPTION_REASON:
        wanted->reason = optarg;
        if (strlen(optarg) > ADOPT_REASON_MAX_BYTES)
            return cli_usage(cli, "reconcile", "--reason is longer than %d bytes", ADOPT_REASON_MAX_BYTES);
        return cli_reason(cli, "reconcile", optarg);
    case OPTION_ASSIGN:
        if (wanted->assignment_count == ADOPT_ASSIGNMENTS_MAX_COUNT)
            return cli_usage(cli, "reconcile", "--assign: at most %d at once", ADOPT_ASSIGNMENTS_MAX_COUNT);
        wanted->assignments[wanted->assignment_count++] = optarg;
        return -1;
    default:
        wanted->has_from_block = true;
        if (u64_from_text(optarg, strlen(optarg), 0, INT64_MAX, &wanted->from_block))
            return -1;
        return cli_usage(cli, "reconcile", "--from-block %.60s: is not a block number", optarg);
    }
}

/* -1 to go on, else the exit code. */
static int parse(struct cli *cli, int argc, char **argv, struct adopt_wanted *wanted, bool *ret_dry_run)
{
    static const struct option options[] = { { "dry-run", no_argument, NULL, OPTION_DRY_RUN },
                                             { "adopt", no_argument, NULL, OPTION_ADOPT },
                                             { "reason", required_argument, NULL, OPTION_REASON },
                                             { "assign", required_argument, NULL, OPTION_ASSIGN },
                                             { "from-block", required_argument, NULL, OPTION_FROM_BLOCK },
                                             CLI_LONG_OPTIONS };
    int option, code;
    while ((option = getopt_long(argc, argv, CLI_SHORT_OPTIONS, options, NULL)) != -1) {
        bool is_own = option >= OPTION_DRY_RUN && option <= OPTION_FROM_BLOCK;
        code =
            is_own ? take_option(cli, option, wanted, ret_dry_run) : cli_common_option(cli, "reconcile", option, argv);
        if (code >= 0)
            return code;
    }
    if ((code = cli_operands(cli, "reconcile", argc, argv, 0, 0)) >= 0)
        return code;
    if (wanted->writes && *ret_dry_run)
        return cli_usage(cli, "reconcile", "--dry-run or --adopt, not both");
    if (!wanted->writes && wanted->reason)
        return cli_usage(cli, "reconcile", "--reason belongs to --adopt");
    if (!wanted->writes && !*ret_dry_run && (wanted->assignment_count || wanted->has_from_block))
        return cli_usage(cli, "reconcile", "--assign and --from-block belong to --dry-run and --adopt");
    return -1;
}

static int compare_only(struct cli *cli)
{
    struct session session = { 0 };
    struct node node = { 0 };
    struct reconcile_result result = { 0 };
    struct bursar_error err = { 0 };
    enum bursar_status status = compare(cli, &session, &node, &result, &err);
    node_close(&node);
    session_close(&session);
    if (status != BURSAR_OK) {
        err.status = status;
        return output_error(cli->json, &err);
    }
    return result.differences == 0 ? EXIT_CODE_DONE : EXIT_CODE_REFUSED;
}

int cmd_reconcile(struct cli *cli, int argc, char **argv)
{
    const char *assignments[ADOPT_ASSIGNMENTS_MAX_COUNT];
    struct adopt_wanted wanted = { .assignments = assignments };
    bool is_dry_run = false;
    int code = parse(cli, argc, argv, &wanted, &is_dry_run);
    if (code >= 0)
        return code;
    return wanted.writes || is_dry_run ? reconcile_adopt(cli, &wanted) : compare_only(cli);
}
