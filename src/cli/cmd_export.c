/* bursar export: a statement of all disbursements, written while it is read, so that its size does not matter. */
#include "base/cleanup.h"
#include "base/time.h"
#include "cli/context.h"
#include "cli/exit_code.h"
#include "cli/shown.h"
#include "service/statement.h"

#include <errno.h>
#include <string.h>

#define PAGE_ROWS 1000
#define OPTION_FORMAT 1

enum export_format {
    EXPORT_UNSET = 0,
    EXPORT_CSV = 1,
    EXPORT_JSON = 2,
};

struct exporting {
    enum export_format format;
    bool has_begun; /* something is on standard output */
    const struct treasury *treasury;
    struct situation situation;
    struct asset_names names;
    struct buf line;
    size_t page_rows;
    int64_t last_id;
    bool is_first;
};

static enum bursar_status check_output(struct bursar_error *err)
{
    return ferror(stdout) ? bursar_fail(err, BURSAR_EINTERNAL, "can't write to standard output: %s", strerror(errno))
                          : BURSAR_OK;
}

static enum bursar_status write_line(struct exporting *exporting, bool good)
{
    if (!good)
        return BURSAR_ENOMEM;
    (void)fwrite(exporting->line.data, 1, exporting->line.length_bytes, stdout);
    buf_clear(&exporting->line);
    return BURSAR_OK;
}

static enum bursar_status write_item(struct exporting *exporting, const struct disbursement_record *record)
{
    json_t *item = shown_json(record, &exporting->situation, &exporting->names);
    if (!item)
        return BURSAR_ENOMEM;
    if (!exporting->is_first)
        (void)fputs(",\n", stdout);
    exporting->is_first = false;
    (void)json_dumpf(item, stdout, JSON_COMPACT); /* what fails to be written shows up in ferror */
    json_decref(item);
    return BURSAR_OK;
}

static enum bursar_status take_record(void *ctx, const struct disbursement_record *record)
{
    struct exporting *exporting = ctx;
    exporting->page_rows++;
    exporting->last_id = record->id;
    if (exporting->format == EXPORT_JSON)
        return write_item(exporting, record);
    return write_line(exporting, statement_csv_row(&exporting->line, record, &exporting->names));
}

static enum bursar_status begin(struct exporting *exporting)
{
    exporting->has_begun = true;
    exporting->is_first = true;
    if (exporting->format == EXPORT_CSV)
        return write_line(exporting, statement_csv_heading(&exporting->line));
    (void)fputs("{\"items\":[", stdout);
    return BURSAR_OK;
}

/* Page by page, so that a slow reader of ours does not hold up whoever writes to the store. Rows are never deleted and
 * new ones come at the end: every row that was there at the start is in it, once. */
static enum bursar_status write_all(const struct store *store, struct exporting *exporting, struct bursar_error *err)
{
    enum bursar_status status = begin(exporting);
    do {
        struct list_filter filter = { .after_id = exporting->last_id, .limit = PAGE_ROWS };
        exporting->page_rows = 0;
        if (status == BURSAR_OK)
            status = store->list(store->ctx, exporting->treasury->id, &filter, take_record, exporting, err);
        if (status == BURSAR_OK)
            status = check_output(err);
    } while (status == BURSAR_OK && exporting->page_rows == PAGE_ROWS);
    if (status == BURSAR_OK && exporting->format == EXPORT_JSON)
        (void)fputs("]}\n", stdout);
    return status;
}

static enum bursar_status export(struct cli *cli, struct session *session, struct exporting *exporting,
                                 struct bursar_error *err) {
    const struct treasury_config *section; struct treasury treasury; struct clock clock = system_clock();
    enum bursar_status status = session_open(session, cli, SQLITE_MODE_READ, NULL, NULL, err);
    if (status == BURSAR_OK) status = session_section(session, cli, &section, err);
    if (status == BURSAR_OK) status = treasury_of_section(session, section, &treasury, err);
    if (status == BURSAR_OK)
        status = shown_situation(session, section, &treasury, clock.wall_ms(clock.ctx), &exporting->situation, err);
    if (status != BURSAR_OK) return status;
    exporting->treasury = &treasury;
    exporting->names = (struct asset_names){ session->config->assets, session->config->asset_count, treasury.chain_id };
    status = write_all(&session->store, exporting, err);
    exporting->treasury = NULL;
    return status;
}

static int parse(struct cli *cli, int argc, char **argv, enum export_format *ret)
{
    static const struct option options[] = { { "format", required_argument, NULL, OPTION_FORMAT }, CLI_LONG_OPTIONS };
    int option, code;
    while ((option = getopt_long(argc, argv, CLI_SHORT_OPTIONS, options, NULL)) != -1) {
        if (option == OPTION_FORMAT && strcmp(optarg, "csv") == 0)
            *ret = EXPORT_CSV;
        else if (option == OPTION_FORMAT && strcmp(optarg, "json") == 0)
            *ret = EXPORT_JSON;
        else if (option == OPTION_FORMAT)
            return cli_usage(cli, "export", "--format %.60s: there are csv and json", optarg);
        else if ((code = cli_common_option(cli, "export", option, argv)) >= 0)
            return code;
    }
    if (cli->json && *ret == EXPORT_CSV)
        return cli_usage(cli, "export", "--json is --format json: it can't be csv as well");
    if (*ret == EXPORT_UNSET)
        *ret = cli->json ? EXPORT_JSON : EXPORT_CSV;
    return cli_operands(cli, "export", argc, argv, 0, 0);
}

int cmd_export(struct cli *cli, int argc, char **argv)
{
    struct exporting exporting = { 0 };
    int code = parse(cli, argc, argv, &exporting.format);
    if (code >= 0)
        return code;
    struct session session = { 0 };
    struct bursar_error err = { 0 };
    enum bursar_status status = export(cli, &session, &exporting, &err);
    session_close(&session);
    buf_free(&exporting.line);
    if (status != BURSAR_OK) {
        err.status = status;
        /* Half a document stays half a document: an error behind it would make it look like two. */
        return output_error(exporting.format == EXPORT_JSON && !exporting.has_begun, &err);
    }
    return EXIT_CODE_DONE;
}
