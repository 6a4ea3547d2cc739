/* Payment files in CSV: the header's rules, and rows by its order. */
#ifndef PAYFILE_CSV_ROWS_H
#define PAYFILE_CSV_ROWS_H

#include "payfile/input.h"
#include "payfile/row.h"

/* Reads to the end of the input. OK also when rows were bad; then look at input->failed. */
BURSAR_MUST_CHECK enum bursar_status csv_rows_read(struct input *input, struct row_sink *sink,
                                                   struct bursar_error *err);

#endif
