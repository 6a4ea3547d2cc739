/* The configuration file: every bound, every misspelling, every line number. */
#include "cli/config.h"
#include "cli/config_options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define TREASURY                                                                                                       \
    "[treasury main]\nchain_id = 31337\nrpc = http://127.0.0.1:8545\nkeystore = key.json\npassword_file = key.pass\n"
#define TREASURY_LINES 5

static enum bursar_status read_as(const char *path, const char *text, struct config **ret, struct bursar_error *err)
{
    FILE *file = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
    assert_non_null(file);
    enum bursar_status status = config_read(file, path, NULL, ret, err);
    fclose(file);
    return status;
}

static struct config *good(const char *text)
{
    struct config *config = NULL;
    struct bursar_error err = { 0 };
    if (read_as("bursar.conf", text, &config, &err) != BURSAR_OK)
        fail_msg("%s", err.message);
    return config;
}

static void assert_refused(const char *text, const char *const *named, size_t count)
{
    struct config *config = NULL;
    struct bursar_error err = { 0 };
    if (read_as("some.conf", text, &config, &err) == BURSAR_OK)
        fail_msg("was taken: %s", text);
    assert_int_equal(err.status, BURSAR_EINVAL);
    assert_null(config);
    for (size_t i = 0; i < count; i++) {
        if (!strstr(err.message, named[i]))
            fail_msg("'%s' does not name '%s'", err.message, named[i]);
    }
}
#define REFUSED(text, ...)                                                                                             \
    do {                                                                                                               \
        const char *const named_[] = { __VA_ARGS__ };                                                                  \
        assert_refused(text, named_, sizeof named_ / sizeof *named_);                                                  \
    } while (0)

static void defaults_are_those_of_the_manual(void **state)
{
    (void)state;
    struct config *config = good(TREASURY);
    assert_string_equal(config->store_path, "bursar.db");
    assert_int_equal(config->poll_interval_ms, 1000);
    assert_int_equal(config->lease_ttl_ms, 15000);
    assert_int_equal(config->batch_size, 100);
    assert_int_equal(config->rpc_timeout_ms, 10000);
    assert_int_equal(config->breaker_failure_threshold, 5);
    assert_int_equal(config->breaker_success_threshold, 2);
    assert_int_equal(config->breaker_timeout_s, 60);
    assert_int_equal(config->breaker_window_s, 300);
    assert_int_equal(config->max_fee_per_gas_wei, 200000000000);
    assert_int_equal(config->max_priority_fee_per_gas_wei, 2000000000);
    assert_int_equal(config->replace_after_blocks, 10);
    assert_string_equal(config->http_listen, "127.0.0.1:9478");
    assert_int_equal(config->log_level, NOTE_INFO);
    assert_int_equal(config->log_format, LOG_FORMAT_TEXT);
    assert_int_equal(config->treasury_count, 1);
    assert_int_equal(config->treasuries[0].max_in_flight, 64);
    assert_int_equal(config->treasuries[0].finality_blocks, 0);
    assert_int_equal(config->treasuries[0].epoch.kind, EPOCH_BLOCK);
    assert_int_equal(config->treasuries[0].epoch.length, 120);
    assert_true(strlen(config->identity) > 0);
    config_free(config);
}

