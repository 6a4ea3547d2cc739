/* The way from a command line to a store, a treasury and a node. */
#include "cli/context.h"

#include "base/cleanup.h"
#include "cli/exit_code.h"
#include "eth/address.h"
#include "signer/keystore.h"
#include "signer/signing_log.h"

#include <pwd.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int cli_usage(const struct cli *cli, const char *command, const char *format, ...)
{
    char reason[256];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    struct bursar_error err = { 0 };
    (void)bursar_fail(&err, BURSAR_EUSAGE, "%s; see `bursar help%s%s`", reason, command ? " " : "",
                      command ? command : "");
    return output_error(cli->json, &err);
}

int cli_common_option(struct cli *cli, const char *command, int option, char **argv)
{
    switch (option) {
    case 'c':
        cli->config_path = optarg;
        return -1;
    case CLI_OPTION_TREASURY:
        cli->treasury = optarg;
        return -1;
    case CLI_OPTION_JSON:
        cli->json = true;
        return -1;
    case 'h':
        command_print_help(command_find(command), stdout);
        return EXIT_CODE_DONE;
    case ':':
        return cli_usage(cli, command, "%.100s needs a value", argv[optind - 1]);
    default:
        if (optopt > 0 && optopt < 256)
            return cli_usage(cli, command, "unknown option -%c", optopt);
        return cli_usage(cli, command, "unknown option %.100s", argv[optind - 1]);
    }
}

int cli_operands(const struct cli *cli, const char *command, int argc, char **argv, int minimum, int maximum)
{
    int count = argc - optind;
    if (count < minimum)
        return cli_usage(cli, command, "an argument is missing");
    if (count > maximum)
        return cli_usage(cli, command, "too many arguments: '%.100s'", argv[optind + maximum]);
    return -1;
}

enum bursar_status session_open(struct session *session, const struct cli *cli, enum sqlite_mode mode,
                                store_is_cancelled *is_cancelled, void *cancel_ctx, struct bursar_error *err)
{
    enum bursar_status status = config_load(cli->config_path, environ, &session->config, err);
    size_t first, end;
    if (status == BURSAR_OK && cli->treasury)
        status = session_sections(session, cli, &first, &end, err);
    if (status == BURSAR_OK)
        status = session_check_accounts(session, err);
    if (status == BURSAR_OK)
        status = sqlite_store_open(session->config->store_path, mode, is_cancelled, cancel_ctx, &session->sqlite, err);
    if (status == BURSAR_OK)
        session->store = sqlite_store_interface(session->sqlite);
    return status;
}

void session_close(struct session *session)
{
    sqlite_store_close(session->sqlite);
    config_free(session->config);
    *session = (struct session){ 0 };
}

enum bursar_status session_sections(const struct session *session, const struct cli *cli, size_t *ret_first,
                                    size_t *ret_end, struct bursar_error *err)
{
    const struct config *config = session->config;
    for (size_t i = 0; cli->treasury && i < config->treasury_count; i++) {
        if (strcmp(config->treasuries[i].name, cli->treasury) == 0) {
            *ret_first = i;
            *ret_end = i + 1;
            return BURSAR_OK;
        }
    }
    if (cli->treasury)
        return bursar_fail(err, BURSAR_EUSAGE, "--treasury %.64s: there is no [treasury %.64s] in %.200s",
                           cli->treasury, cli->treasury, config->path);
    *ret_first = 0;
    *ret_end = config->treasury_count;
    return BURSAR_OK;
}

enum bursar_status session_section(const struct session *session, const struct cli *cli,
                                   const struct treasury_config **ret, struct bursar_error *err)
{
    size_t first, end;
    enum bursar_status status = session_sections(session, cli, &first, &end, err);
    if (status != BURSAR_OK)
        return status;
    if (end - first > 1)
        return bursar_fail(err, BURSAR_EUSAGE, "%.200s has %zu treasuries: say which with --treasury NAME (%s, %s ...)",
                           session->config->path, end - first, session->config->treasuries[0].name,
                           session->config->treasuries[1].name);
    *ret = &session->config->treasuries[first];
    return BURSAR_OK;
}

enum bursar_status section_address(const struct treasury_config *section, struct bursar_address *ret,
                                   struct bursar_error *err)
{
    enum bursar_status status = keystore_address(section->keystore, ret, err);
    if (status != BURSAR_ENOTFOUND)
        return status;
    struct private_key *key;
    status = keystore_open(section->keystore, section->password_file, &key, err);
    if (status != BURSAR_OK)
        return status;
    private_key_address(key, ret);
    private_key_free(key);
    return BURSAR_OK;
}

