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
      "  --ref-prefix P         put P before every ref of the file\n",
      cmd_pay },
    { "run", "[--until-idle]", "the executor: pay what is due, until stopped",
      "Pays for every treasury of bursar.conf, or for --treasury's only. Waits for a node that is down, for funds, "
      "and\n"
      "for a lease that another executor holds. SIGINT or SIGTERM ends it within two seconds, at any moment.\n\n"
      "  --until-idle           end when nothing is left that time alone will bring on: 0 all paid, 5 some failed or\n"
      "                         are blocked, 6 halted for safety\n",
      cmd_run },
    { "list", "[--state STATE] [--limit N] [--after ID] [--json]", "list disbursements",
      "  --state STATE          draft, voting, queued, staged, executed, finalized, cancelled, failed, rolled_back\n"
      "  --limit N              how many, 1-10000 (default: 50)\n"
      "  --after ID             go on behind this one (its ID, or ref:REF)\n",
      cmd_list },
    { "show", "ID [--json]", "show one disbursement with its history and transactions",
      "ID is a number of `bursar list`, or ref:REF.\n", cmd_show },
    { "status", "[--json]", "balance, queue, lease, and what is stuck and why",
      "Works beside a running executor, and with the node down.\n", cmd_status },
    { "reconcile", "[--json]", "compare store, signing log and chain",
      "Every disbursement with a transaction, every nonce from the first, and the sums are read from the chain and\n"
      "compared. Changes nothing. 0 all agree, 6 not, 4 not reachable.\n",
      cmd_reconcile },
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
