/* bursar status: how a treasury stands, and for what is stuck one cause and one action each. */
#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/time.h"
#include "cli/context.h"
#include "cli/exit_code.h"
#include "cli/shown.h"
#include "eth/address.h"
#include "service/standing.h"

#include <stdlib.h>
#include <string.h>

static enum bursar_status collect(const struct session *session, const struct treasury_config *section,
                                  struct standing *ret, struct bursar_error *err)
{
    struct treasury_settings settings;
    struct treasury treasury = { 0 };
    shown_settings(session->config, section, &settings);
    enum bursar_status status = treasury_of_section(session, section, &treasury, err);
    if (status == BURSAR_ENOTFOUND) /* in the configuration, not in the store yet */
        status = section_address(section, &treasury.address, err);
    return status == BURSAR_OK ? standing_read(&session->store, &settings, &treasury, NULL, NULL, ret, err) : status;
}

static void print_line(const char *name, enum output_colour colour, const char *text)
{
    char plain[BURSAR_ERROR_MESSAGE_MAX_BYTES * 2];
    output_plain(text, plain, sizeof plain);
    (void)printf("  %-10s%s%s%s\n", name, output_colour_on(stdout, colour), plain, output_colour_off(stdout));
}

static void print_queue(const struct standing *standing)
{
    char text[512] = "";
    size_t used = 0;
    for (int state = STATE_FIRST; state <= STATE_LAST; state++) {
        const char *name = state_name((enum disbursement_state)state);
        if (standing->counts[state] == 0 || !name || used >= sizeof text)
            continue;
        int added = snprintf(text + used, sizeof text - used, "%s%llu %s", used ? ", " : "",
                             (unsigned long long)standing->counts[state], name);
        used += added > 0 ? (size_t)added : 0;
    }
    print_line("queue", COLOUR_PLAIN, used ? text : "empty");
}

static void print_breaker(const struct standing *standing)
{
    char text[BREAKER_TEXT_BYTES], command[BREAKER_COMMAND_TEXT_BYTES];
    breaker_text(&standing->breaker, text);
    print_line("breaker", output_breaker_colour(standing->breaker.view.state), text);
    if (standing->breaker.view.forced && breaker_command_text(&standing->breaker, command))
        print_line("", COLOUR_PLAIN, command);
    if (standing->breaker.money.cause != MONEY_NONE) {
        char money[MONEY_TEXT_BYTES];
        money_text(&standing->breaker.money, money);
        print_line("money", COLOUR_BAD, money);
        print_line("  to do", COLOUR_TITLE, money_action(standing->breaker.money.cause));
    }
}

static void print_lease(const struct standing *standing)
{
    char text[LEASE_HOLDER_MAX_BYTES + 64];
    const struct treasury *treasury = &standing->treasury;
    if (!treasury->lease_holder[0]) {
        print_line("executor", COLOUR_WAIT, "none is running: start `bursar run`");
    } else if (!lease_is_live(treasury, standing->now_ms)) {
        (void)snprintf(text, sizeof text, "%s has not renewed its lease: start `bursar run`", treasury->lease_holder);
        print_line("executor", COLOUR_WAIT, text);
    } else {
        (void)snprintf(text, sizeof text, "%s (lease epoch %llu)", treasury->lease_holder,
                       (unsigned long long)treasury->lease_epoch);
        print_line("executor", COLOUR_GOOD, text);
    }
}

/* Whoever has the key can empty the account: also what harmed no payment is told for good. */
static void print_foreign(const struct standing *standing)
{
    const struct foreign_uses *foreign = &standing->foreign;
    char text[HASH_TEXT_BYTES + 200], hash[HASH_TEXT_BYTES];
    if (foreign->count == 0)
        return;
    hash_to_text(&foreign->hash, hash);
    (void)snprintf(text, sizeof text,
                   "%llu of this account's transactions were somebody else's, the last one with nonce %llu in block "
                   "%llu: %s. Find out who has the key",
                   (unsigned long long)foreign->count, (unsigned long long)foreign->nonce,
                   (unsigned long long)foreign->block_number, hash);
    print_line("foreign", COLOUR_BAD, text);
}

/* With a single node the balance says it all. */
static void print_nodes(const struct live_look *look)
{
    char text[NODE_NAME_MAX_BYTES + BURSAR_ERROR_MESSAGE_MAX_BYTES + 64];
    for (size_t i = 0; i < look->node_count && look->node_count > 1; i++) {
        const struct live_node *node = &look->nodes[i];
        bool is_ok = node->state == NODE_OK;
        (void)snprintf(text, sizeof text, "%s %s%s%s", node->url, node_state_name(node->state),
                       is_ok || !node->last_error[0] ? "" : ": ", is_ok ? "" : node->last_error);
        print_line(i == 0 ? "nodes" : "", is_ok ? COLOUR_GOOD : COLOUR_WAIT, text);
    }
}

static void print_stuck(const struct standing *standing)
{
    size_t i;
    json_t *item;
    json_array_foreach(standing->blocked, i, item)
    {
        char id[200];
        (void)snprintf(id, sizeof id, "%lld '%s'", (long long)json_integer_value(json_object_get(item, "id")),
                       json_string_value(json_object_get(item, "ref")));
        (void)fputc('\n', stdout);
        print_line("stuck", COLOUR_BAD, id);
        print_line("  cause", COLOUR_PLAIN, json_string_value(json_object_get(item, "cause")));
        print_line("  to do", COLOUR_TITLE, json_string_value(json_object_get(item, "action")));
    }
    if (standing->blocked_seen > BLOCKED_SHOWN_MAX_COUNT)
        (void)printf("\n  ... and more: `bursar list --state queued`, `bursar list --state failed`\n");
}

