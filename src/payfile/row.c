/* What the columns mean. Every text is checked to its last byte: what is not understood is never guessed, as a guess
 * could pay too early, too much or to nobody. */
#include "payfile/row.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/time.h"
#include "eth/address.h"

#include <stdarg.h>

#define ETHER_DECIMALS 18
#define GWEI_DECIMALS 9
#define WEI_DECIMALS 0

const char *row_column_name(enum row_column column)
{
    switch (column) {
    case COLUMN_REF:
        return "ref";
    case COLUMN_DESTINATION:
        return "destination";
    case COLUMN_AMOUNT:
        return "amount";
    case COLUMN_ASSET:
        return "asset";
    case COLUMN_MEMO:
        return "memo";
    case COLUMN_NOT_BEFORE:
        return "not_before";
    case COLUMN_DEPENDS_ON:
        return "depends_on";
    }
    return "";
}

bool row_column_from_name(struct text name, enum row_column *ret)
{
    for (int i = 0; i < ROW_COLUMN_COUNT; i++) {
        if (text_is(name, row_column_name((enum row_column)i))) {
            *ret = (enum row_column)i;
            return true;
        }
    }
    return false;
}

bool row_column_is_required(enum row_column column)
{
    return column == COLUMN_REF || column == COLUMN_DESTINATION || column == COLUMN_AMOUNT;
}

void row_problem(const struct row_sink *sink, uint64_t line, const char *column, const char *format, ...)
{
    struct payfile_error error = { .line = line };
    (void)snprintf(error.column, sizeof error.column, "%.*s", PAYFILE_COLUMN_MAX_BYTES - 1, column);
    va_list args;
    va_start(args, format);
    (void)vsnprintf(error.message, sizeof error.message, format, args);
    va_end(args);
    sink->handlers->error(sink->handlers->ctx, &error);
}

bool row_admit(struct row_sink *sink, uint64_t line)
{
    if (sink->row_count < PAYFILE_ROWS_MAX_COUNT) {
        sink->row_count++;
        return true;
    }
    row_problem(sink, line, "", "the file has more than %llu rows: split it",
                (unsigned long long)PAYFILE_ROWS_MAX_COUNT);
    return false;
}

void row_split_dependencies(struct text text, struct row_fields *ret)
{
    size_t from = 0;
    ret->dependency_count = 0;
    if (text.length_bytes == 0)
        return;
    for (size_t i = 0; i <= text.length_bytes; i++) {
        if (i < text.length_bytes && text.bytes[i] != ';')
            continue;
        if (ret->dependency_count < DEPENDENCIES_MAX_COUNT)
            ret->dependencies[ret->dependency_count] = (struct text){ text.bytes + from, i - from };
        ret->dependency_count++;
        from = i + 1;
    }
}

/* The file's text of a ref, with the prefix put before it. */
static enum bursar_status take_ref(const struct row_sink *sink, struct text text, char ret[REF_MAX_BYTES + 1],
                                   struct bursar_error *err)
{
    enum bursar_status status = ref_check(text.bytes, text.length_bytes, err);
    if (status != BURSAR_OK)
        return status;
    const char *prefix = sink->options->ref_prefix ? sink->options->ref_prefix : "";
    size_t prefix_bytes = strlen(prefix);
    if (prefix_bytes + text.length_bytes > REF_MAX_BYTES)
        return bursar_fail(err, BURSAR_EINVAL, "has %zu bytes with its prefix; at most %d are allowed",
                           prefix_bytes + text.length_bytes, REF_MAX_BYTES);
    memcpy(ret, prefix, prefix_bytes);
    memcpy(ret + prefix_bytes, text.bytes, text.length_bytes);
    ret[prefix_bytes + text.length_bytes] = '\0';
    return BURSAR_OK;
}

static enum bursar_status take_destination(struct text text, struct bursar_address *ret, struct bursar_error *err)
{
    static const struct bursar_address nobody = { { 0 } };
    struct bursar_address address;
    if (text.length_bytes == 0)
        return bursar_fail(err, BURSAR_EINVAL, "is missing");
    enum bursar_status status = address_from_text(text.bytes, text.length_bytes, &address, err);
    if (status != BURSAR_OK)
        return status;
    if (address_equal(&address, &nobody))
        return bursar_fail(err, BURSAR_EINVAL, "is the zero address: what is paid there is lost");
    *ret = address;
    return BURSAR_OK;
}

