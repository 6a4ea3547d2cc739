/* Turns a row of the Safe airdrop app into one of ours. Where the app would guess (a type that contradicts its
 * address), we refuse: it shows what it understood before anybody signs, and we do not. */
#include "payfile/safe_rows.h"

#include "base/cleanup.h"

#include <string.h>
#include <strings.h>

static const char *const COLUMN_NAMES[SAFE_COLUMN_COUNT] = { "token_type", "token_address", "receiver",
                                                             "amount",     "value",         "id" };

/* What our own columns are called in such a file. */
static const char *const SHOWN_WITH_AMOUNT[ROW_COLUMN_COUNT] = {
    "", "receiver", "amount", "token_address", "", "", ""
};
static const char *const SHOWN_WITH_VALUE[ROW_COLUMN_COUNT] = { "", "receiver", "value", "token_address", "", "", "" };

static bool column_from_name(struct text name, enum safe_column *ret)
{
    for (int i = 0; i < SAFE_COLUMN_COUNT; i++) {
        if (text_is(name, COLUMN_NAMES[i])) {
            *ret = (enum safe_column)i;
            return true;
        }
    }
    return false;
}

bool safe_header_is(const struct csv_row *row)
{
    bool has_token = false, has_receiver = false;
    for (size_t field = 0; field < row->field_count; field++) {
        has_token = has_token || text_is(row->fields[field], COLUMN_NAMES[SAFE_TOKEN_ADDRESS]);
        has_receiver = has_receiver || text_is(row->fields[field], COLUMN_NAMES[SAFE_RECEIVER]);
    }
    return has_token && has_receiver;
}

static bool take_names(const struct row_sink *sink, const struct csv_row *row, struct safe_header *ret)
{
    bool good = true;
    for (size_t field = 0; field < row->field_count; field++) {
        enum safe_column column;
        char shown[EXCERPT_BYTES];
        if (!column_from_name(row->fields[field], &column)) {
            row_problem(sink, row->line, text_excerpt(row->fields[field], shown),
                        "unknown column \"%s\" in the header; a file of the Safe airdrop app has token_type, "
                        "token_address, receiver, amount and id",
                        shown);
            good = false;
        } else if (ret->present[column]) {
            row_problem(sink, row->line, COLUMN_NAMES[column], "stands in the header more than once");
            good = false;
        } else {
            ret->present[column] = true;
            ret->columns[ret->field_count++] = column;
        }
    }
    return good;
}

bool safe_header_from_row(struct row_sink *sink, const struct csv_row *row, struct safe_header *ret)
{
    struct safe_header header = { 0 };
    bool good = take_names(sink, row, &header);
    if (header.present[SAFE_AMOUNT] == header.present[SAFE_VALUE]) {
        row_problem(sink, row->line, COLUMN_NAMES[SAFE_AMOUNT], "%s",
                    header.present[SAFE_AMOUNT] ? "stands in the header beside value, which means the same"
                                                : "is required, but the header does not name it");
        good = false;
    }
    const char *prefix = sink->options->ref_prefix;
    if (!sink->options->only_assets && (!prefix || !*prefix)) {
        row_problem(sink, row->line, "",
                    "this is a file of the Safe airdrop app, whose rows have no refs: name a prefix with --ref-prefix, "
                    "and the ref of each row is the prefix and the row's line number");
        good = false;
    }
    sink->column_names = header.present[SAFE_VALUE] ? SHOWN_WITH_VALUE : SHOWN_WITH_AMOUNT;
    if (good)
        *ret = header;
    return good;
}

const char *safe_column_name(const struct safe_header *header, size_t field)
{
    return COLUMN_NAMES[header->columns[field]];
}

static bool type_is(struct text text, const char *wanted)
{
    size_t length_bytes = strlen(wanted);
    return text.length_bytes == length_bytes && strncasecmp(text.bytes, wanted, length_bytes) == 0;
}

static bool is_nft(struct text type)
{
    return type_is(type, "nft") || type_is(type, "erc721") || type_is(type, "erc1155");
}

/* Files without types are older: there an address says it. */
static bool check_type(const struct row_sink *sink, uint64_t line, struct text type, struct text token)
{
    const char *column = COLUMN_NAMES[SAFE_TOKEN_TYPE];
    bool has_token = token.length_bytes > 0;
    char shown[EXCERPT_BYTES];
    if (is_nft(type))
        row_problem(sink, line, column, "is \"%s\", but NFTs can't be paid: take the row out",
                    text_excerpt(type, shown));
    else if (type.length_bytes > 0 && !type_is(type, "native") && !type_is(type, "erc20"))
        row_problem(sink, line, column, "is \"%s\"; only native and erc20 can be paid", text_excerpt(type, shown));
    else if (type_is(type, "native") && has_token)
        row_problem(sink, line, column, "is native, but the row names a token in token_address");
    else if (type_is(type, "erc20") && !has_token)
        row_problem(sink, line, COLUMN_NAMES[SAFE_TOKEN_ADDRESS], "is empty, but the row's type is erc20");
    else if (has_token && (token.length_bytes < 2 || strncmp(token.bytes, "0x", 2) != 0))
        row_problem(sink, line, COLUMN_NAMES[SAFE_TOKEN_ADDRESS], "is \"%s\", which is not an address (0x...)",
                    text_excerpt(token, shown));
    else
        return true;
    return false;
}

enum bursar_status safe_deliver(struct row_sink *sink, const struct safe_header *header, const struct csv_row *row,
                                struct bursar_error *err)
{
    struct row_fields fields = { .line = row->line };
    struct text found[SAFE_COLUMN_COUNT];
    char ref[24];
    for (int i = 0; i < SAFE_COLUMN_COUNT; i++)
        found[i] = (struct text){ "", 0 };
    for (size_t field = 0; field < header->field_count; field++)
        found[header->columns[field]] = row->fields[field];
    if (!check_type(sink, row->line, found[SAFE_TOKEN_TYPE], found[SAFE_TOKEN_ADDRESS]))
        return BURSAR_OK;
    if (found[SAFE_ID].length_bytes > 0) {
        row_problem(sink, row->line, COLUMN_NAMES[SAFE_ID], "is given, but only NFTs have one, and they can't be paid");
        return BURSAR_OK;
    }
    for (int i = 0; i < ROW_COLUMN_COUNT; i++)
        fields.columns[i] = (struct text){ "", 0 };
    int length = snprintf(ref, sizeof ref, "%llu", (unsigned long long)row->line);
    fields.columns[COLUMN_REF] = (struct text){ ref, (size_t)length };
    fields.columns[COLUMN_DESTINATION] = found[SAFE_RECEIVER];
    fields.columns[COLUMN_AMOUNT] = found[header->present[SAFE_VALUE] ? SAFE_VALUE : SAFE_AMOUNT];
    fields.columns[COLUMN_ASSET] = found[SAFE_TOKEN_ADDRESS];
    return row_deliver(sink, &fields, err);
}