/* Each numeric key at both ends of its range, and one beyond. */
static void every_bound_is_the_one_of_the_manual(void **state)
{
    (void)state;
    static const struct {
        const char *section, *key;
        uint64_t minimum, maximum;
        const char *range;
    } bounds[] = {
        { "executor", "poll_interval_ms", 10, 60000, "10-60000" },
        { "executor", "lease_ttl_ms", 500, 600000, "500-600000" },
        { "executor", "batch_size", 1, 1000, "1-1000" },
        { "executor", "rpc_timeout_ms", 100, 120000, "100-120000" },
        { "breaker", "failure_threshold", 1, 1000, "1-1000" },
        { "breaker", "success_threshold", 1, 1000, "1-1000" },
        { "breaker", "timeout_s", 1, 86400, "1-86400" },
        { "breaker", "window_s", 1, 86400, "1-86400" },
        { "treasury main", "max_in_flight", 1, 100000, "1-100000" },
    };
    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++) {
        const uint64_t inside[] = { bounds[i].minimum, bounds[i].maximum };
        const uint64_t outside[] = { bounds[i].minimum - 1, bounds[i].maximum + 1 };
        for (int k = 0; k < 2; k++) {
            char text[512], line[16];
            (void)snprintf(text, sizeof text, TREASURY "[%s]\n%s = %llu\n", bounds[i].section, bounds[i].key,
                           (unsigned long long)inside[k]);
            config_free(good(text));
            (void)snprintf(text, sizeof text, TREASURY "[%s]\n%s = %llu\n", bounds[i].section, bounds[i].key,
                           (unsigned long long)outside[k]);
            (void)snprintf(line, sizeof line, ":%d:", TREASURY_LINES + 2);
            REFUSED(text, "some.conf", line, bounds[i].key, bounds[i].range);
        }
    }
}

static void a_number_is_digits_only(void **state)
{
    (void)state;
    REFUSED(TREASURY "[executor]\nbatch_size = ten\n", "batch_size", "ten", "1-1000");
    REFUSED(TREASURY "[executor]\nbatch_size = 10x\n", "10x");
    REFUSED(TREASURY "[executor]\nbatch_size = -1\n", "-1");
    REFUSED(TREASURY "[executor]\nbatch_size =\n", "batch_size", "1-1000");
    REFUSED(TREASURY "[executor]\nbatch_size = 18446744073709551617\n", "batch_size");
}

static void an_unknown_key_names_its_line_and_section(void **state)
{
    (void)state;
    REFUSED("# first\n\n" TREASURY "\n[executor]\nbatch_sise = 10\n", "some.conf:10:", "batch_sise", "executor");
    REFUSED(TREASURY "frob = 1\n", "some.conf:6:", "frob", "treasury");
    REFUSED("url = sqlite:x\n" TREASURY, "some.conf:1:", "url");
}

static void an_unknown_section_names_its_line(void **state)
{
    (void)state;
    REFUSED(TREASURY "[frob]\nx = 1\n", "some.conf:6:", "frob");
    REFUSED(TREASURY "[frob]\n", "some.conf:6:", "frob");
    REFUSED(TREASURY "[treasury]\n", "some.conf:6:", "[treasury main]");
    REFUSED(TREASURY "[treasury Main]\n", "some.conf:6:", "a-z");
    REFUSED(TREASURY "[executor\nbatch_size = 1\n", "some.conf:6:");
}

static void a_repeated_key_names_both_lines(void **state)
{
    (void)state;
    REFUSED(TREASURY "chain_id = 1\n", "some.conf:6:", "chain_id", "line 2");
    REFUSED(TREASURY "[executor]\nbatch_size = 1\n[log]\n[executor]\nbatch_size = 2\n", "some.conf:10:", "line 7");
}

static void a_line_that_is_no_pair_is_refused(void **state)
{
    (void)state;
    REFUSED(TREASURY "[executor]\nbatch_size 10\n", "some.conf:7:");
    REFUSED(TREASURY "[executor]\nbatch_size: 10\n", "some.conf:7:");
    REFUSED(TREASURY "  stray\n", "some.conf:6:");
    REFUSED("\177ELF\001\n", "some.conf:1:");
}

static void what_is_missing_is_named(void **state)
{
    (void)state;
    REFUSED("", "no [treasury NAME]");
    REFUSED("[treasury main]\nrpc = http://a\nkeystore = k\npassword_file = p\n", "some.conf:1:", "chain_id");
    REFUSED("[treasury main]\nchain_id = 1\nkeystore = k\npassword_file = p\n", "rpc");
    REFUSED("[treasury main]\nchain_id = 1\nrpc = http://a\npassword_file = p\n", "keystore");
    REFUSED("[treasury main]\nchain_id = 1\nrpc = http://a\nkeystore = k\n", "password_file");
    REFUSED("[treasury main]\nchain_id = 1\nrpc =\nkeystore = k\npassword_file = p\n", "rpc");
}

