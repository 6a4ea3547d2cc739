/* bursar init: the one command that creates a store.
 *
 * The order is for crashes: first all checks, then the signing log, the store, and bursar.conf last, so that nothing
 * looks finished before it is. An empty signing log that was left behind is taken up again; a store without bursar.conf
 * is refused, because it can't be told from one in use. */
#include "base/cleanup.h"
#include "cli/context.h"
#include "cli/durable_file.h"
#include "cli/exit_code.h"
#include "eth/address.h"
#include "signer/keystore.h"
#include "signer/signing_log.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define OPTION_RPC 1
#define OPTION_KEYSTORE 2
#define OPTION_PASSWORD_FILE 3
#define OPTION_STORE 4
#define OPTION_ADOPT 5
#define NODE_TIMEOUT_MS 10000

static const char CONFIG_NAME[] = "bursar.conf";
static const char TREASURY_NAME[] = "main";

struct init {
    struct cli *cli;
    struct config_start start; /* as it will be written */
    bool adopt_account;
    struct config *config; /* what is written, read back */
    struct epoch_source epoch;
    struct bursar_address account;
    struct chain_view view;
    char log_path[SIGNING_LOG_PATH_MAX_BYTES];
    bool has_log;
    struct signing_log_extent log;
    uint64_t first_nonce;
};

/* Below the current folder: relative, so that the folder can be moved. */
static const char *relative(const char *path)
{
    static char here[CONFIG_PATH_MAX_BYTES];
    size_t length;
    if (!getcwd(here, sizeof here) || (length = strlen(here)) < 2)
        return path;
    return strncmp(path, here, length) == 0 && path[length] == '/' && path[length + 1] ? path + length + 1 : path;
}

static bool exists(const char *path)
{
    struct stat about;
    return lstat(path, &about) == 0 || errno != ENOENT;
}

static enum bursar_status check_free(const struct init *init, const char *store_path, struct bursar_error *err)
{
    if (exists(CONFIG_NAME))
        return bursar_fail(err, BURSAR_EEXIST, "%s exists already: this folder is set up; it is never overwritten",
                           CONFIG_NAME);
    if (exists(store_path))
        return bursar_fail(err, BURSAR_EEXIST,
                           "the store %s exists, but no %s beside it. If it is in use, put %s back; if it is what an "
                           "interrupted `bursar init` left behind and nothing was ever imported, remove it and run "
                           "init again",
                           store_path, CONFIG_NAME, CONFIG_NAME);
    (void)init;
    return BURSAR_OK;
}

/* A pool that shows more than blocks do is looked at again: a first nonce beyond what is really sent would leave a gap
 * below it. */
static enum bursar_status look_thrice(const struct chain *chain, const struct chain_query *query,
                                      struct chain_view *ret, struct bursar_error *err)
{
    const struct timespec moment = { .tv_nsec = 300000000 };
    enum bursar_status status = chain->observe(chain->ctx, query, ret, err);
    for (int again = 0; again < 2 && status == BURSAR_OK && ret->nonce_pending > ret->nonce_latest; again++) {
        const uint64_t before = ret->nonce_pending;
        (void)nanosleep(&moment, NULL);
        status = chain->observe(chain->ctx, query, ret, err);
        if (status == BURSAR_OK && ret->nonce_pending > before && before >= ret->nonce_latest)
            ret->nonce_pending = before;
    }
    return status;
}

static enum bursar_status ask_node(struct init *init, struct bursar_error *err)
{
    struct treasury_config section = { 0 };
    struct node node = { 0 };
    struct chain_query query = { .account = init->account };
    (void)snprintf(section.rpc, sizeof section.rpc, "%s", init->start.rpc);
    enum bursar_status status = node_open(&node, &section, NODE_TIMEOUT_MS, NULL, NULL, err);
    if (status == BURSAR_OK)
        status = look_thrice(&node.chain, &query, &init->view, err);
    if (status == BURSAR_OK && (init->view.chain_id == 0 || init->view.chain_id > INT64_MAX))
        status = bursar_fail(err, BURSAR_EINVAL, "the node's chain id %llu can't be kept",
                             (unsigned long long)init->view.chain_id);
    init->start.chain_id = init->view.chain_id;
    node_close(&node);
    return status;
}

static enum bursar_status check_key(struct init *init, struct bursar_error *err)
{
    struct private_key *key;
    enum bursar_status status = keystore_open(init->start.keystore, init->start.password_file, &key, err);
    (void)malloc_trim(0);
    if (status != BURSAR_OK)
        return status;
    private_key_address(key, &init->account);
    private_key_free(key);
    return BURSAR_OK;
}