static void print_standing(const struct standing *standing)
{
    char address[ADDRESS_TEXT_BYTES], text[BURSAR_ERROR_MESSAGE_MAX_BYTES + 64], coin[OUTPUT_COIN_TEXT_BYTES];
    const struct snapshot *snapshot = &standing->situation.snapshot;
    address_to_text(&standing->treasury.address, address);
    (void)printf("%s%s%s  %s on chain %llu\n", output_colour_on(stdout, COLOUR_TITLE), standing->section->name,
                 output_colour_off(stdout), address, (unsigned long long)standing->section->chain_id);
    if (standing->look.has_view) {
        output_coin(standing->look.view.balance, coin);
        print_line("balance", COLOUR_PLAIN, coin);
    } else {
        (void)snprintf(text, sizeof text, "unknown: %s", standing->look.node_error);
        print_line("balance", COLOUR_WAIT, text);
    }
    print_nodes(&standing->look);
    print_queue(standing);
    print_lease(standing);
    print_breaker(standing);
    print_foreign(standing);
    if (!standing->is_stored)
        print_line("store", COLOUR_WAIT, "not in the store yet: `bursar run` adds it");
    if (snapshot->last_error[0]) {
        char at[RFC3339_TEXT_BYTES];
        rfc3339_from_seconds(snapshot->last_error_ms / 1000, at);
        (void)snprintf(text, sizeof text, "%s %s", at, snapshot->last_error);
        print_line("last error", COLOUR_WAIT, text);
    }
    if (snapshot->hold[0] && standing->breaker.money.cause == MONEY_NONE) { /* else it is that */
        print_line("holds", COLOUR_WAIT, snapshot->hold);
        print_line("  to do", COLOUR_TITLE, "nothing, if it passes by itself; else `bursar doctor` looks into it");
    }
    if (standing->halt != HALT_NONE) {
        const char *name = halt_code_name(standing->halt);
        (void)snprintf(text, sizeof text, "%s: %s", name ? name : "unknown", standing->halt_reason);
        (void)fputc('\n', stdout);
        print_line("HALTED", COLOUR_BAD, text);
        print_line("  to do", COLOUR_TITLE, halt_action(standing->halt));
    }
    print_stuck(standing);
}

/* Those that are about this treasury. */
static enum bursar_status print_webhooks(const struct store *store, const struct webhook_list *list,
                                         const struct standing *standing, struct bursar_error *err)
{
    enum bursar_status status = BURSAR_OK;
    for (size_t i = 0; i < list->count && status == BURSAR_OK; i++) {
        struct webhook_view view;
        char text[WEBHOOK_VIEW_TEXT_BYTES];
        if (!webhook_is_about(&list->of[i], standing->section->name))
            continue;
        status = webhook_view_read(store, list->of[i].name, &view, err);
        if (status == BURSAR_OK) {
            webhook_view_text(&view, standing->now_ms, text);
            print_line("webhook", view.is_failing ? COLOUR_WAIT : COLOUR_PLAIN, text);
        }
    }
    return status;
}

static enum bursar_status show_one(const struct session *session, json_t *all, const struct standing *standing,
                                   struct bursar_error *err)
{
    struct webhook_list list;
    json_t *webhooks = NULL;
    shown_webhooks(session->config, &list);
    if (!all) {
        print_standing(standing);
        return print_webhooks(&session->store, &list, standing, err);
    }
    enum bursar_status status = webhook_views_json(&session->store, &list, standing->section->name, &webhooks, err);
    if (status == BURSAR_OK && json_array_append_new(all, standing_json(standing, webhooks)) != 0)
        status = bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    json_decref(webhooks);
    return status;
}

static enum bursar_status show_all(const struct session *session, size_t first, size_t end, bool json,
                                   struct bursar_error *err)
{
    json_t *all = json_array();
    enum bursar_status status = all ? BURSAR_OK : bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    for (size_t i = first; i < end && status == BURSAR_OK; i++) {
        struct standing *standing = calloc(1, sizeof *standing);
        if (!standing) {
            status = bursar_fail(err, BURSAR_ENOMEM, "out of memory");
            break;
        }
        status = collect(session, &session->config->treasuries[i], standing, err);
        if (status == BURSAR_OK) {
            (void)fputs(i > first && !json ? "\n" : "", stdout);
            status = show_one(session, json ? all : NULL, standing, err);
        }
        standing_clear(standing);
        free(standing);
    }
    if (status == BURSAR_OK && json)
        status = output_json(json_incref(end - first > 1 ? all : json_array_get(all, 0)), err);
    json_decref(all);
    return status;
}

int cmd_status(struct cli *cli, int argc, char **argv)
{
    static const struct option options[] = { CLI_LONG_OPTIONS };
    int option, code;
    while ((option = getopt_long(argc, argv, CLI_SHORT_OPTIONS, options, NULL)) != -1) {
        if ((code = cli_common_option(cli, "status", option, argv)) >= 0)
            return code;
    }
    if ((code = cli_operands(cli, "status", argc, argv, 0, 0)) >= 0)
        return code;
    struct session session = { 0 };
    struct bursar_error err = { 0 };
    size_t first = 0, end = 0;
    enum bursar_status status = session_open(&session, cli, SQLITE_MODE_READ, NULL, NULL, &err);
    if (status == BURSAR_OK)
        status = session_sections(&session, cli, &first, &end, &err);
    if (status == BURSAR_OK)
        status = show_all(&session, first, end, cli->json, &err);
    session_close(&session);
    if (status != BURSAR_OK) {
        err.status = status;
        return output_error(cli->json, &err);
    }
    return EXIT_CODE_DONE;
}
