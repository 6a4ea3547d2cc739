/* Payment files in JSON Lines: one object a line, with the columns' names as keys. */
#ifndef PAYFILE_JSONL_H
#define PAYFILE_JSONL_H

#include "payfile/input.h"
#include "payfile/row.h"

/* Reads to the end of the input. OK also when rows were bad; then look at input->failed. */
BURSAR_MUST_CHECK enum bursar_status jsonl_read(struct input *input, struct row_sink *sink, struct bursar_error *err);

#endif
