/* bursar token: who may use the HTTP API, and for what. */
#include "base/bytes.h"
#include "base/time.h"
#include "cli/context.h"
#include "cli/exit_code.h"
#include "service/token.h"

#include <string.h>

#define OPTION_NAME 1
#define OPTION_SCOPE 2
#define OPTION_EXPIRES 3
#define PAGE_ROWS 1000
#define DAYS_MAX_COUNT 36500
#define DAY_MS UINT64_C(86400000)

enum token_action {
    TOKEN_CREATE,
    TOKEN_LIST,
    TOKEN_REVOKE,
};

struct wanted {
    enum token_action action;
    struct token_record token;
    bool has_scope;
};

/* "90d", or a time. */
static bool read_expiry(const char *text, uint64_t now_ms, uint64_t *ret_ms)
{
    uint64_t days, seconds;
    size_t length = strlen(text);
    if (length > 1 && text[length - 1] == 'd' && u64_from_text(text, length - 1, 1, DAYS_MAX_COUNT, &days)) {
        *ret_ms = now_ms + days * DAY_MS;
        return true;
    }
    if (!rfc3339_to_seconds(text, length, &seconds) || seconds * 1000 <= now_ms)
        return false;
    *ret_ms = seconds * 1000;
    return true;
}

static enum bursar_status create(const struct cli *cli, const struct store *store, struct wanted *wanted,
                                 struct bursar_error *err)
{
    struct token_record token;
    char text[TOKEN_TEXT_BYTES];
    actor_name(wanted->token.created_by, sizeof wanted->token.created_by);
    enum bursar_status status = token_create(store, &wanted->token, &token, text, err);
    if (status != BURSAR_OK)
        return status;
    if (cli->json) {
        json_t *document = token_json(&token, token.created_ms);
        if (json_object_set_new(document, "token", json_string(text)) != 0) {
            json_decref(document);
            document = NULL;
        }
        status = output_json(document, err);
    } else {
        output_message("this is the only time the token is shown; it is sent as `Authorization: Bearer TOKEN`");
        (void)printf("%s\n", text);
    }
    explicit_bzero(text, sizeof text);
    return status;
}

struct listing {
    uint64_t now_ms;
    size_t page_rows;
    int64_t last_id;
    json_t *items; /* NULL: the table */
    struct table table;
};

static enum bursar_status take_token(void *ctx, const struct token_record *token)
{
    struct listing *listing = ctx;
    char scopes[TOKEN_SCOPES_TEXT_BYTES];
    listing->page_rows++;
    listing->last_id = token->id;
    json_t *item = token_json(token, listing->now_ms);
    if (listing->items)
        return json_array_append_new(listing->items, item) == 0 ? BURSAR_OK : BURSAR_ENOMEM;
    token_scopes_text(token->scopes, scopes);
    const char *state = json_string_value(json_object_get(item, "state"));
    const char *created = json_string_value(json_object_get(item, "created_at"));
    const char *expires = json_string_value(json_object_get(item, "expires_at"));
    const char *cells[] = { token->name,         scopes,
                            state ? state : "?", created ? created : "",
                            token->created_by,   expires ? expires : "never" };
    bool good = table_add(&listing->table, cells, state && strcmp(state, "valid") == 0 ? COLOUR_GOOD : COLOUR_PLAIN);
    json_decref(item);
    return good ? BURSAR_OK : BURSAR_ENOMEM;
}

static enum bursar_status list(const struct cli *cli, const struct store *store, struct bursar_error *err)
{
    static const char *const heading[] = { "NAME", "SCOPES", "STATE", "CREATED", "BY", "EXPIRES" };
    struct clock clock = system_clock();
    struct listing listing = { .now_ms = clock.wall_ms(clock.ctx),
                               .items = cli->json ? json_array() : NULL,
                               .table = { .columns = 6, .colour_column = 2 } };
    enum bursar_status status =
        table_add(&listing.table, heading, COLOUR_TITLE) ? BURSAR_OK : bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    do {
        listing.page_rows = 0;
        if (status == BURSAR_OK)
            status = store->tokens(store->ctx, listing.last_id, PAGE_ROWS, take_token, &listing, err);
    } while (status == BURSAR_OK && listing.page_rows == PAGE_ROWS);
    if (status == BURSAR_OK && cli->json)
        status = output_json(json_pack("{s:O,s:n}", "items", listing.items, "next"), err);
    else if (status == BURSAR_OK)
        table_print(&listing.table, stdout);
    json_decref(listing.items);
    table_free(&listing.table);
    return status;
}

