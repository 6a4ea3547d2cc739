/* The tokens that a payment file pays with, and what amounts of them mean: known from before, or read from the chain.
 */
#ifndef SERVICE_FILE_TOKENS_H
#define SERVICE_FILE_TOKENS_H

#include "service/treasury_settings.h"
#include "store/store.h"
#include "payfile/payfile.h"

#define FILE_TOKENS_MAX_COUNT 1000
#define FILE_TOKEN_PROBLEM_MAX_BYTES 320

struct file_token {
    struct bursar_address token;
    bool is_pinned; /* in the store: */
    unsigned pinned_decimals;
    unsigned decimals;
    char problem[FILE_TOKEN_PROBLEM_MAX_BYTES]; /* why nothing can be paid with it; "" */
};

struct file_tokens {
    const struct store *store;
    const struct treasury_settings *settings;
    const struct treasury *treasury;
    struct file_token *tokens; /* ascending by address */
    size_t count;
};

/* Finds the tokens of `file`, which is rewound, and what they are. Does without a node when all are known from before,
 * as long as no node says otherwise. EUNREACHABLE: some are not known, and can't be read now; EREFUSED: likewise, as
 * the node is on another chain; ELIMIT: too many. Zero-initialise `ret`; file_tokens_free also after a failure. */
BURSAR_MUST_CHECK enum bursar_status file_tokens_find(const struct store *store,
                                                      const struct treasury_settings *settings,
                                                      const struct treasury *treasury, FILE *file,
                                                      struct file_tokens *ret, struct bursar_error *err);
void file_tokens_free(struct file_tokens *tokens);

/* What a text in an `asset` column names: the `asset` handler of a payment file, with a struct file_tokens as ctx. */
BURSAR_MUST_CHECK enum bursar_status file_tokens_asset(void *ctx, const char *text, size_t length_bytes,
                                                       struct payfile_asset *ret, struct bursar_error *err);
/* Pins what is not yet, as a part of the open import. */
BURSAR_MUST_CHECK enum bursar_status file_tokens_pin(const struct file_tokens *tokens, struct bursar_error *err);

#endif