enum bursar_status session_check_accounts(const struct session *session, struct bursar_error *err)
{
    const struct config *config = session->config;
    if (config->treasury_count < 2)
        return BURSAR_OK;
    struct bursar_address *accounts = calloc(config->treasury_count, sizeof *accounts);
    if (!accounts)
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    enum bursar_status status = BURSAR_OK;
    for (size_t i = 0; i < config->treasury_count && status == BURSAR_OK; i++) {
        status = section_address(&config->treasuries[i], &accounts[i], err);
        for (size_t k = 0; k < i && status == BURSAR_OK; k++) {
            if (config->treasuries[i].chain_id == config->treasuries[k].chain_id &&
                address_equal(&accounts[i], &accounts[k]))
                status = bursar_fail(err, BURSAR_EINVAL,
                                     "%.200s: [treasury %s] and [treasury %s] are the same account on the same chain: "
                                     "it can be one treasury only",
                                     config->path, config->treasuries[k].name, config->treasuries[i].name);
        }
    }
    free(accounts);
    return status;
}

enum bursar_status treasury_of_section(const struct session *session, const struct treasury_config *section,
                                       struct treasury *ret, struct bursar_error *err)
{
    struct bursar_address address;
    enum bursar_status status = section_address(section, &address, err);
    if (status != BURSAR_OK)
        return status;
    status = session->store.treasury_find(session->store.ctx, section->chain_id, &address, ret, err);
    if (status == BURSAR_ENOTFOUND) {
        char text[ADDRESS_TEXT_BYTES];
        address_to_text(&address, text);
        return bursar_fail(err, BURSAR_ENOTFOUND,
                           "[treasury %s] (%s on chain %llu) is not in the store yet: `bursar run` adds it",
                           section->name, text, (unsigned long long)section->chain_id);
    }
    return status;
}

/* An epoch:N schedule means another time once the epoch does: not while rows wait on one. */
static enum bursar_status settle_epoch_source(const struct session *session, const struct treasury_config *section,
                                              struct treasury *treasury, struct bursar_error *err)
{
    char wanted[EPOCH_SOURCE_MAX_BYTES];
    config_epoch_text(&section->epoch, wanted);
    if (strcmp(wanted, treasury->epoch_source) == 0)
        return BURSAR_OK;
    enum bursar_status status = session->store.treasury_set_epoch_source(session->store.ctx, treasury->id, wanted, err);
    if (status == BURSAR_ECONFLICT)
        return bursar_fail(
            err, BURSAR_EREFUSED,
            "[treasury %s] epoch = %s: disbursements wait on an epoch of %s, and would be paid at another "
            "time: put `epoch = %s` back until they are paid",
            section->name, wanted, treasury->epoch_source, treasury->epoch_source);
    if (status == BURSAR_OK)
        (void)snprintf(treasury->epoch_source, sizeof treasury->epoch_source, "%s", wanted);
    return status;
}

enum bursar_status treasury_ensure(const struct session *session, const struct treasury_config *section,
                                   struct treasury *ret, struct bursar_error *err)
{
    enum bursar_status status = treasury_of_section(session, section, ret, err);
    if (status == BURSAR_OK)
        return settle_epoch_source(session, section, ret, err);
    if (status != BURSAR_ENOTFOUND)
        return status;
    /* The log first: a stored treasury without a log means that its log was lost. */
    struct bursar_address address;
    char log_path[SIGNING_LOG_PATH_MAX_BYTES], epoch[EPOCH_SOURCE_MAX_BYTES];
    status = section_address(section, &address, err);
    if (status == BURSAR_OK)
        status = signing_log_path(section->keystore, section->chain_id, log_path, err);
    if (status == BURSAR_OK)
        status = signing_log_create(log_path, section->chain_id, &address, err);
    if (status == BURSAR_EEXIST)
        status = BURSAR_OK;
    int64_t id;
    config_epoch_text(&section->epoch, epoch);
    if (status == BURSAR_OK)
        status = session->store.treasury_add(session->store.ctx, section->name, section->chain_id, &address, epoch, &id,
                                             err);
    return status == BURSAR_OK ? session->store.treasury_get(session->store.ctx, id, ret, err) : status;
}

enum bursar_status disbursement_find(const struct session *session, int64_t treasury, const char *text, int64_t *ret_id,
                                     struct bursar_error *err)
{
    if (strncmp(text, "ref:", 4) == 0) {
        enum bursar_status status = session->store.ref_find(session->store.ctx, treasury, text + 4, ret_id, err);
        return status == BURSAR_ENOTFOUND
                   ? bursar_fail(err, BURSAR_ENOTFOUND, "there is no disbursement with ref '%.128s'", text + 4)
                   : status;
    }
    uint64_t id;
    if (!u64_from_text(text, strlen(text), 1, INT64_MAX, &id))
        return bursar_fail(err, BURSAR_EUSAGE, "'%.100s' is neither a disbursement's ID (a number) nor ref:REF", text);
    *ret_id = (int64_t)id;
    return BURSAR_OK;
}

void actor_name(char *ret, size_t capacity)
{
    struct passwd entry, *found = NULL;
    char buffer[4096];
    uid_t uid = getuid();
    if (getpwuid_r(uid, &entry, buffer, sizeof buffer, &found) == 0 && found)
        (void)snprintf(ret, capacity, "%s", found->pw_name);
    else
        (void)snprintf(ret, capacity, "uid %lu", (unsigned long)uid);
}
