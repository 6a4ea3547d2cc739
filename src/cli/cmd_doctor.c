/* bursar doctor: what is wrong, with what to do. The checks are src/doctor's; here they are handed what they need, and
 * printed as they come. */
#include "base/cleanup.h"
#include "cli/context.h"
#include "cli/exit_code.h"
#include "cli/shown.h"
#include "cli/webhook_check.h"
#include "doctor/doctor.h"

#include <string.h>
#include <unistd.h>

#define NODE_TIMEOUT_MAX_MS 5000
#define NAME_WIDTH 14

/* What came in, and what is printed at the end. */
struct printing {
    bool json;
    json_t *checks;
    bool is_broken; /* out of memory */
    size_t counts[CHECK_NOT_CHECKED + 1];
    enum check_grade grade; /* the gravest */
    const char *treasury;   /* of the line before */
    bool has_begun;
};

static enum output_colour result_colour(enum check_result result)
{
    switch (result) {
    case CHECK_OK:
        return COLOUR_GOOD;
    case CHECK_WARNING:
        return COLOUR_WAIT;
    case CHECK_WRONG:
        return COLOUR_BAD;
    case CHECK_NOT_CHECKED:
        return COLOUR_PLAIN;
    }
    return COLOUR_PLAIN;
}

static const char *result_word(enum check_result result)
{
    switch (result) {
    case CHECK_OK:
        return "ok";
    case CHECK_WARNING:
        return "warning";
    case CHECK_WRONG:
        return "WRONG";
    case CHECK_NOT_CHECKED:
        return "-";
    }
    return "?";
}

static void print_check(struct printing *printing, const struct check *check)
{
    char subject[CHECK_SUBJECT_MAX_BYTES], found[CHECK_TEXT_MAX_BYTES], action[CHECK_TEXT_MAX_BYTES];
    output_plain(check->subject, subject, sizeof subject);
    output_plain(check->found, found, sizeof found);
    output_plain(check->action, action, sizeof action);
    if (check->treasury && check->treasury != printing->treasury)
        (void)printf("\n%s%s%s\n", output_colour_on(stdout, COLOUR_TITLE), check->treasury, output_colour_off(stdout));
    printing->treasury = check->treasury;
    (void)printf("%s%-8s%s %-*s%s%s%s%s\n", output_colour_on(stdout, result_colour(check->result)),
                 result_word(check->result), output_colour_off(stdout), NAME_WIDTH, check->name, subject,
                 subject[0] ? ": " : "", check->result == CHECK_NOT_CHECKED ? "not checked: " : "", found);
    if (action[0])
        (void)printf("%*s%sto do:%s %s\n", NAME_WIDTH + 9, "", output_colour_on(stdout, COLOUR_TITLE),
                     output_colour_off(stdout), action);
    (void)fflush(stdout);
}

static json_t *check_json(const struct check *check)
{
    return json_pack("{s:o,s:s,s:o,s:s,s:o,s:o}", "treasury",
                     check->treasury ? output_json_text(check->treasury) : json_null(), "check", check->name, "subject",
                     check->subject[0] ? output_json_text(check->subject) : json_null(), "result",
                     check_result_name(check->result), "found", output_json_text(check->found), "action",
                     check->action[0] ? output_json_text(check->action) : json_null());
}

static void take_check(void *ctx, const struct check *check)
{
    struct printing *printing = ctx;
    printing->counts[check->result]++;
    if (check->result == CHECK_WRONG && check->grade > printing->grade)
        printing->grade = check->grade;
    if (!printing->json)
        print_check(printing, check);
    else if (json_array_append_new(printing->checks, check_json(check)) != 0)
        printing->is_broken = true;
}

static enum exit_code code_of(enum check_grade grade)
{
    switch (grade) {
    case GRADE_NONE:
        return EXIT_CODE_DONE;
    case GRADE_PERSON:
        return EXIT_CODE_INCOMPLETE;
    case GRADE_UNREACHABLE:
        return EXIT_CODE_UNREACHABLE;
    case GRADE_SAFETY:
        return EXIT_CODE_REFUSED;
    }
    return EXIT_CODE_INTERNAL;
}

static void examine_section(const struct doctor *doctor, const struct config *config,
                            const struct treasury_config *section, const struct store *store)
{
    struct node node = { 0 };
    struct bursar_error err = { 0 };
    struct doctor_node nodes[CONFIG_RPC_URLS_MAX_COUNT];
    uint32_t timeout_ms =
        config->rpc_timeout_ms < NODE_TIMEOUT_MAX_MS ? (uint32_t)config->rpc_timeout_ms : NODE_TIMEOUT_MAX_MS;
    struct doctor_subject subject = { .name = section->name,
                                      .chain_id = section->chain_id,
                                      .keystore = section->keystore,
                                      .password_file = section->password_file,
                                      .nodes = nodes,
                                      .quorum = config_quorum(section),
                                      .epoch = section->epoch,
                                      .caps = { config->max_fee_per_gas_wei, config->max_priority_fee_per_gas_wei },
                                      .store = store,
                                      .store_path = config->store_path };
    shown_limits(config, section, &subject.limits);
    if (node_open(&node, section, timeout_ms, NULL, NULL, &err) != BURSAR_OK) {
        struct doctor of_treasury = *doctor;
        of_treasury.treasury = section->name;
        doctor_tell(&of_treasury,
                    (struct finding){ .name = "node",
                                      .result = CHECK_WRONG,
                                      .grade = GRADE_PERSON,
                                      .action = "correct `rpc` in bursar.conf (`bursar help config`)" },
                    "%.700s", err.message);
    } else {
        subject.node_count = node.count;
    }
    for (size_t i = 0; i < subject.node_count; i++)
        nodes[i] = (struct doctor_node){ .name = node_name(&node, i),
                                         .chain = node_chain(&node, i),
                                         .rpc = node_rpc(&node, i) };
    doctor_treasury(doctor, &subject);
    node_close(&node);
}

