/* The table of commands. */
#include "base/cleanup.h"
#include "cli/context.h"

#include <string.h>

const struct command COMMANDS[] = {
    { "init", "--rpc URL --keystore FILE --password-file FILE [--store URL] [--adopt-account] [--json]",
      "write bursar.conf and create the store in this folder",
      "Asks the node for its chain id, checks keystore and password, and creates an empty signing log beside the\n"
      "keystore, the store, and bursar.conf. Refuses to overwrite any of them.\n\n"
      "  --rpc URL              an Ethereum node\n"
      "  --keystore FILE        the treasury's key (Web3 Secret Storage V3)\n"
      "  --password-file FILE   holds its password\n"
      "  --store URL            default: sqlite:bursar.db\n"
      "  --adopt-account        the account has sent before and its signing log is not here: acknowledge that those\n"
      "                         payments are unknown, and would be made again if imported again\n",
      cmd_init },
    { "pay", "FILE [--dry-run] [--wait] [--ref-prefix P] [--json]",
      "import a payment file (CSV or JSON Lines): all new rows, or none",
      "FILE - is standard input. A ref that is stored with the same content is not an error: it is already there.\n\n"
      "  --dry-run              check the file against the store, add nothing\n"
      "  --wait                 watch until all of its rows are final (5: some can't become so by themselves)\n"
      "  --ref-prefix P         put P before every ref of the file\n\n"
      "The column `asset` names what is paid: empty or `native` for the coin, else a token's address or the NAME of "
      "an\n"
      "[asset NAME] section (`bursar help config`). An `amount` is in whole units of it. The decimals of a token are\n"
      "read from the chain with its first file, and are known from then on.\n\n"
      "A file of the Safe airdrop app (token_type, token_address, receiver, amount) needs --ref-prefix: the ref of "
      "each\n"
      "row is P and the row's line number.\n",
      cmd_pay },
    { "run", "[--until-idle]", "the executor: pay what is due, until stopped",
      "Pays for every treasury of bursar.conf, or for --treasury's only. Waits for a node that is down, for funds, "
      "and\n"
      "for a lease that another executor holds. SIGINT or SIGTERM ends it within two seconds, at any moment.\n"
      "SIGHUP has it read bursar.conf again: `bursar help config` says what can change.\n"
      "It serves HTTP, and delivers events to webhooks, beside paying: [http] and [webhook NAME] in bursar.conf.\n\n"
      "  --until-idle           end when nothing is left that time alone will bring on: 0 all paid, 5 some failed or\n"
      "                         are blocked, 6 halted for safety\n",
      cmd_run },
    { "list", "[--state STATE] [--limit N] [--after ID] [--json]", "list disbursements",
      "What has no transaction yet, or is stuck, says why instead; `bursar show ID` has all of it, and what to do.\n\n"
      "  --state STATE          draft, voting, queued, staged, executed, finalized, cancelled, failed, rolled_back\n"
      "  --limit N              how many, 1-10000 (default: 50)\n"
      "  --after ID             go on behind this one (its ID, or ref:REF)\n",
      cmd_list },
    { "show", "ID [--json]", "show one disbursement with its history and transactions",
      "ID is a number of `bursar list`, or ref:REF.\n", cmd_show },
    { "status", "[--json]", "balance, queue, lease, and what is stuck and why",
      "For what is stuck one cause and one action each. Works beside a running executor, and with the node down;\n"
      "`bursar doctor` looks deeper.\n",
      cmd_status },
    { "doctor", "[--json]", "look at everything that paying needs, and say what is wrong with what to do",
      "Configuration, files, key, store, disk, signing log, every node by itself, chain, clock, fees, nonces, "
      "balance,\n"
      "executor, breaker, halt, and what is stuck: one line each, and what to do where something is wrong. What can't "
      "be\n"
      "checked says why. Changes nothing, and works beside a running executor.\n\n"
      "0 all well (there may be warnings), 5 something needs a person, 4 store or chain is not reachable, so that not\n"
      "everything was checked, 6 halted for safety, or would be. What comes last here outweighs what comes first.\n",
      cmd_doctor },
    { "top", "[--interval SECONDS] [--once]", "how treasuries stand, live, in a terminal",
      "Balance, executor, breaker, halt and nodes of each treasury; of one of them the queue, the pace, what does not\n"
      "move and why, what is in flight, and what happened last. Changes nothing, and works beside a running executor.\n"
      "Where standard output is no terminal it prints this once and ends.\n\n"
      "  --interval SECONDS     how often it looks: 0.1-60 (default: 1)\n"
      "  --once                 print it once and end\n\n"
      "Keys: q quit, t next treasury, arrows, PgUp and PgDn scroll, ? help.\n",
      cmd_top },
    { "cancel", "ID --reason TEXT [--json]",
      "do not pay a disbursement; what is sent already, if it is not mined first",
      "ID is a number of `bursar list`, or ref:REF. A queued one at once, also beside a running executor. One that is\n"
      "bound to a nonce becomes a request: the executor offers a transfer of 0 to itself at that nonce, and whichever "
      "is\n"
      "mined decides. Refused (6) once its payment is in a block. Its ref stays used for ever, and what depends on it "
      "is\n"
      "blocked.\n\n"
      "  --reason TEXT          kept in the history, 1-500 bytes\n",
      cmd_cancel },
    { "retry", "ID --reason TEXT [--json]", "pay a failed disbursement after all",
      "ID is a number of `bursar list`, or ref:REF. It failed since its transaction was reverted, in a final block: "
      "find\n"
      "out why first, or it fails again. It is queued again, and paid with a nonce of its own. What has not failed is\n"
      "refused (6).\n\n"
      "  --reason TEXT          kept in the history, 1-500 bytes\n",
      cmd_retry },
    { "breaker", "[show | open | close | reset] [--money] [--reason TEXT] [--for TIME] [--json]",
      "the circuit breaker and the money breaker: show them, or change one by hand",
      "It opens by itself when the node keeps failing, and then nothing new is paid. A change is in force when the\n"
      "command returns, survives a restart, and is kept in the history with who and why.\n\n"
      "The money breaker opens when payments go wrong: reverts, a nonce that somebody else has used, money that is\n"
      "missing, more to be paid within an hour than is expected ([money_breaker] in `bursar help config`). Then "
      "nothing\n"
      "is bound or replaced until a person closes it; what is in flight is handed over again, and may be cancelled.\n\n"
      "  open                   stop paying; stays open until somebody closes it\n"
      "  close                  pay on, with counters at zero; it opens again when the node keeps failing\n"
      "  reset                  as new: closed, with nothing remembered\n"
      "  --money                open and close: the money breaker\n"
      "  --for TIME             open: for 45s, 30m, 2h or 1d, at most 30d; then it tries again by itself\n"
      "                         close: held closed for that time, at most 1d: failures count and do not open it;\n"
      "                         then the next failure opens it, if with it there are enough in the window\n"
      "  --reason TEXT          1-500 bytes; needed for all but show\n",
      cmd_breaker },
    { "export", "[--format csv|json] [--json]", "a statement: every disbursement, its transaction, block and fee",
      "Amounts and fees in wei, amount_ether in ether, times in UTC. In CSV, ref and memo are quoted and not altered:\n"
      "have a spreadsheet import those two columns as text, or it takes what begins with = + - @ for a formula.\n\n"
      "  --format csv           RFC 4180 with a heading (default)\n"
      "  --format json          one document, {\"items\":[...]}; so is --json\n",
      cmd_export },
    { "reconcile", "[--dry-run | --adopt [--reason TEXT]] [--assign TXHASH=ID]... [--from-block N] [--json]",
      "compare store, signing log and chain; with --adopt, put the store right",
      "Every disbursement with a transaction, every nonce from the first, and the sums are read from the chain and\n"
      "compared. Changes nothing. 0 all agree, 6 not, 4 not reachable.\n\n"
      "When the store is an older copy or a new one, or the signing log was lost, nothing is paid until it is adopted\n"
      "what was signed and paid without its knowing. Each transaction of the account, from the signing log and the\n"
      "chain, is given to one unpaid disbursement that owes exactly the same. What fits none is left to you, and\n"
      "nothing is changed then (6). End `bursar run` first; import lost payment files again first.\n\n"
      "  --dry-run              what --adopt would do\n"
      "  --adopt                do it, and end the halt: all of it or nothing\n"
      "  --reason TEXT          kept in the history, 1-300 bytes\n"
      "  --assign TXHASH=ID     this transaction pays that disbursement (a number, or ref:REF)\n"
      "  --assign TXHASH=foreign     it pays none of yours, now or later\n"
      "  --assign unmatched=foreign  so do all that no disbursement owes\n"
      "  --from-block N         where to start looking for transactions that nothing here knows the hash of\n",
      cmd_reconcile },
    { "token", "create --name NAME --scope SCOPES [--expires WHEN] | list | revoke NAME  [--json]",
      "who may use the HTTP API of `bursar run`",
      "create prints the token, once: only its hash is kept. It is sent as `Authorization: Bearer TOKEN`. A revoked "
      "one is\n"
      "refused from the next request on. What is done with a token is in the history as done by `token NAME`; a name "
      "is\n"
      "never used again.\n\n"
      "  --name NAME            1-64 letters, digits, '.', '_' and '-'\n"
      "  --scope SCOPES         separated by commas: read; pay: create disbursements; operate: cancel, retry, "
      "breaker,\n"
      "                         reconcile. Every token may read\n"
      "  --expires WHEN         a time such as 2026-12-31T00:00:00Z, or a number of days such as 90d (default: "
      "never)\n",
      cmd_token },
    { "help", "[COMMAND | config]", "explain a command, or bursar.conf", "", cmd_help },
};
const size_t COMMAND_COUNT = COUNT_OF(COMMANDS);

const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(COMMANDS[i].name, name) == 0)
            return &COMMANDS[i];
    }
    return NULL;
}