/* A number, then nothing or, of the coin, one of its units, directly behind it or after one space. */
static enum bursar_status take_amount(struct text text, const struct payfile_asset *asset, struct bursar_amount *ret,
                                      struct bursar_error *err)
{
    static const struct {
        const char *name;
        unsigned decimals;
    } units[] = { { "ether", ETHER_DECIMALS }, { "gwei", GWEI_DECIMALS }, { "wei", WEI_DECIMALS } };
    size_t number_bytes = 0;
    if (text.length_bytes == 0)
        return bursar_fail(err, BURSAR_EINVAL, "is missing");
    while (number_bytes < text.length_bytes &&
           (text.bytes[number_bytes] == '.' || (text.bytes[number_bytes] >= '0' && text.bytes[number_bytes] <= '9')))
        number_bytes++;
    if (number_bytes == text.length_bytes || number_bytes == 0)
        return bursar_amount_from_units(text.bytes, text.length_bytes, asset->decimals, ret, err);
    struct text unit = { text.bytes + number_bytes, text.length_bytes - number_bytes };
    if (unit.bytes[0] == ' ')
        unit = (struct text){ unit.bytes + 1, unit.length_bytes - 1 };
    for (size_t i = 0; i < COUNT_OF(units) && !asset->asset.is_token; i++) {
        if (text_is(unit, units[i].name))
            return bursar_amount_from_units(text.bytes, number_bytes, units[i].decimals, ret, err);
    }
    char shown[EXCERPT_BYTES];
    return bursar_fail(
        err, BURSAR_EINVAL, "has \"%s\" behind its number; %s",
        text_excerpt((struct text){ text.bytes + number_bytes, text.length_bytes - number_bytes }, shown),
        asset->asset.is_token ? "an amount of a token is a number of whole units, and nothing else"
                              : "only ether, gwei or wei may stand there");
}

static enum bursar_status take_asset(const struct row_sink *sink, struct text text, struct payfile_asset *ret,
                                     struct bursar_error *err)
{
    const struct payfile_handlers *handlers = sink->handlers;
    char shown[EXCERPT_BYTES];
    *ret = (struct payfile_asset){ .decimals = sink->options->native_decimals };
    if (text.length_bytes == 0 || text_is(text, "native"))
        return BURSAR_OK;
    if (handlers->asset)
        return handlers->asset(handlers->ctx, text.bytes, text.length_bytes, ret, err);
    return bursar_fail(err, BURSAR_EINVAL, "is \"%s\", but only the native coin can be paid here",
                       text_excerpt(text, shown));
}

static enum bursar_status take_schedule(struct text text, struct obligation *ret, struct bursar_error *err)
{
    static const char epoch[] = "epoch:";
    const size_t epoch_bytes = sizeof epoch - 1;
    enum schedule_kind kind = SCHEDULE_NOW;
    uint64_t value = 0;
    if (text.length_bytes >= epoch_bytes && memcmp(text.bytes, epoch, epoch_bytes) == 0) {
        kind = SCHEDULE_EPOCH;
        if (!u64_from_text(text.bytes + epoch_bytes, text.length_bytes - epoch_bytes, 0, INT64_MAX, &value))
            return bursar_fail(err, BURSAR_EINVAL, "needs a whole number behind epoch:, from 0 to %lld",
                               (long long)INT64_MAX);
    } else if (text.length_bytes > 0) {
        char shown[EXCERPT_BYTES];
        kind = SCHEDULE_TIME;
        if (!rfc3339_to_seconds(text.bytes, text.length_bytes, &value))
            return bursar_fail(err, BURSAR_EINVAL,
                               "is \"%s\", neither a time with its zone such as 2026-01-31T12:00:00Z nor epoch:N",
                               text_excerpt(text, shown));
    }
    ret->schedule = kind;
    ret->schedule_value = value;
    return BURSAR_OK;
}

