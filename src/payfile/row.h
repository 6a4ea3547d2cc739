/* One row's text, from either format, turned into an obligation; and the counting and reporting both formats share. */
#ifndef PAYFILE_ROW_H
#define PAYFILE_ROW_H

#include "payfile/payfile.h"
#include "payfile/text.h"

enum row_column {
    COLUMN_REF,
    COLUMN_DESTINATION,
    COLUMN_AMOUNT,
    COLUMN_ASSET,
    COLUMN_MEMO,
    COLUMN_NOT_BEFORE,
    COLUMN_DEPENDS_ON,
};
#define ROW_COLUMN_COUNT 7
#define ROW_COLUMN_NAMES_TEXT "ref, destination, amount, asset, memo, not_before, depends_on"

/* Fixed text. */
const char *row_column_name(enum row_column column);
/* Exact: case and spaces count. */
bool row_column_from_name(struct text name, enum row_column *ret);
bool row_column_is_required(enum row_column column);

/* Texts are followed by a NUL; a column that is not there is empty. */
struct row_fields {
    uint64_t line;
    struct text columns[ROW_COLUMN_COUNT];            /* COLUMN_DEPENDS_ON is not looked at here, but: */
    struct text dependencies[DEPENDENCIES_MAX_COUNT]; /* the first ones; need no NUL */
    size_t dependency_count;                          /* how many there are; more than fit is reported as an error */
};

/* Where rows go. Holds the memory of one obligation's texts. */
struct row_sink {
    const struct payfile_options *options;
    const struct payfile_handlers *handlers;
    const char *const *column_names; /* by enum row_column, as the file calls them; NULL: by our own names */
    uint64_t row_count;              /* good and bad */
    char ref[REF_MAX_BYTES + 1];
    char dependency_refs[DEPENDENCIES_MAX_COUNT][REF_MAX_BYTES + 1];
    const char *dependencies[DEPENDENCIES_MAX_COUNT];
};

/* Tells the error handler. `column` is "" for the whole row. */
void row_problem(const struct row_sink *sink, uint64_t line, const char *column, const char *format, ...)
    BURSAR_PRINTF(4, 5);
/* Counts a row; false, with the problem reported, when the file has too many: stop reading. */
bool row_admit(struct row_sink *sink, uint64_t line);
/* Refs separated by `;`. Empty text: none. */
void row_split_dependencies(struct text text, struct row_fields *ret);
/* Hands a good row to the row handler, whose status is returned, and the problems of a bad one to the error handler. */
BURSAR_MUST_CHECK enum bursar_status row_deliver(struct row_sink *sink, const struct row_fields *fields,
                                                 struct bursar_error *err);

#endif