static void tell_config(const struct doctor *doctor, const struct session *session)
{
    const struct config *config = session->config;
    struct finding finding = { .name = "configuration", .subject = config->path, .result = CHECK_OK };
    struct bursar_error err = { 0 };
    /* A keystore that can't be read is told where it is looked at. */
    if (session_check_accounts(session, &err) == BURSAR_EINVAL && strstr(err.message, "same account")) {
        finding.result = CHECK_WRONG;
        finding.grade = GRADE_PERSON;
        finding.action = "take one of the two sections out of bursar.conf";
        doctor_tell(doctor, finding, "%.700s", err.message);
        return;
    }
    doctor_tell(doctor, finding, "valid, %zu %s", config->treasury_count,
                config->treasury_count == 1 ? "treasury" : "treasuries");
}

static void examine_all(const struct doctor *doctor, struct session *session, size_t first, size_t end)
{
    const struct config *config = session->config;
    tell_config(doctor, session);
    (void)doctor_file(doctor, "config_file", config->path);
    session->sqlite = doctor_store(doctor, config->store_path);
    if (session->sqlite)
        session->store = sqlite_store_interface(session->sqlite);
    for (size_t i = 0; i < config->webhook_count; i++)
        webhook_check(doctor, session->sqlite ? &session->store : NULL, &config->webhooks[i]);
    for (size_t i = first; i < end; i++)
        examine_section(doctor, config, &config->treasuries[i], session->sqlite ? &session->store : NULL);
}

/* Without a configuration there is nothing to look at: says so, check by check. */
static void tell_no_config(const struct doctor *doctor, const struct cli *cli, const struct bursar_error *err)
{
    static const char because[] = "it needs the configuration";
    bool is_missing = err->status == BURSAR_ENOTFOUND;
    doctor_tell(doctor,
                (struct finding){ .name = "configuration",
                                  .subject = cli->config_path,
                                  .result = CHECK_WRONG,
                                  .grade = GRADE_PERSON,
                                  .action = is_missing ? "run it in the treasury's folder, or name the file: `bursar "
                                                         "-c FILE doctor`"
                                                       : "correct that file (`bursar help config` has every setting)" },
                "%.700s", err->message);
    doctor_skip_store(doctor, because);
    doctor_skip_treasury(doctor, because);
}

static enum bursar_status print_end(struct printing *printing, struct bursar_error *err)
{
    const size_t *counts = printing->counts;
    if (printing->json)
        return output_json(printing->is_broken
                               ? NULL
                               : json_pack("{s:b,s:I,s:I,s:I,s:O}", "ok", printing->grade == GRADE_NONE, "wrong",
                                           (json_int_t)counts[CHECK_WRONG], "warnings",
                                           (json_int_t)counts[CHECK_WARNING], "not_checked",
                                           (json_int_t)counts[CHECK_NOT_CHECKED], "checks", printing->checks),
                           err);
    (void)printf("\n%zu wrong, %zu warning%s, %zu ok, %zu not checked\n", counts[CHECK_WRONG], counts[CHECK_WARNING],
                 counts[CHECK_WARNING] == 1 ? "" : "s", counts[CHECK_OK], counts[CHECK_NOT_CHECKED]);
    return BURSAR_OK;
}

static enum bursar_status examine(struct cli *cli, struct session *session, struct printing *printing,
                                  struct bursar_error *err)
{
    const struct doctor doctor = { .visit = take_check, .ctx = printing, .clock = system_clock() };
    struct bursar_error trouble = { 0 };
    size_t first = 0, end = 0;
    enum bursar_status status = config_load(cli->config_path, environ, &session->config, &trouble);
    trouble.status = status;
    if (status == BURSAR_ENOMEM)
        return bursar_fail(err, status, "out of memory");
    if (status != BURSAR_OK) {
        tell_no_config(&doctor, cli, &trouble);
        return print_end(printing, err);
    }
    status = session_sections(session, cli, &first, &end, err);
    if (status != BURSAR_OK)
        return status;
    examine_all(&doctor, session, first, end);
    return print_end(printing, err);
}

int cmd_doctor(struct cli *cli, int argc, char **argv)
{
    static const struct option options[] = { CLI_LONG_OPTIONS };
    int option, code;
    while ((option = getopt_long(argc, argv, CLI_SHORT_OPTIONS, options, NULL)) != -1) {
        if ((code = cli_common_option(cli, "doctor", option, argv)) >= 0)
            return code;
    }
    if ((code = cli_operands(cli, "doctor", argc, argv, 0, 0)) >= 0)
        return code;
    struct session session = { 0 };
    struct bursar_error err = { 0 };
    struct printing printing = { .json = cli->json, .checks = json_array() };
    enum bursar_status status = examine(cli, &session, &printing, &err);
    session_close(&session);
    json_decref(printing.checks);
    if (status != BURSAR_OK) {
        err.status = status;
        return output_error(cli->json, &err);
    }
    return (int)code_of(printing.grade);
}