static enum bursar_status take_dependencies(struct row_sink *sink, const struct row_fields *fields,
                                            struct obligation *ret, struct bursar_error *err)
{
    if (fields->dependency_count > DEPENDENCIES_MAX_COUNT)
        return bursar_fail(err, BURSAR_EINVAL, "names %zu refs; at most %d are allowed", fields->dependency_count,
                           DEPENDENCIES_MAX_COUNT);
    for (size_t i = 0; i < fields->dependency_count; i++) {
        struct bursar_error why = { 0 };
        if (take_ref(sink, fields->dependencies[i], sink->dependency_refs[i], &why) != BURSAR_OK)
            return bursar_fail(err, BURSAR_EINVAL, "ref %zu %s", i + 1, why.message);
        sink->dependencies[i] = sink->dependency_refs[i];
    }
    ret->dependencies = sink->dependencies;
    ret->dependency_count = fields->dependency_count;
    return BURSAR_OK;
}

static enum bursar_status take_column(struct row_sink *sink, const struct row_fields *fields, enum row_column column,
                                      const struct payfile_asset *asset, struct obligation *ret,
                                      struct bursar_error *err)
{
    struct text text = fields->columns[column];
    switch (column) {
    case COLUMN_REF:
        ret->ref = sink->ref;
        return take_ref(sink, text, sink->ref, err);
    case COLUMN_DESTINATION:
        return take_destination(text, &ret->destination, err);
    case COLUMN_AMOUNT:
        return take_amount(text, asset, &ret->amount, err);
    case COLUMN_ASSET:
        ret->asset = asset->asset;
        return BURSAR_OK; /* row_deliver has looked at it */
    case COLUMN_MEMO:
        ret->memo = text.bytes;
        ret->memo_bytes = text.length_bytes;
        return BURSAR_OK; /* obligation_normalise looks at it */
    case COLUMN_NOT_BEFORE:
        return take_schedule(text, ret, err);
    case COLUMN_DEPENDS_ON:
        return take_dependencies(sink, fields, ret, err);
    }
    return bursar_fail(err, BURSAR_EINTERNAL, "is no column");
}

/* As the file calls it. */
static const char *shown_column(const struct row_sink *sink, enum row_column column)
{
    return sink->column_names ? sink->column_names[column] : row_column_name(column);
}

static const char *shown_field(const struct row_sink *sink, const char *field)
{
    enum row_column column;
    return row_column_from_name((struct text){ field, strlen(field) }, &column) ? shown_column(sink, column) : field;
}

/* What an amount is depends on its asset: without one that is understood, it is not looked at. */
static bool take_columns(struct row_sink *sink, const struct row_fields *fields, const struct payfile_asset *asset,
                         const struct bursar_error *asset_error, struct obligation *ret)
{
    bool good = true;
    for (int i = 0; i < ROW_COLUMN_COUNT; i++) {
        enum row_column column = (enum row_column)i;
        struct bursar_error why = { 0 };
        if (asset_error->status != BURSAR_OK && column == COLUMN_AMOUNT)
            continue;
        if (asset_error->status != BURSAR_OK && column == COLUMN_ASSET)
            why = *asset_error;
        else
            why.status = take_column(sink, fields, column, asset, ret, &why);
        if (why.status == BURSAR_OK)
            continue;
        row_problem(sink, fields->line, shown_column(sink, column), "%s", why.message);
        good = false;
    }
    return good;
}

enum bursar_status row_deliver(struct row_sink *sink, const struct row_fields *fields, struct bursar_error *err)
{
    struct payfile_row row = { .line = fields->line };
    struct payfile_asset asset;
    struct bursar_error asset_error = { 0 }, why = { 0 };
    asset_error.status = take_asset(sink, fields->columns[COLUMN_ASSET], &asset, &asset_error);
    if (asset_error.status != BURSAR_OK && asset_error.status != BURSAR_EINVAL)
        return bursar_fail(err, asset_error.status, "%s", asset_error.message);
    if (sink->options->only_assets || !take_columns(sink, fields, &asset, &asset_error, &row.obligation))
        return BURSAR_OK;
    const char *field = "";
    if (obligation_normalise(&row.obligation, &field, &why) != BURSAR_OK) {
        row_problem(sink, fields->line, shown_field(sink, field), "%s", why.message);
        return BURSAR_OK;
    }
    return sink->handlers->row(sink->handlers->ctx, &row, err);
}