static void comments_are_cut_off_but_not_out_of_values(void **state)
{
    (void)state;
    struct config *config = good("# a\n[store]   # b\nurl = sqlite:a#b.db     # c\n; d\n   # e\n" TREASURY
                                 "[executor]\nidentity =      # default: host name + pid\n  batch_size = 7 #x\n");
    assert_string_equal(config->store_path, "a#b.db");
    assert_int_equal(config->batch_size, 7);
    assert_true(strlen(config->identity) > 0);
    config_free(config);
}

static void windows_line_ends_and_a_byte_order_mark_are_fine(void **state)
{
    (void)state;
    struct config *config = good("\xef\xbb\xbf[treasury main]\r\nchain_id = 5\r\nrpc = https://a\r\nkeystore = k\r\n"
                                 "password_file = p\r\n");
    assert_int_equal(config->treasuries[0].chain_id, 5);
    assert_string_equal(config->treasuries[0].password_file, "p");
    config_free(config);
}

static void rpc_goes_on_in_indented_lines(void **state)
{
    (void)state;
    struct config *config =
        good("[treasury main]\nchain_id = 1\nrpc = http://a   http://b?x=1\n  https://c # last\n\tkeystore = k\n"
             "password_file = p\n");
    assert_string_equal(config->treasuries[0].rpc, "http://a http://b?x=1 https://c");
    assert_int_equal(config_url_count(&config->treasuries[0]), 3);
    config_free(config);
    config = good("[treasury main]\nrpc =\n  http://a\n  http://b\nchain_id = 1\nkeystore = k\npassword_file = p\n");
    assert_string_equal(config->treasuries[0].rpc, "http://a http://b");
    config_free(config);
    REFUSED(TREASURY "  more\n", "some.conf:6:", "password_file");
}

#define NODES(urls, rest) "[treasury main]\nchain_id = 1\nrpc = " urls "\nkeystore = k\npassword_file = p\n" rest

static size_t quorum_of(const char *text)
{
    struct config *config = good(text);
    size_t quorum = config_quorum(&config->treasuries[0]);
    config_free(config);
    return quorum;
}

static void a_quorum_is_one_of_up_to_two_nodes_and_a_majority_of_more(void **state)
{
    (void)state;
    assert_int_equal(quorum_of(NODES("http://a", "")), 1);
    assert_int_equal(quorum_of(NODES("http://a http://b", "")), 1);
    assert_int_equal(quorum_of(NODES("http://a http://b http://c", "")), 2);
    assert_int_equal(quorum_of(NODES("http://a http://b http://c http://d", "")), 3);
    assert_int_equal(quorum_of(NODES("http://a http://b http://c http://d", "quorum =\n")), 3);
    assert_int_equal(quorum_of(NODES("http://a http://b", "quorum = 2\n")), 2);
    assert_int_equal(quorum_of(NODES("http://a http://b http://c", "quorum = 1\n")), 1);
}

static void a_quorum_larger_than_the_number_of_nodes_is_refused_with_its_line_and_range(void **state)
{
    (void)state;
    REFUSED(NODES("http://a http://b", "quorum = 3\n"), "some.conf:6:", "quorum", "'3'", "1-2");
    REFUSED(NODES("http://a", "quorum = 2\n"), "some.conf:6:", "quorum", "1-1");
    REFUSED(NODES("http://a http://b", "quorum = 0\n"), "some.conf:6:", "quorum");
    REFUSED(NODES("http://a http://b", "quorum = most\n"), "some.conf:6:", "quorum", "number of rpc URLs");
}

static void a_url_must_be_http_and_is_never_shown(void **state)
{
    (void)state;
    struct config *config = NULL;
    struct bursar_error err = { 0 };
    assert_int_equal(read_as("some.conf", "[treasury main]\nrpc = ftp://user:secret@host\n", &config, &err),
                     BURSAR_EINVAL);
    assert_non_null(strstr(err.message, "http://"));
    assert_null(strstr(err.message, "secret"));
    REFUSED("[treasury main]\nrpc = http://\n", "rpc");
}

