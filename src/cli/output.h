/* What the program prints: results to stdout (tables for people, one JSON document for scripts), messages to stderr. */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include "service/json_values.h"
#include "store/records.h"

#include <bursar/amount.h>
#include <bursar/status.h>
#include <bursar/types.h>

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* -- JSON: values that may be NULL (out of memory) pass through json_pack to output_json, which reports it -----------
 */
/* Prints the document on one line and frees it. EINTERNAL/ENOMEM in `err`. */
BURSAR_MUST_CHECK enum bursar_status output_json(json_t *document, struct bursar_error *err);

/* -- text ------------------------------------------------------------------------------------------------------------
 */
/* Copies with control characters (also C1) replaced, so that stored text can't drive a terminal. */
void output_plain(const char *text, char *ret, size_t capacity);
/* "1.5 ETH" */
#define OUTPUT_COIN_TEXT_BYTES (BURSAR_AMOUNT_UNITS_TEXT_BYTES + 8)
void output_coin(struct bursar_amount amount, char ret[OUTPUT_COIN_TEXT_BYTES]);

enum output_colour {
    COLOUR_PLAIN = 0,
    COLOUR_GOOD = 1,
    COLOUR_WAIT = 2,
    COLOUR_BAD = 3,
    COLOUR_TITLE = 4,
};
/* Escape sequences; "" where `file` is no terminal or NO_COLOR is set. */
const char *output_colour_on(FILE *file, enum output_colour colour);
const char *output_colour_off(FILE *file);
enum output_colour output_state_colour(enum disbursement_state state);
enum output_colour output_breaker_colour(enum bursar_breaker_state state);

/* A table whose columns become as wide as they must. */
#define TABLE_COLUMNS_MAX_COUNT 8
struct table {
    size_t columns;
    size_t rows;
    size_t capacity;
    char *(*cells)[TABLE_COLUMNS_MAX_COUNT];
    enum output_colour *colours; /* of each row's last coloured column */
    size_t colour_column;
};
/* `cells` are copied. False: out of memory. */
BURSAR_MUST_CHECK bool table_add(struct table *table, const char *const *cells, enum output_colour colour);
void table_print(const struct table *table, FILE *file); /* the first row is the heading */
void table_free(struct table *table);

/* -- messages --------------------------------------------------------------------------------------------------------
 */
/* "bursar: ..." on stderr. */
void output_message(const char *format, ...) BURSAR_PRINTF(1, 2);
/* Says the error on stderr and, for scripts, as {"errors":[...]} on stdout; returns its exit code. */
int output_error(bool json, const struct bursar_error *err);
/* "done of total" on one line of stderr, redrawn in place; only on a terminal. */
void output_progress(const char *what, size_t done, size_t total);
void output_progress_end(void);
/* Everything written and flushed? Says so if not. */
BURSAR_MUST_CHECK bool output_finish(void);

#endif
