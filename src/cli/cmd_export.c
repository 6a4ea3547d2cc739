/* bursar export: a statement of all disbursements, written while it is read, so that its size does not matter. */
#include "base/cleanup.h"
#include "base/time.h"
#include "cli/context.h"
#include "cli/exit_code.h"
#include "cli/shown.h"
#include "service/export.h"

#include <errno.h>
#include <string.h>

#define OPTION_FORMAT 1

static enum bursar_status write_out(struct buf *piece, struct bursar_error *err)
{
    (void)fwrite(piece->data, 1, piece->length_bytes, stdout);
    buf_clear(piece);
    return ferror(stdout) ? bursar_fail(err, BURSAR_EINTERNAL, "can't write to standard output: %s", strerror(errno))
                          : BURSAR_OK;
}

static enum bursar_status export_all(struct cli *cli, struct session *session, struct export_cursor *cursor,
                                     struct bursar_error *err)
{
    const struct treasury_config *section;
    struct treasury treasury;
    struct situation situation;
    struct asset_names names = { 0 };
    struct clock clock = system_clock();
    cleanup(buf_free) struct buf piece = { 0 };
    enum bursar_status status = session_open(session, cli, SQLITE_MODE_READ, NULL, NULL, err);
    if (status == BURSAR_OK)
        status = session_section(session, cli, &section, err);
    if (status == BURSAR_OK)
        status = treasury_of_section(session, section, &treasury, err);
    if (status == BURSAR_OK)
        status = shown_situation(session, section, &treasury, clock.wall_ms(clock.ctx), &situation, err);
    if (status == BURSAR_OK)
        names = (struct asset_names){ session->config->assets, session->config->asset_count, treasury.chain_id };
    while (status == BURSAR_OK && !cursor->is_done) {
        status = export_next(cursor, &session->store, &situation, &names, &piece, err);
        if (status == BURSAR_OK)
            status = write_out(&piece, err);
    }
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
    struct export_cursor cursor = { 0 };
    int code = parse(cli, argc, argv, &cursor.format);
    if (code >= 0)
        return code;
    struct session session = { 0 };
    struct bursar_error err = { 0 };
    enum bursar_status status = export_all(cli, &session, &cursor, &err);
    session_close(&session);
    if (status != BURSAR_OK) {
        err.status = status;
        /* Half a document stays half a document: an error behind it would make it look like two. */
        return output_error(cursor.format == EXPORT_JSON && !cursor.has_begun, &err);
    }
    return EXIT_CODE_DONE;
}