static void a_line_that_the_reader_would_cut_is_refused(void **state)
{
    (void)state;
    char text[1024] = "[treasury main]\nkeystore = ";
    memset(text + strlen(text), 'k', 190);
    REFUSED(text, "some.conf:2:", "longer");
    static char fits[6000];
    (void)snprintf(fits, sizeof fits, "[store]\nurl = sqlite:%.*s", 150, text + 40);
    size_t end = strlen(fits);
    memcpy(fits + end, "   # ", 5); /* a long comment does not count */
    memset(fits + end + 5, 'c', 3000);
    (void)snprintf(fits + end + 3005, sizeof fits - end - 3005, "\n" TREASURY);
    config_free(good(fits));
    memset(fits + end + 5, 'c', 5000);
    fits[end + 5005] = 0;
    REFUSED(fits, "some.conf:2:", "longer");
}

static void a_file_with_nul_bytes_is_refused(void **state)
{
    (void)state;
    static char zeros[4096];
    struct config *config = NULL;
    struct bursar_error err = { 0 };
    FILE *file = fmemopen(zeros, sizeof zeros, "r");
    assert_non_null(file);
    assert_int_equal(config_read(file, "some.conf", NULL, &config, &err), BURSAR_EINVAL);
    fclose(file);
}

static void fees_need_their_unit(void **state)
{
    (void)state;
    struct config *config = good(TREASURY "[fees]\nmax_fee_per_gas = 1.5gwei\nmax_priority_fee_per_gas = 7 wei\n");
    assert_int_equal(config->max_fee_per_gas_wei, 1500000000);
    assert_int_equal(config->max_priority_fee_per_gas_wei, 7);
    config_free(config);
    REFUSED(TREASURY "[fees]\nmax_fee_per_gas = 200\n", "max_fee_per_gas", "gwei");
    REFUSED(TREASURY "[fees]\nmax_fee_per_gas = 0wei\n", "max_fee_per_gas");
    REFUSED(TREASURY "[fees]\nmax_fee_per_gas = 1000001gwei\n", "1000000gwei");
    REFUSED(TREASURY "[fees]\nmax_fee_per_gas = 1.5wei\n", "max_fee_per_gas");
    REFUSED(TREASURY "[fees]\nmax_fee_per_gas = gwei\n", "max_fee_per_gas");
}

static void a_priority_fee_above_the_maximum_is_refused_but_the_default_gives_way(void **state)
{
    (void)state;
    REFUSED(TREASURY "[fees]\nmax_priority_fee_per_gas = 201gwei\n", "some.conf:7:", "max_fee_per_gas");
    struct config *config = good(TREASURY "[fees]\nmax_fee_per_gas = 1gwei\n");
    assert_int_equal(config->max_priority_fee_per_gas_wei, 1000000000);
    config_free(config);
}

static void finality_and_epoch_have_their_forms(void **state)
{
    (void)state;
    struct config *config = good(TREASURY "finality = 12\nepoch = time/3600\n");
    char text[EPOCH_SOURCE_MAX_BYTES];
    assert_int_equal(config->treasuries[0].finality_blocks, 12);
    config_epoch_text(&config->treasuries[0].epoch, text);
    assert_string_equal(text, "time/3600");
    config_free(config);
    REFUSED(TREASURY "finality = safe\n", "finalized");
    REFUSED(TREASURY "finality = 0\n", "finality");
    REFUSED(TREASURY "epoch = block\n", "block/N");
    REFUSED(TREASURY "epoch = block/0\n", "epoch");
    REFUSED(TREASURY "epoch = hour/1\n", "epoch");
}

static void choices_and_addresses_are_checked(void **state)
{
    (void)state;
    REFUSED(TREASURY "[log]\nlevel = loud\n", "level", "debug");
    REFUSED(TREASURY "[log]\nformat = xml\n", "format", "json");
    REFUSED(TREASURY "[http]\nlisten = 9478\n", "listen");
    REFUSED(TREASURY "[http]\nlisten = 127.0.0.1:0\n", "1-65535");
    REFUSED(TREASURY "[http]\nlisten = 127.0.0.1:65536\n", "1-65535");
    struct config *config = good(TREASURY "[http]\nlisten = [::1]:80\n[log]\nlevel = debug\nformat = json\n");
    assert_string_equal(config->http_listen, "[::1]:80");
    assert_int_equal(config->log_level, NOTE_DEBUG);
    assert_int_equal(config->log_format, LOG_FORMAT_JSON);
    config_free(config);
}

