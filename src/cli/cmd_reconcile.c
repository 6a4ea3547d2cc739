/* bursar reconcile: do store, signing log and chain agree? */
#include "base/cleanup.h"
#include "cli/context.h"
#include "cli/exit_code.h"
#include "cli/stop_signal.h"
#include "reconcile/reconcile.h"
#include "signer/signing_log.h"

struct reporting {
    bool json;
    json_t *differences;
};

static void take_difference(void *ctx, const struct reconcile_difference *difference)
{
    struct reporting *reporting = ctx;
    if (reporting->json) {
        (void)json_array_append_new(
            reporting->differences,
            json_pack("{s:o,s:o,s:o,s:o}", "nonce",
                      difference->has_nonce ? json_integer((json_int_t)difference->nonce) : json_null(), "id",
                      difference->disbursement ? json_integer((json_int_t)difference->disbursement) : json_null(),
                      "ref", difference->ref[0] ? output_json_text(difference->ref) : json_null(), "what",
                      output_json_text(difference->what)));
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
        return output_json(json_pack("{s:b,s:I,s:I,s:o,s:o,s:I,s:O}", "ok", ok, "checked", (json_int_t)result->checked,
                                     "in_flight", (json_int_t)result->in_flight, "paid_total",
                                     output_json_amount(result->paid_total), "fees_total",
                                     output_json_amount(result->fees_total), "differences_total",
                                     (json_int_t)result->differences, "differences", reporting->differences),
                           err);
    char paid[OUTPUT_COIN_TEXT_BYTES], fees[OUTPUT_COIN_TEXT_BYTES];
    output_coin(result->paid_total, paid);
    output_coin(result->fees_total, fees);
    (void)printf("%llu checked, %llu in flight; paid %s, fees %s: ", (unsigned long long)result->checked,
                 (unsigned long long)result->in_flight, paid, fees);
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

int cmd_reconcile(struct cli *cli, int argc, char **argv)
{
    static const struct option options[] = { CLI_LONG_OPTIONS };
    int option, code;
    while ((option = getopt_long(argc, argv, CLI_SHORT_OPTIONS, options, NULL)) != -1) {
        if ((code = cli_common_option(cli, "reconcile", option, argv)) >= 0)
            return code;
    }
    if ((code = cli_operands(cli, "reconcile", argc, argv, 0, 0)) >= 0)
        return code;
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
