/* Reads the file twice: first for its tokens alone, so that the chain is asked about all of them at once and while
 * nobody waits for the store; the rows come after that. */
#include "service/file_tokens.h"

#include "base/cleanup.h"
#include "service/token_read.h"
#include "eth/address.h"
#include "payfile/text.h"

#include <stdlib.h>
#include <string.h>

void file_tokens_free(struct file_tokens *tokens)
{
    free(tokens->tokens);
    *tokens = (struct file_tokens){ 0 };
}

/* -- from text to token -- */

static enum bursar_status token_of_text(const struct file_tokens *tokens, const char *text, size_t length_bytes,
                                        struct bursar_address *ret, struct bursar_error *err)
{
    const struct asset_config *asset =
        asset_named(tokens->settings->names.assets, tokens->settings->names.count, text, length_bytes);
    uint64_t chain_id = tokens->treasury->chain_id;
    char shown[EXCERPT_BYTES];
    if (length_bytes >= 2 && memcmp(text, "0x", 2) == 0)
        return address_from_text(text, length_bytes, ret, err);
    if (!asset)
        return bursar_fail(err, BURSAR_EINVAL,
                           "is \"%s\": neither native, nor the address of a token (0x...), nor the NAME of an [asset "
                           "NAME] section in bursar.conf",
                           text_excerpt((struct text){ text, length_bytes }, shown));
    if (asset->chain_id != chain_id)
        return bursar_fail(err, BURSAR_EINVAL,
                           "is %s, which bursar.conf says is on chain %llu; this treasury is on %llu", asset->name,
                           (unsigned long long)asset->chain_id, (unsigned long long)chain_id);
    *ret = asset->token;
    return BURSAR_OK;
}

static int compare_tokens(const void *key, const void *element)
{
    const struct bursar_address *wanted = key;
    const struct file_token *token = element;
    return memcmp(wanted, &token->token, sizeof *wanted);
}

static struct file_token *find(const struct file_tokens *tokens, const struct bursar_address *token)
{
    return tokens->count ? bsearch(token, tokens->tokens, tokens->count, sizeof *tokens->tokens, compare_tokens) : NULL;
}

/* -- collecting -- */

static enum bursar_status insert(struct file_tokens *tokens, const struct bursar_address *token,
                                 struct bursar_error *err)
{
    size_t at = 0;
    if (tokens->count == FILE_TOKENS_MAX_COUNT)
        return bursar_fail(err, BURSAR_ELIMIT, "the file pays with more than %d tokens: split it",
                           FILE_TOKENS_MAX_COUNT);
    if (!tokens->tokens && !(tokens->tokens = calloc(FILE_TOKENS_MAX_COUNT, sizeof *tokens->tokens)))
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    while (at < tokens->count && memcmp(&tokens->tokens[at].token, token, sizeof *token) < 0)
        at++;
    memmove(&tokens->tokens[at + 1], &tokens->tokens[at], (tokens->count - at) * sizeof *tokens->tokens);
    tokens->tokens[at] = (struct file_token){ .token = *token };
    tokens->count++;
    return BURSAR_OK;
}

/* What is wrong with a text is told when the rows are read. */
static enum bursar_status collect(void *ctx, const char *text, size_t length_bytes, struct payfile_asset *ret,
                                  struct bursar_error *err)
{
    struct file_tokens *tokens = ctx;
    struct bursar_address token;
    struct bursar_error ignored;
    *ret = (struct payfile_asset){ 0 };
    if (token_of_text(tokens, text, length_bytes, &token, &ignored) != BURSAR_OK || find(tokens, &token))
        return BURSAR_OK;
    return insert(tokens, &token, err);
}

static void ignore_error(void *ctx, const struct payfile_error *error)
{
    (void)ctx;
    (void)error;
}

static enum bursar_status collect_all(struct file_tokens *tokens, FILE *file, struct bursar_error *err)
{
    const struct payfile_options options = { .only_assets = true };
    const struct payfile_handlers handlers = { .ctx = tokens, .asset = collect, .error = ignore_error };
    enum bursar_status status = payfile_read(file, &options, &handlers, err);
    if (status == BURSAR_EUNREACHABLE) /* of a file on this machine: told when the rows are read */
        status = BURSAR_OK;
    if (status == BURSAR_OK && fseek(file, 0, SEEK_SET) != 0)
        status = bursar_fail(err, BURSAR_EINVAL, "the payment file can't be read from its start again");
    return status;
}

/* -- knowing -- */

static enum bursar_status look_up(struct file_tokens *tokens, bool *ret_all_pinned, struct bursar_error *err)
{
    const struct store *store = tokens->store;
    *ret_all_pinned = true;
    for (size_t i = 0; i < tokens->count; i++) {
        struct file_token *token = &tokens->tokens[i];
        enum bursar_status status =
            store->token_decimals(store->ctx, tokens->treasury->id, &token->token, &token->pinned_decimals, err);
        if (status != BURSAR_OK && status != BURSAR_ENOTFOUND)
            return status;
        token->is_pinned = status == BURSAR_OK;
        token->decimals = token->pinned_decimals;
        *ret_all_pinned = *ret_all_pinned && token->is_pinned;
    }
    return BURSAR_OK;
}

