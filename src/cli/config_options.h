/* The table of options behind config.h, shared by its file reader, its environment reader and its help writer. */
#ifndef CLI_CONFIG_OPTIONS_H
#define CLI_CONFIG_OPTIONS_H

#include "cli/config.h"

enum option_kind {
    OPTION_NUMBER = 1,
    OPTION_WEI = 2,      /* "200gwei", kept as wei */
    OPTION_FINALITY = 3, /* "finalized" or a number */
    OPTION_EPOCH = 4,    /* "block/N" or "time/N" */
    OPTION_LEVEL = 5,
    OPTION_FORMAT = 6,
    OPTION_PATH = 7, /* relative ones start at the configuration's folder */
    OPTION_STORE = 8,
    OPTION_URLS = 9,
    OPTION_IDENTITY = 10, /* may be empty: made up */
    OPTION_LISTEN = 11,
    OPTION_QUORUM = 12, /* may be empty: follows from the number of URLs, which also bounds it */
    OPTION_ADDRESS = 13,
    OPTION_CHAIN = 14,    /* may be empty: CONFIG_CHAIN_OF_TREASURIES */
    OPTION_DECIMALS = 15, /* may be empty: not said */
    OPTION_WORDS = 16,    /* separated by spaces; may be empty */
    OPTION_PATH_OR_NONE = 17,
    OPTION_METRICS = 18,
    OPTION_URL = 19,
    OPTION_SWITCH = 21, /* on or off, kept as 1 or 0 */
    OPTION_EVENTS = 20, /* OPTION_WORDS that the event log knows */
    OPTION_COIN = 22,   /* "1.5ether", kept as wei; 0 needs no unit */
    OPTION_UNITS = 23,  /* whole units of a token, kept as text until its decimals are known; may be empty */
};

struct config_option {
    const char *section;
    const char *key;
    enum option_kind kind;
    size_t offset; /* in struct treasury_config for [treasury NAME], likewise [asset NAME], else in struct config */
    const char *fallback; /* default as text; NULL: required */
    uint64_t minimum;     /* numbers: as written; OPTION_WEI: wei */
    uint64_t maximum;
    const char *allowed; /* what is allowed, for errors and help */
    const char *help;
};

extern const struct config_option CONFIG_OPTIONS[];
extern const size_t CONFIG_OPTION_COUNT;
#define CONFIG_OPTIONS_MAX_COUNT 96

/* NULL when there is no such key. */
const struct config_option *config_option_find(const char *section, const char *key);
/* In force with SIGHUP; all others with the next start. Never one that is kept as text. */
bool config_option_reloads(const struct config_option *option);
bool config_section_is_known(const char *section);
#define CONFIG_CHAIN_OF_TREASURIES 0

/* Sections with a name, [treasury NAME], [asset NAME] and [webhook NAME], are rows; the others have one row without a
 * name. */
enum config_rows {
    ROWS_NONE = 0,
    ROWS_TREASURY = 1,
    ROWS_ASSET = 2,
    ROWS_WEBHOOK = 3,
};
#define CONFIG_ROWS_KINDS 4
#define CONFIG_ROWS_MAX_COUNT CONFIG_ASSETS_MAX_COUNT
/* What the rows of this section are. */
enum config_rows config_rows_of(const char *section);
size_t config_row_count(const struct config *config, enum config_rows rows);
const char *config_row_name(const struct config *config, enum config_rows rows, size_t row); /* "" without names */
/* Finds a row by its name, or adds it. EINVAL: no name, or there are too many. */
BURSAR_MUST_CHECK enum bursar_status config_row_enter(struct config *config, enum config_rows rows, const char *name,
                                                      size_t *ret_row, bool *ret_is_new, struct bursar_error *err);
/* Every [asset NAME] (they begin at these lines) is on a chain, and no two are one token. EINVAL. */
BURSAR_MUST_CHECK enum bursar_status config_check_assets(struct config *config, const uint32_t *lines,
                                                         struct bursar_error *err);

/* Every [webhook NAME] (they begin at these lines) is about treasuries that there are. EINVAL. */
BURSAR_MUST_CHECK enum bursar_status config_check_webhooks(const struct config *config, const uint32_t *lines,
                                                           struct bursar_error *err);

/* Parses and bounds-checks one value into `config` (row `index` of the option's section). EINVAL says what is
 * allowed. */
BURSAR_MUST_CHECK enum bursar_status config_option_set(struct config *config, size_t index,
                                                       const struct config_option *option, const char *value,
                                                       struct bursar_error *err);
/* Where each option was set, by the row of its section: a line of the file, CONFIG_FROM_ENVIRONMENT, or 0 for nowhere.
 */
#define CONFIG_FROM_ENVIRONMENT UINT32_MAX
typedef uint32_t config_set_marks[CONFIG_ROWS_MAX_COUNT][CONFIG_OPTIONS_MAX_COUNT];
/* Applies every BURSAR_SECTION_KEY of `environment`. EINVAL names the variable. */
BURSAR_MUST_CHECK enum bursar_status config_apply_environment(struct config *config, char *const *environment,
                                                              config_set_marks set, struct bursar_error *err);

#endif