static enum bursar_status look_at_log(struct init *init, struct bursar_error *err)
{
    struct signing_log *log;
    enum bursar_status status = signing_log_path(init->start.keystore, init->start.chain_id, init->log_path, err);
    if (status != BURSAR_OK)
        return status;
    status = signing_log_open_read_only(init->log_path, init->start.chain_id, &init->account, &log, err);
    if (status == BURSAR_ENOTFOUND)
        return BURSAR_OK;
    if (status != BURSAR_OK)
        return status;
    init->has_log = true;
    signing_log_extent(log, &init->log);
    signing_log_close(log);
    return BURSAR_OK;
}

/* Where this treasury's nonces start (INV-12). A log with entries is never overridden. */
static enum bursar_status choose_first_nonce(struct init *init, struct bursar_error *err)
{
    uint64_t latest = init->view.nonce_latest, pending = init->view.nonce_pending;
    uint64_t sent = latest > pending ? latest : pending;
    if (init->log.entries > 0) {
        init->first_nonce = init->log.first_nonce;
        return BURSAR_OK;
    }
    init->first_nonce = sent;
    if (sent == 0 || init->adopt_account)
        return BURSAR_OK;
    char address[ADDRESS_TEXT_BYTES];
    address_to_text(&init->account, address);
    return bursar_fail(
        err, BURSAR_EREFUSED,
        "%s has sent %llu transactions on chain %llu, and there is no signing log of them here (%s). What "
        "it paid before is unknown and would be paid again if imported again. If its log lies elsewhere, "
        "put it there; else --adopt-account acknowledges this",
        address, (unsigned long long)sent, (unsigned long long)init->start.chain_id, init->log_path);
}

static bool says_the_same(const struct init *init)
{
    const struct treasury_config *read = &init->config->treasuries[0];
    const char *store_path;
    struct bursar_error ignored;
    return init->config->treasury_count == 1 && strcmp(read->rpc, init->start.rpc) == 0 &&
           strcmp(read->keystore, init->start.keystore) == 0 &&
           strcmp(read->password_file, init->start.password_file) == 0 && read->chain_id == init->start.chain_id &&
           config_sqlite_path(init->start.store_url, &store_path, &ignored) == BURSAR_OK &&
           strcmp(init->config->store_path, store_path) == 0;
}

static enum bursar_status read_text(const struct buf *text, char *const *environment, struct config **ret,
                                    struct bursar_error *err)
{
    FILE *file = fmemopen(text->data, text->length_bytes, "r");
    if (!file)
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    enum bursar_status status = config_read(file, CONFIG_NAME, environment, ret, err);
    (void)fclose(file);
    return status;
}

/* Writes the text, and reads it back before it is trusted: a path may hold what an INI file can't. */
static enum bursar_status make_config(struct init *init, struct buf *text, struct bursar_error *err)
{
    struct bursar_error reason = { 0 };
    struct config *effective;
    if (!config_write_start(text, &init->start))
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    if (read_text(text, NULL, &init->config, &reason) != BURSAR_OK || !says_the_same(init))
        return bursar_fail(
            err, BURSAR_EINVAL,
            "a URL or path can't be written into %s: it is too long, or holds ' #', ' ;' or a line break "
            "(%.200s)",
            CONFIG_NAME, reason.message);
    /* The epoch that is stored is the one that later commands will see, BURSAR_... variables included. */
    enum bursar_status status = read_text(text, environ, &effective, err);
    if (status != BURSAR_OK)
        return status;
    init->epoch = effective->treasuries[0].epoch;
    config_free(effective);
    return BURSAR_OK;
}

static enum bursar_status fill_store(const struct init *init, const struct store *store, struct bursar_error *err)
{
    char epoch[EPOCH_SOURCE_MAX_BYTES];
    int64_t id;
    const struct chain_view *view = &init->view;
    struct block_mark anchor = { .number = 0, .hash = view->genesis_hash };
    if (view->has_final)
        anchor = (struct block_mark){ .number = view->final.block.number, .hash = view->final.block.hash };
    config_epoch_text(&init->epoch, epoch);
    enum bursar_status status =
        store->treasury_add(store->ctx, TREASURY_NAME, init->start.chain_id, &init->account, epoch, &id, err);
    if (status == BURSAR_OK)
        status = store->treasury_pin(store->ctx, id, &view->genesis_hash, init->first_nonce, &anchor, &anchor, err);
    return status;
}

/* Takes back what this very run created and nobody can have used. */
static void remove_store(const char *path)
{
    static const char *const suffixes[] = { "", "-wal", "-shm" };
    char name[CONFIG_PATH_MAX_BYTES + 8];
    for (size_t i = 0; i < COUNT_OF(suffixes); i++) {
        (void)snprintf(name, sizeof name, "%s%s", path, suffixes[i]);
        (void)unlink(name);
    }
}