/* Takes what the chain says of a token, if it can be used. */
static void judge(struct file_token *token, const struct chain_token *found, uint64_t chain_id)
{
    char text[ADDRESS_TEXT_BYTES];
    address_to_text(&token->token, text);
    if (!found->has_code)
        (void)snprintf(token->problem, sizeof token->problem, "is %s, but there is no contract at it on chain %llu",
                       text, (unsigned long long)chain_id);
    else if (!found->has_decimals)
        (void)snprintf(token->problem, sizeof token->problem,
                       "is %s, a contract that does not say how many decimals it has: no ERC-20 token that can be paid",
                       text);
    else if (found->decimals > TOKEN_DECIMALS_MAX)
        (void)snprintf(token->problem, sizeof token->problem,
                       "is %s, which says that it has %u decimals; an amount can have %d", text, found->decimals,
                       TOKEN_DECIMALS_MAX);
    else if (token->is_pinned && token->pinned_decimals != found->decimals)
        (void)snprintf(token->problem, sizeof token->problem,
                       "is %s, which had %u decimals when it was first paid with, and says %u now: what an amount "
                       "means is not certain any more; find out what has become of the token first",
                       text, token->pinned_decimals, found->decimals);
    token->decimals = found->decimals;
}

/* A person's own word, where there is one, must be the token's. */
static void compare_with_config(const struct file_tokens *tokens, struct file_token *token)
{
    const struct asset_config *asset = asset_of(tokens->settings->names.assets, tokens->settings->names.count,
                                                tokens->treasury->chain_id, &token->token);
    if (asset && asset->has_decimals && asset->decimals != token->decimals && !token->problem[0])
        (void)snprintf(token->problem, sizeof token->problem,
                       "is %s, which has %u decimals, but [asset %s] in bursar.conf says %u", asset->name,
                       token->decimals, asset->name, asset->decimals);
}

static enum bursar_status ask_chain(struct file_tokens *tokens, bool all_pinned, struct bursar_error *err)
{
    struct bursar_error why = { 0 };
    struct chain_token *found = calloc(tokens->count, sizeof *found);
    struct bursar_address *addresses = calloc(tokens->count, sizeof *addresses);
    enum bursar_status status = BURSAR_ENOMEM;
    if (found && addresses) {
        for (size_t i = 0; i < tokens->count; i++)
            addresses[i] = tokens->tokens[i].token;
        status = token_read(tokens->settings, tokens->treasury, all_pinned, addresses, tokens->count, found, &why);
    }
    for (size_t i = 0; i < tokens->count && status == BURSAR_OK; i++)
        judge(&tokens->tokens[i], &found[i], tokens->treasury->chain_id);
    free(found);
    free(addresses);
    if (status == BURSAR_OK || all_pinned) /* a failed read is no fact (INV-5), and what is pinned stays what it is */
        return BURSAR_OK;
    return bursar_fail(
        err, status, "the decimals of a token that is new here must be read from the chain first: %.350s", why.message);
}

enum bursar_status file_tokens_find(const struct store *store, const struct treasury_settings *settings,
                                    const struct treasury *treasury, FILE *file, struct file_tokens *ret,
                                    struct bursar_error *err)
{
    bool all_pinned = true;
    *ret = (struct file_tokens){ .store = store, .settings = settings, .treasury = treasury };
    enum bursar_status status = collect_all(ret, file, err);
    if (status == BURSAR_OK)
        status = look_up(ret, &all_pinned, err);
    if (status == BURSAR_OK && ret->count > 0)
        status = ask_chain(ret, all_pinned, err);
    for (size_t i = 0; i < ret->count && status == BURSAR_OK; i++)
        compare_with_config(ret, &ret->tokens[i]);
    return status;
}

enum bursar_status file_tokens_asset(void *ctx, const char *text, size_t length_bytes, struct payfile_asset *ret,
                                     struct bursar_error *err)
{
    const struct file_tokens *tokens = ctx;
    struct bursar_address address;
    enum bursar_status status = token_of_text(tokens, text, length_bytes, &address, err);
    if (status != BURSAR_OK)
        return status;
    const struct file_token *token = find(tokens, &address);
    if (!token)
        return bursar_fail(err, BURSAR_EINTERNAL, "the file has changed while it was being read");
    if (token->problem[0])
        return bursar_fail(err, BURSAR_EINVAL, "%s", token->problem);
    *ret = (struct payfile_asset){ .asset = { .is_token = true, .token = address }, .decimals = token->decimals };
    return BURSAR_OK;
}

enum bursar_status file_tokens_pin(const struct file_tokens *tokens, struct bursar_error *err)
{
    enum bursar_status status = BURSAR_OK;
    for (size_t i = 0; i < tokens->count && status == BURSAR_OK; i++) {
        const struct file_token *token = &tokens->tokens[i];
        const struct store *store = tokens->store;
        if (!token->is_pinned && !token->problem[0])
            status = store->import_pin(store->ctx, &token->token, token->decimals, err);
    }
    return status;
}