static void relative_paths_start_at_the_files_folder(void **state)
{
    (void)state;
    struct config *config = NULL;
    struct bursar_error err = { 0 };
    assert_int_equal(read_as("/etc/bursar/x.conf", "[store]\nurl = sqlite:/var/b.db\n" TREASURY, &config, &err),
                     BURSAR_OK);
    assert_string_equal(config->store_path, "/var/b.db");
    assert_string_equal(config->treasuries[0].keystore, "/etc/bursar/key.json");
    assert_string_equal(config->treasuries[0].password_file, "/etc/bursar/key.pass");
    config_free(config);
    assert_int_equal(read_as("sub/x.conf", TREASURY, &config, &err), BURSAR_OK);
    assert_string_equal(config->store_path, "sub/bursar.db");
    config_free(config);
}

static void a_postgresql_store_comes_later(void **state)
{
    (void)state;
    REFUSED("[store]\nurl = postgresql://u@h/d\n" TREASURY, "some.conf:2:", "later", "sqlite:");
    REFUSED("[store]\nurl = bursar.db\n" TREASURY, "sqlite:");
}

static void one_account_on_one_chain_is_one_treasury(void **state)
{
    (void)state;
#define OTHER(id) "[treasury other]\nchain_id = " id "\nrpc = http://b\nkeystore = key.json\npassword_file = p\n"
    REFUSED(TREASURY OTHER("31337"), "some.conf:6:", "main", "other");
    struct config *config = good(TREASURY OTHER("1"));
    assert_int_equal(config->treasury_count, 2);
    assert_string_equal(config->treasuries[1].name, "other");
    config_free(config);
}

static void what_init_writes_reads_back_with_defaults(void **state)
{
    (void)state;
    struct config_start start = { .store_url = "sqlite:b.db",
                                  .chain_id = 31337,
                                  .rpc = "http://127.0.0.1:8545",
                                  .keystore = "key.json",
                                  .password_file = "key.pass" };
    struct buf text = { 0 };
    assert_true(config_write_start(&text, &start));
    struct config *config = good(text.data);
    assert_int_equal(config->treasuries[0].chain_id, 31337);
    assert_string_equal(config->store_path, "b.db");
    /* the commented lines are true as well */
    for (char *c = strchr(text.data, '\n'); (c = strstr(c, "\n# "));)
        memmove(c + 1, c + 3, strlen(c + 3) + 1);
    struct config *spelt_out = good(text.data);
    assert_int_equal(spelt_out->max_fee_per_gas_wei, config->max_fee_per_gas_wei);
    assert_int_equal(spelt_out->lease_ttl_ms, config->lease_ttl_ms);
    config_free(spelt_out);
    config_free(config);
    buf_free(&text);
}

static void help_explains_every_key(void **state)
{
    (void)state;
    struct buf text = { 0 };
    assert_true(config_write_help(&text));
    for (size_t i = 0; i < CONFIG_OPTION_COUNT; i++)
        assert_non_null(strstr(text.data, CONFIG_OPTIONS[i].key));
    buf_free(&text);
}

static void a_missing_file_is_named(void **state)
{
    (void)state;
    struct config *config = NULL;
    struct bursar_error err = { 0 };
    assert_int_equal(config_load("/nonexistent/x.conf", NULL, &config, &err), BURSAR_ENOTFOUND);
    assert_non_null(strstr(err.message, "/nonexistent/x.conf"));
}

#define TOKEN_TEXT "0x5FbDB2315678afecb367f032d93F642f64180aa3"
#define ASSET "[asset usdc]\ntoken = " TOKEN_TEXT "\n"
#define SECOND "[treasury base]\nchain_id = 8453\nrpc = http://b\nkeystore = b.json\npassword_file = b.pass\n"