static enum bursar_status create_all(struct init *init, const struct buf *text, struct bursar_error *err)
{
    const char *store_path = init->config->store_path;
    struct sqlite_store *sqlite = NULL;
    enum bursar_status status =
        init->has_log ? BURSAR_OK : signing_log_create(init->log_path, init->start.chain_id, &init->account, err);
    if (status == BURSAR_OK)
        status = sqlite_store_create(store_path, &sqlite, err);
    if (status != BURSAR_OK)
        return status;
    struct store store = sqlite_store_interface(sqlite);
    status = fill_store(init, &store, err);
    sqlite_store_close(sqlite);
    if (status == BURSAR_OK)
        status = durable_file_create(CONFIG_NAME, text->data, text->length_bytes, err);
    if (status != BURSAR_OK)
        remove_store(store_path);
    return status;
}

static enum bursar_status init_all(struct init *init, struct bursar_error *err)
{
    const char *store_path;
    cleanup(buf_free) struct buf text = { 0 };
    enum bursar_status status = config_sqlite_path(init->start.store_url, &store_path, err);
    if (status == BURSAR_OK)
        status = check_free(init, store_path, err);
    if (status == BURSAR_OK)
        status = check_key(init, err);
    if (status == BURSAR_OK)
        status = ask_node(init, err);
    if (status == BURSAR_OK)
        status = look_at_log(init, err);
    if (status == BURSAR_OK)
        status = choose_first_nonce(init, err);
    if (status == BURSAR_OK)
        status = make_config(init, &text, err);
    if (status == BURSAR_OK)
        status = create_all(init, &text, err);
    return status;
}

static enum bursar_status report(const struct init *init, struct bursar_error *err)
{
    char address[ADDRESS_TEXT_BYTES];
    address_to_text(&init->account, address);
    if (init->log.entries > 0)
        output_message(
            "the signing log %s holds %llu signatures that the new store knows nothing of: nothing is paid until "
            "the store that made them is put back, or, if it is lost, its payment files are imported again and "
            "`bursar reconcile --adopt` has found out which of them are paid",
            init->log_path, (unsigned long long)init->log.entries);
    if (init->cli->json)
        return output_json(json_pack("{s:s,s:s,s:I,s:I,s:s,s:s,s:s}", "treasury", TREASURY_NAME, "address", address,
                                     "chain_id", (json_int_t)init->start.chain_id, "first_nonce",
                                     (json_int_t)init->first_nonce, "config", CONFIG_NAME, "store",
                                     init->start.store_url, "signing_log", init->log_path),
                           err);
    (void)printf(
        "treasury %s: %s on chain %llu\nwrote %s; `bursar pay FILE` imports payments, `bursar run` pays them\n",
        TREASURY_NAME, address, (unsigned long long)init->start.chain_id, CONFIG_NAME);
    return BURSAR_OK;
}

static int parse(struct init *init, int argc, char **argv)
{
    static const struct option options[] = { { "rpc", required_argument, NULL, OPTION_RPC },
                                             { "keystore", required_argument, NULL, OPTION_KEYSTORE },
                                             { "password-file", required_argument, NULL, OPTION_PASSWORD_FILE },
                                             { "store", required_argument, NULL, OPTION_STORE },
                                             { "adopt-account", no_argument, NULL, OPTION_ADOPT },
                                             CLI_LONG_OPTIONS };
    int option, code;
    while ((option = getopt_long(argc, argv, CLI_SHORT_OPTIONS, options, NULL)) != -1) {
        if (option == OPTION_RPC)
            init->start.rpc = optarg;
        else if (option == OPTION_KEYSTORE)
            init->start.keystore = optarg;
        else if (option == OPTION_PASSWORD_FILE)
            init->start.password_file = optarg;
        else if (option == OPTION_STORE)
            init->start.store_url = optarg;
        else if (option == OPTION_ADOPT)
            init->adopt_account = true;
        else if ((code = cli_common_option(init->cli, "init", option, argv)) >= 0)
            return code;
    }
    if ((code = cli_operands(init->cli, "init", argc, argv, 0, 0)) >= 0)
        return code;
    if (!init->start.rpc || !init->start.keystore || !init->start.password_file)
        return cli_usage(init->cli, "init", "--rpc, --keystore and --password-file are needed");
    if (init->cli->config_path || init->cli->treasury)
        return cli_usage(init->cli, "init", "init writes ./%s with a treasury %s: -c and --treasury do not apply",
                         CONFIG_NAME, TREASURY_NAME);
    init->start.keystore = relative(init->start.keystore);
    init->start.password_file = relative(init->start.password_file);
    return -1;
}

int cmd_init(struct cli *cli, int argc, char **argv)
{
    const char *store_url = getenv("BURSAR_STORE_URL"); /* later commands would look there */
    struct init init = { .cli = cli, .start.store_url = store_url ? store_url : "sqlite:bursar.db" };
    struct bursar_error err = { 0 };
    int code = parse(&init, argc, argv);
    if (code >= 0)
        return code;
    enum bursar_status status = init_all(&init, &err);
    if (status == BURSAR_OK)
        status = report(&init, &err);
    config_free(init.config);
    if (status != BURSAR_OK) {
        err.status = status;
        return output_error(cli->json, &err);
    }
    return EXIT_CODE_DONE;
}
