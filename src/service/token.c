/* See token.h. */
#include "service/token.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "service/json_values.h"

#include <errno.h>
#include <nettle/memops.h>
#include <nettle/sha2.h>
#include <string.h>
#include <sys/random.h>

static const char PREFIX[] = "bursar_";
#define PREFIX_LENGTH (sizeof PREFIX - 1)

static const struct {
    const char *name;
    enum token_scope scope;
} SCOPES[] = { { "read", TOKEN_SCOPE_READ }, { "pay", TOKEN_SCOPE_PAY }, { "operate", TOKEN_SCOPE_OPERATE } };

void token_text(int64_t id, const uint8_t secret[TOKEN_SECRET_BYTES], char ret[TOKEN_TEXT_BYTES])
{
    char digits[2 * TOKEN_SECRET_BYTES + 1];
    hex_encode(secret, TOKEN_SECRET_BYTES, digits);
    (void)snprintf(ret, TOKEN_TEXT_BYTES, "%s%lld_%s", PREFIX, (long long)id, digits);
    explicit_bzero(digits, sizeof digits);
}

bool token_parse(const char *text, int64_t *ret_id, uint8_t ret_secret[TOKEN_SECRET_BYTES])
{
    uint64_t id;
    if (strncmp(text, PREFIX, PREFIX_LENGTH) != 0)
        return false;
    const char *number = text + PREFIX_LENGTH;
    size_t length = strcspn(number, "_");
    if (number[length] != '_' || !u64_from_text(number, length, 1, INT64_MAX, &id))
        return false;
    const char *digits = number + length + 1;
    if (!hex_decode(digits, strlen(digits), ret_secret, TOKEN_SECRET_BYTES))
        return false;
    *ret_id = (int64_t)id;
    return true;
}

void token_hash(const uint8_t secret[TOKEN_SECRET_BYTES], struct bursar_hash *ret)
{
    struct sha256_ctx sha;
    sha256_init(&sha);
    sha256_update(&sha, TOKEN_SECRET_BYTES, secret);
    sha256_digest(&sha, sizeof ret->bytes, ret->bytes);
    explicit_bzero(&sha, sizeof sha);
}

bool token_scopes_parse(const char *text, unsigned *ret_scopes)
{
    unsigned scopes = TOKEN_SCOPE_READ;
    for (;;) {
        size_t length = strcspn(text, ","), i = 0;
        while (i < COUNT_OF(SCOPES) && (strlen(SCOPES[i].name) != length || memcmp(SCOPES[i].name, text, length) != 0))
            i++;
        if (i == COUNT_OF(SCOPES))
            return false;
        scopes |= SCOPES[i].scope;
        if (!text[length])
            break;
        text += length + 1;
    }
    *ret_scopes = scopes;
    return true;
}

void token_scopes_text(unsigned scopes, char ret[TOKEN_SCOPES_TEXT_BYTES])
{
    size_t used = 0;
    ret[0] = 0;
    for (size_t i = 0; i < COUNT_OF(SCOPES); i++) {
        if (scopes & SCOPES[i].scope)
            used +=
                (size_t)snprintf(ret + used, TOKEN_SCOPES_TEXT_BYTES - used, "%s%s", used ? "," : "", SCOPES[i].name);
    }
}

const char *token_name_problem(const char *name)
{
    size_t length = strlen(name);
    if (length == 0 || length > TOKEN_NAME_MAX_BYTES)
        return "must have 1-64 characters";
    if (strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") != length)
        return "may have letters, digits, '.', '_' and '-' only";
    return NULL;
}
_Static_assert(TOKEN_NAME_MAX_BYTES == 64, "said so above");

enum token_verdict token_standing(const struct token_record *token, uint64_t now_ms)
{
    if (token->revoked_ms > 0)
        return TOKEN_REVOKED;
    return token->expires_ms > 0 && now_ms >= token->expires_ms ? TOKEN_EXPIRED : TOKEN_GOOD;
}

enum token_verdict token_check(const struct token_record *token, const uint8_t secret[TOKEN_SECRET_BYTES],
                               uint64_t now_ms)
{
    struct bursar_hash hash;
    token_hash(secret, &hash);
    if (!memeql_sec(hash.bytes, token->hash.bytes, sizeof hash.bytes))
        return TOKEN_UNKNOWN;
    return token_standing(token, now_ms);
}

enum bursar_status token_create(const struct store *store, const struct token_record *wanted, struct token_record *ret,
                                char ret_text[TOKEN_TEXT_BYTES], struct bursar_error *err)
{
    uint8_t secret[TOKEN_SECRET_BYTES];
    struct token_record token = *wanted;
    if (getrandom(secret, sizeof secret, 0) != (ssize_t)sizeof secret)
        return bursar_fail(err, BURSAR_EINTERNAL, "no random bytes to be had: %s", strerror(errno));
    token_hash(secret, &token.hash);
    enum bursar_status status = store->token_add(store->ctx, &token, &token.id, err);
    if (status == BURSAR_OK) {
        token_text(token.id, secret, ret_text);
        *ret = token;
    }
    explicit_bzero(secret, sizeof secret);
    return status;
}

json_t *token_json(const struct token_record *token, uint64_t now_ms)
{
    json_t *scopes = json_array();
    for (size_t i = 0; i < COUNT_OF(SCOPES); i++) {
        if (token->scopes & SCOPES[i].scope)
            (void)json_array_append_new(scopes, json_string(SCOPES[i].name));
    }
    bool is_expired = token->expires_ms > 0 && now_ms >= token->expires_ms;
    return json_pack("{s:I,s:s,s:o,s:s,s:o,s:o,s:o,s:o,s:o}", "id", (json_int_t)token->id, "name", token->name,
                     "scopes", scopes, "state",
                     token->revoked_ms ? "revoked"
                     : is_expired      ? "expired"
                                       : "valid",
                     "created_at", output_json_ms(token->created_ms), "created_by", output_json_text(token->created_by),
                     "expires_at", output_json_ms(token->expires_ms), "revoked_at", output_json_ms(token->revoked_ms),
                     "revoked_by", token->revoked_ms ? output_json_text(token->revoked_by) : json_null());
}