static void an_asset_is_a_name_for_a_token(void **state)
{
    (void)state;
    struct config *config = good(TREASURY ASSET "[asset gas_0]\ntoken = 0x00000000000000000000000000000000000000aa\n"
                                                "decimals = 0\nchain_id = 5\n");
    const struct asset_config *asset = config_asset_named(config, "usdc, and more", 4);
    assert_non_null(asset);
    assert_int_equal(asset->chain_id, 31337); /* the treasury's */
    assert_int_equal(asset->token.bytes[0], 0x5f);
    assert_false(asset->has_decimals);
    assert_ptr_equal(config_asset_of(config, 31337, &asset->token), asset);
    assert_null(config_asset_of(config, 5, &asset->token));
    asset = config_asset_named(config, "gas_0", 5);
    assert_true(asset && asset->has_decimals && asset->decimals == 0 && asset->chain_id == 5);
    assert_null(config_asset_named(config, "usd", 3));
    config_free(config);
}

static void an_asset_that_is_not_understood_is_refused(void **state)
{
    (void)state;
    REFUSED(TREASURY "[asset]\n", "some.conf:6:", "[asset usdc]");
    REFUSED(TREASURY "[asset USDC]\n", "some.conf:6:", "[asset NAME]", "a-z");
    REFUSED(TREASURY "[asset native]\n", "some.conf:6:", "native is the coin");
    REFUSED(TREASURY "[asset 0xab]\n", "some.conf:6:", "begins an address");
    REFUSED(TREASURY "[asset usdc]\n", "some.conf:6:", "[asset usdc] lacks token");
    REFUSED(TREASURY "[asset usdc]\ntoken = usdc\n", "some.conf:7:", "token", "not an address");
    REFUSED(TREASURY "[asset usdc]\ntoken = 0x5fbDB2315678afecb367f032d93F642f64180aa3\n", "some.conf:7:", "EIP-55");
    REFUSED(TREASURY ASSET "decimals = 78\n", "some.conf:8:", "decimals", "0-77");
    REFUSED(TREASURY ASSET "decimals = six\n", "some.conf:8:", "decimals", "six");
    REFUSED(TREASURY ASSET "chain_id = 0\n", "some.conf:8:", "chain_id", "a number from 1");
    REFUSED(TREASURY ASSET "symbol = USDC\n", "some.conf:8:", "symbol", "[asset]");
    REFUSED(TREASURY ASSET "token = " TOKEN_TEXT "\n", "some.conf:8:", "line 7");
    REFUSED(TREASURY ASSET "[asset usd]\ntoken = " TOKEN_TEXT "\n", "some.conf:8:", "[asset usd]", "[asset usdc]",
            "line 6");
}

static void an_asset_says_its_chain_where_there_is_more_than_one(void **state)
{
    (void)state;
    REFUSED(TREASURY SECOND ASSET, "some.conf:11:", "[asset usdc] lacks chain_id");
    struct config *config = good(TREASURY SECOND ASSET "chain_id = 8453\n[asset usdc_main]\nchain_id = 31337\n"
                                                       "token = " TOKEN_TEXT "\n");
    assert_int_equal(config_asset_named(config, "usdc", 4)->chain_id, 8453);
    assert_int_equal(config_asset_named(config, "usdc_main", 9)->chain_id, 31337);
    config_free(config);
}

#define WEBHOOK "[webhook ops]\nurl = https://ops.example/hook?key=hidden\nsecret_file = ops.secret\n"

