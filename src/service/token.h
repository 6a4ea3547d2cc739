/* Tokens of the HTTP API: how they are written, made and recognised.
 *
 * "bursar_7_" and 64 hex digits: which token, and 256 random bits. The store has SHA-256 of those bits only: what is
 * random through and through needs no slower hash, since there is nothing to guess. */
#ifndef SERVICE_TOKEN_H
#define SERVICE_TOKEN_H

#include "store/store.h"

#include <jansson.h>

#define TOKEN_SECRET_BYTES 32
#define TOKEN_TEXT_BYTES 96

/* -- pure -- */
void token_text(int64_t id, const uint8_t secret[TOKEN_SECRET_BYTES], char ret[TOKEN_TEXT_BYTES]);
bool token_parse(const char *text, int64_t *ret_id, uint8_t ret_secret[TOKEN_SECRET_BYTES]);
void token_hash(const uint8_t secret[TOKEN_SECRET_BYTES], struct bursar_hash *ret);
/* "read", "pay", "operate", several separated by commas; every token may read. False: there is no such scope. */
bool token_scopes_parse(const char *text, unsigned *ret_scopes);
#define TOKEN_SCOPES_TEXT_BYTES 32
void token_scopes_text(unsigned scopes, char ret[TOKEN_SCOPES_TEXT_BYTES]);
/* What is wrong with a name; NULL: nothing. */
const char *token_name_problem(const char *name);

enum token_verdict {
    TOKEN_GOOD = 1,
    TOKEN_UNKNOWN = 2, /* another secret */
    TOKEN_REVOKED = 3,
    TOKEN_EXPIRED = 4,
};
/* Of one whose secret is known to be right: GOOD, REVOKED or EXPIRED. */
enum token_verdict token_standing(const struct token_record *token, uint64_t now_ms);
/* Takes as long whatever the secret is. */
enum token_verdict token_check(const struct token_record *token, const uint8_t secret[TOKEN_SECRET_BYTES],
                               uint64_t now_ms);

/* -- with a store -- */
/* Makes a token as `wanted` (name, scopes, created_*, expires_ms) says, and its text, which is nowhere else. EEXIST. */
BURSAR_MUST_CHECK enum bursar_status token_create(const struct store *store, const struct token_record *wanted,
                                                  struct token_record *ret, char ret_text[TOKEN_TEXT_BYTES],
                                                  struct bursar_error *err);
/* Without the token; NULL: out of memory. */
json_t *token_json(const struct token_record *token, uint64_t now_ms);

#endif
