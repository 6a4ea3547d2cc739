/* Rows of the Safe CSV airdrop app: token_type, token_address, receiver, amount, and id, which only NFTs have. */
#ifndef PAYFILE_SAFE_ROWS_H
#define PAYFILE_SAFE_ROWS_H

#include "payfile/csv.h"
#include "payfile/row.h"

enum safe_column {
    SAFE_TOKEN_TYPE,
    SAFE_TOKEN_ADDRESS,
    SAFE_RECEIVER,
    SAFE_AMOUNT,
    SAFE_VALUE, /* what the app called the amount once */
    SAFE_ID,
};
#define SAFE_COLUMN_COUNT 6

struct safe_header {
    size_t field_count;
    enum safe_column columns[SAFE_COLUMN_COUNT]; /* by field */
    bool present[SAFE_COLUMN_COUNT];             /* by column */
};

/* Is this the header of such a file? */
bool safe_header_is(const struct csv_row *row);
/* Reports everything that is wrong with it, also that no prefix of refs was named: the rows have none of their own. */
BURSAR_MUST_CHECK bool safe_header_from_row(struct row_sink *sink, const struct csv_row *row, struct safe_header *ret);
const char *safe_column_name(const struct safe_header *header, size_t field);
/* As row_deliver; the row has as many fields as the header. */
BURSAR_MUST_CHECK enum bursar_status safe_deliver(struct row_sink *sink, const struct safe_header *header,
                                                  const struct csv_row *row, struct bursar_error *err);

#endif