static void a_webhook_is_for_all_unless_told_otherwise(void **state)
{
    (void)state;
    struct config *config = good(TREASURY WEBHOOK "[webhook more]\nurl = http://127.0.0.1:9\nsecret_file = /etc/s\n"
                                                  "events = included final_revert\ntreasuries = main\nretry_ms = 10\n");
    assert_int_equal(config->webhook_count, 2);
    const struct webhook_settings *ops = &config->webhooks[0], *more = &config->webhooks[1];
    assert_string_equal(ops->name, "ops");
    assert_string_equal(ops->events, "");
    assert_string_equal(ops->treasuries, "");
    assert_string_equal(ops->ca_file, "");
    assert_int_equal(ops->timeout_ms, 10000);
    assert_int_equal(ops->retry_ms, 1000);
    assert_int_equal(ops->retry_max_ms, 60000);
    assert_string_equal(more->secret_file, "/etc/s");
    assert_int_equal(more->retry_ms, 10);
    uint64_t causes = 0;
    assert_int_equal(webhook_causes(more->events, &causes, NULL), BURSAR_OK);
    assert_int_equal(causes, UINT64_C(1) << CAUSE_INCLUDED | UINT64_C(1) << CAUSE_FINAL_REVERT);
    assert_true(webhook_has_word("a bc  d", "bc"));
    assert_false(webhook_has_word("a bc  d", "b"));
    config_free(config);
}

static void a_webhook_that_is_not_understood_is_refused(void **state)
{
    (void)state;
    REFUSED(TREASURY "[webhook]\n", "some.conf:6:", "[webhook ops]");
    REFUSED(TREASURY "[webhook Ops]\n", "some.conf:6:", "[webhook NAME]");
    REFUSED(TREASURY "[webhook ops]\n", "some.conf:6:", "[webhook ops] lacks url");
    REFUSED(TREASURY "[webhook ops]\nurl = http://ops.example\n", "some.conf:6:", "lacks secret_file");
    REFUSED(TREASURY "[webhook ops]\nurl = ftp://ops.example\n", "some.conf:7:", "url", "http://");
    REFUSED(TREASURY WEBHOOK "events = payed\n", "some.conf:9:", "events", "'payed'");
    REFUSED(TREASURY WEBHOOK "treasuries = main other\n", "some.conf:6:", "no [treasury other]");
    REFUSED(TREASURY WEBHOOK "timeout_ms = 99\n", "some.conf:9:", "100-60000");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_asset_is_a_name_for_a_token),
        cmocka_unit_test(an_asset_that_is_not_understood_is_refused),
        cmocka_unit_test(an_asset_says_its_chain_where_there_is_more_than_one),
        cmocka_unit_test(defaults_are_those_of_the_manual),
        cmocka_unit_test(every_bound_is_the_one_of_the_manual),
        cmocka_unit_test(a_number_is_digits_only),
        cmocka_unit_test(an_unknown_key_names_its_line_and_section),
        cmocka_unit_test(an_unknown_section_names_its_line),
        cmocka_unit_test(a_repeated_key_names_both_lines),
        cmocka_unit_test(a_line_that_is_no_pair_is_refused),
        cmocka_unit_test(what_is_missing_is_named),
        cmocka_unit_test(comments_are_cut_off_but_not_out_of_values),
        cmocka_unit_test(windows_line_ends_and_a_byte_order_mark_are_fine),
        cmocka_unit_test(rpc_goes_on_in_indented_lines),
        cmocka_unit_test(a_quorum_is_one_of_up_to_two_nodes_and_a_majority_of_more),
        cmocka_unit_test(a_quorum_larger_than_the_number_of_nodes_is_refused_with_its_line_and_range),
        cmocka_unit_test(a_url_must_be_http_and_is_never_shown),
        cmocka_unit_test(a_line_that_the_reader_would_cut_is_refused),
        cmocka_unit_test(a_file_with_nul_bytes_is_refused),
        cmocka_unit_test(fees_need_their_unit),
        cmocka_unit_test(a_priority_fee_above_the_maximum_is_refused_but_the_default_gives_way),
        cmocka_unit_test(finality_and_epoch_have_their_forms),
        cmocka_unit_test(choices_and_addresses_are_checked),
        cmocka_unit_test(relative_paths_start_at_the_files_folder),
        cmocka_unit_test(a_postgresql_store_comes_later),
        cmocka_unit_test(one_account_on_one_chain_is_one_treasury),
        cmocka_unit_test(what_init_writes_reads_back_with_defaults),
        cmocka_unit_test(help_explains_every_key),
        cmocka_unit_test(a_missing_file_is_named),
        cmocka_unit_test(a_webhook_is_for_all_unless_told_otherwise),
        cmocka_unit_test(a_webhook_that_is_not_understood_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
