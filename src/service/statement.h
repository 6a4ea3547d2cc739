/* A statement as CSV (RFC 4180): what `export` writes for spreadsheets and accounts. Pure. */
#ifndef SERVICE_STATEMENT_H
#define SERVICE_STATEMENT_H

#include "base/bytes.h"
#include "service/asset_view.h"
#include "store/records.h"

/* Append one line each, with its CRLF. False: out of memory. */
BURSAR_MUST_CHECK bool statement_csv_heading(struct buf *buf);
/* Texts are quoted and otherwise as they were imported; what there is not is empty. */
BURSAR_MUST_CHECK bool statement_csv_row(struct buf *buf, const struct disbursement_record *record,
                                         const struct asset_names *names);

#endif