static enum bursar_status revoke(const struct cli *cli, const struct store *store, const char *name,
                                 struct bursar_error *err)
{
    struct clock clock = system_clock();
    char actor[ACTOR_MAX_BYTES];
    actor_name(actor, sizeof actor);
    enum bursar_status status = store->token_revoke(store->ctx, name, actor, clock.wall_ms(clock.ctx), err);
    if (status != BURSAR_OK)
        return status;
    if (cli->json)
        return output_json(json_pack("{s:s,s:s}", "name", name, "state", "revoked"), err);
    (void)printf("token %s is revoked: the next request with it is refused\n", name);
    return BURSAR_OK;
}

static enum bursar_status carry_out(struct cli *cli, struct session *session, struct wanted *wanted, const char *name,
                                    struct bursar_error *err)
{
    enum bursar_status status = session_open(
        session, cli, wanted->action == TOKEN_LIST ? SQLITE_MODE_READ : SQLITE_MODE_WRITE, NULL, NULL, err);
    if (status != BURSAR_OK)
        return status;
    switch (wanted->action) {
    case TOKEN_CREATE:
        return create(cli, &session->store, wanted, err);
    case TOKEN_LIST:
        return list(cli, &session->store, err);
    case TOKEN_REVOKE:
        return revoke(cli, &session->store, name, err);
    }
    return bursar_fail(err, BURSAR_EINTERNAL, "no such action");
}

static int take_option(const struct cli *cli, int option, struct wanted *ret)
{
    switch (option) {
    case OPTION_NAME:
        if (token_name_problem(optarg))
            return cli_usage(cli, "token", "--name %.80s: %s", optarg, token_name_problem(optarg));
        (void)snprintf(ret->token.name, sizeof ret->token.name, "%s", optarg);
        return -1;
    case OPTION_SCOPE:
        ret->has_scope = true;
        if (token_scopes_parse(optarg, &ret->token.scopes))
            return -1;
        return cli_usage(cli, "token", "--scope %.60s: there are read, pay and operate, separated by commas", optarg);
    default:
        if (read_expiry(optarg, ret->token.created_ms, &ret->token.expires_ms))
            return -1;
        return cli_usage(cli, "token", "--expires %.60s: must be a time to come such as 2026-12-31T00:00:00Z, or 90d",
                         optarg);
    }
}

static int parse(struct cli *cli, int argc, char **argv, struct wanted *ret)
{
    static const struct option options[] = { { "name", required_argument, NULL, OPTION_NAME },
                                             { "scope", required_argument, NULL, OPTION_SCOPE },
                                             { "expires", required_argument, NULL, OPTION_EXPIRES },
                                             CLI_LONG_OPTIONS };
    int option, code;
    while ((option = getopt_long(argc, argv, CLI_SHORT_OPTIONS, options, NULL)) != -1) {
        bool is_own = option >= OPTION_NAME && option <= OPTION_EXPIRES;
        code = is_own ? take_option(cli, option, ret) : cli_common_option(cli, "token", option, argv);
        if (code >= 0)
            return code;
    }
    const char *word = optind < argc ? argv[optind] : "";
    bool has_options = ret->token.name[0] || ret->has_scope || ret->token.expires_ms;
    if (strcmp(word, "create") == 0) {
        ret->action = TOKEN_CREATE;
        if (!ret->token.name[0] || !ret->has_scope)
            return cli_usage(cli, "token", "create needs --name and --scope");
    } else if (strcmp(word, "list") == 0 || strcmp(word, "revoke") == 0) {
        ret->action = strcmp(word, "list") == 0 ? TOKEN_LIST : TOKEN_REVOKE;
        if (has_options)
            return cli_usage(cli, "token", "--name, --scope and --expires belong to create");
    } else {
        return cli_usage(cli, "token", "'%.60s': there are create, list and revoke", word);
    }
    int operands = ret->action == TOKEN_REVOKE ? 2 : 1;
    return cli_operands(cli, "token", argc, argv, operands, operands);
}

int cmd_token(struct cli *cli, int argc, char **argv)
{
    struct clock clock = system_clock();
    struct wanted wanted = { .token.created_ms = clock.wall_ms(clock.ctx) };
    int code = parse(cli, argc, argv, &wanted);
    if (code >= 0)
        return code;
    struct session session = { 0 };
    struct bursar_error err = { 0 };
    enum bursar_status status = carry_out(cli, &session, &wanted, optind + 1 < argc ? argv[optind + 1] : "", &err);
    session_close(&session);
    if (status != BURSAR_OK) {
        err.status = status;
        return output_error(cli->json, &err);
    }
    return EXIT_CODE_DONE;
}
