/* Every statement of the SQLite store, one string each. PLANNED ones run while executing and must never walk a table:
 * a test asks SQLite for each one's query plan. SHOWN ones serve people and may cost what they show. */
#ifndef STORE_SQLITE_SQL_H
#define STORE_SQLITE_SQL_H

#define SHOWN_COLUMNS                                                                                                  \
    "SELECT d.id, d.version, d.ref, d.content_hash, d.destination, d.amount, d.memo, d.schedule, d.schedule_value, "   \
    "d.state, d.blocked, w.ref, w.state, "                                                                             \
    "(SELECT at_ms FROM event WHERE disbursement = d.id ORDER BY seq LIMIT 1), "                                       \
    "i.nonce, a.hash, a.block_no, a.block_hash, a.gas_used, a.gas_price, "                                             \
    "(SELECT at_ms FROM event WHERE disbursement = d.id ORDER BY seq DESC LIMIT 1), "                                  \
    "a.seq, a.purpose, a.max_fee_per_gas, a.max_priority_fee_per_gas, a.head_no, a.sends, a.last_sent_ms, a.verdict, " \
    "a.message, EXISTS (SELECT 1 FROM request WHERE done_ms IS NULL AND kind = 1 AND target = d.id), "                 \
    "d.asset, p.decimals, d.block_note, d.block_gas, d.recheck_no, "                                                   \
    "(SELECT short_by FROM intent_item WHERE intent = i.id AND disbursement = d.id) "                                  \
    "FROM disbursement d LEFT JOIN disbursement w ON w.id = d.waits_on "                                               \
    "LEFT JOIN asset p ON p.treasury = d.treasury AND p.token = d.asset "                                              \
    "LEFT JOIN intent i ON i.id = (SELECT max(intent) FROM intent_item WHERE disbursement = d.id "                     \
    "AND (live = 1 OR d.state = 8 OR outcome = 9)) "                                                                   \
    "LEFT JOIN attempt a ON a.id = (SELECT id FROM attempt WHERE intent = i.id "                                       \
    "ORDER BY status DESC, seq DESC LIMIT 1) "

#define TREASURY_COLUMNS                                                                                               \
    "SELECT id, name, chain_id, address, epoch_source, genesis, first_nonce, anchor_no, anchor_hash, scan_no, "        \
    "scan_hash, halt_code, halt_reason, lease_holder, lease_epoch, renewals, lease_renewed_ms, lease_ttl_ms "          \
    "FROM treasury "

/* Walks IDs (?2, ?3]: the unary plus keeps other indexes out of it. */
#define SEARCH_WHERE                                                                                                   \
    "WHERE +d.treasury = ?1 AND d.id > ?2 AND d.id <= ?3 AND (?5 IS NULL OR +d.state = ?5) "                           \
    "AND (?6 IS NULL OR d.destination = ?6) AND (?7 IS NULL OR substr(d.ref, 1, length(?7)) = ?7) "                    \
    "AND (?8 IS NULL OR d.amount >= ?8) AND (?9 IS NULL OR d.amount <= ?9) "                                           \
    "AND (?10 IS NULL OR (d.schedule = 2 AND d.schedule_value = ?10)) "                                                \
    "AND ((?11 IS NULL AND ?12 IS NULL) OR (SELECT at_ms FROM event WHERE disbursement = d.id ORDER BY seq LIMIT 1) "  \
    "BETWEEN coalesce(?11, 0) AND coalesce(?12, 9223372036854775807)) "                                                \
    "AND ((?13 IS NULL AND ?14 IS NULL) OR (SELECT at_ms FROM event WHERE disbursement = d.id ORDER BY seq DESC "      \
    "LIMIT 1) BETWEEN coalesce(?13, 0) AND coalesce(?14, 9223372036854775807)) "

#define TOKEN_COLUMNS                                                                                                  \
    "SELECT id, name, hash, scopes, created_ms, created_by, expires_ms, revoked_ms, revoked_by FROM token "

#define SQLITE_STATEMENTS(S)                                                                                           \
    S(BEGIN_WRITE, PLANNED, "BEGIN IMMEDIATE")                                                                         \
    S(BEGIN_READ, PLANNED, "BEGIN DEFERRED")                                                                           \
    S(COMMIT, PLANNED, "COMMIT")                                                                                       \
    S(ROLLBACK, PLANNED, "ROLLBACK")                                                                                   \
    /* treasuries */                                                                                                   \
    S(TREASURY_ADD, SHOWN, "INSERT INTO treasury (name, chain_id, address, epoch_source) VALUES (?1, ?2, ?3, ?4)")     \
    S(TREASURY_FIND, PLANNED, TREASURY_COLUMNS "WHERE chain_id = ?1 AND address = ?2")                                 \
    S(TREASURY_GET, PLANNED, TREASURY_COLUMNS "WHERE id = ?1")                                                         \
    S(TREASURY_PIN, PLANNED,                                                                                           \
      "UPDATE treasury SET genesis = ?2, first_nonce = ?3, anchor_no = ?4, anchor_hash = ?5, scan_no = ?6, "           \
      "scan_hash = ?7 WHERE id = ?1 AND genesis IS NULL")                                                              \
    S(TREASURY_SET_EPOCH_SOURCE, SHOWN, "UPDATE treasury SET epoch_source = ?2 WHERE id = ?1")                         \
    S(EPOCH_ROW_WAITS, SHOWN, "SELECT 1 FROM disbursement WHERE treasury = ?1 AND state = 3 AND schedule = 2 LIMIT 1") \
    /* events */                                                                                                       \
    S(EVENT_LAST, PLANNED,                                                                                             \
      "SELECT seq, treasury, disbursement, intent, at_ms, cause, from_state, to_state, actor, detail, prev_hash "      \
      "FROM event WHERE seq = (SELECT max(seq) FROM event)")                                                           \
    S(EVENT_ADD, PLANNED, "INSERT INTO event VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)")                   \
    /* the one move: compare-and-set */                                                                                \
    S(DISBURSEMENT_MOVE, PLANNED,                                                                                      \
      "UPDATE disbursement SET state = ?4, version = version + 1, blocked = 0, recheck_no = 0, looks = 0, block_gas "  \
      "= 0, block_note = '', wakes = CASE WHEN ?4 = 6 "                                                                \
      "THEN EXISTS (SELECT 1 FROM disbursement q WHERE q.waits_on = ?1) ELSE 0 END, "                                  \
      "waits_on = CASE WHEN ?4 = 7 THEN NULL ELSE waits_on END "                                                       \
      "WHERE id = ?1 AND state = ?2 AND version = ?3 AND treasury = ?5")                                               \
    /* the same for what was bound, which has neither a block nor the wish to wake left: fewer indexes to look at */   \
    S(DISBURSEMENT_GO_ON, PLANNED,                                                                                     \
      "UPDATE disbursement SET state = ?4, version = version + 1, wakes = CASE WHEN ?4 = 6 "                           \
      "THEN EXISTS (SELECT 1 FROM disbursement q WHERE q.waits_on = ?1) ELSE 0 END "                                   \
      "WHERE id = ?1 AND state = ?2 AND version = ?3 AND treasury = ?5")                                               \
    /* import */                                                                                                       \
    S(IMPORT_FIND, SHOWN, "SELECT id, content_hash FROM disbursement WHERE treasury = ?1 AND ref = ?2")                \
    S(IMPORT_MAX_ID, SHOWN, "SELECT max(id) FROM disbursement")                                                        \
    S(IMPORT_ADD, SHOWN,                                                                                               \
      "INSERT INTO disbursement (id, treasury, state, schedule, schedule_value, ref, content_hash, destination, "      \
      "amount, memo, asset) VALUES (?1, ?2, 3, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")                                      \
    S(IMPORT_DEPENDENCY_FIND, SHOWN, "SELECT id, state FROM disbursement WHERE treasury = ?1 AND ref = ?2")            \
    S(IMPORT_DEPENDENCY_ADD, SHOWN, "INSERT INTO dependency (id, on_id) VALUES (?1, ?2)")                              \
    S(TOKEN_DECIMALS, SHOWN, "SELECT decimals FROM asset WHERE treasury = ?1 AND token = ?2")                          \
    S(TOKEN_PIN, SHOWN, "INSERT INTO asset (treasury, token, decimals) VALUES (?1, ?2, ?3)")                           \
    S(WAIT_ON, PLANNED, "UPDATE disbursement SET waits_on = ?2 WHERE id = ?1")                                         \
    /* lease */                                                                                                        \
    S(LEASE_EPOCH, PLANNED, "SELECT lease_epoch FROM treasury WHERE id = ?1 AND lease_holder <> ''")                   \
    S(LEASE_TAKE, PLANNED,                                                                                             \
      "UPDATE treasury SET lease_holder = ?2, lease_epoch = lease_epoch + 1, renewals = renewals + 1, "                \
      "lease_renewed_ms = ?3, lease_ttl_ms = ?4 WHERE id = ?1")                                                        \
    S(LEASE_RENEW, PLANNED,                                                                                            \
      "UPDATE treasury SET renewals = renewals + 1, lease_renewed_ms = ?3 WHERE id = ?1 AND lease_epoch = ?2")         \
    S(LEASE_RELEASE, PLANNED, "UPDATE treasury SET lease_holder = '' WHERE id = ?1 AND lease_epoch = ?2")              \
    /* due */                                                                                                          \
    S(DUE_NOW, PLANNED,                                                                                                \
      "SELECT id, version, destination, amount, asset, looks, content_hash FROM disbursement "                         \
      "INDEXED BY disbursement_due "                                                                                   \
      "WHERE treasury = ?1 AND schedule = 0 AND schedule_value = 0 AND state = 3 AND waits_on IS NULL "                \
      "AND blocked = 0 ORDER BY id LIMIT ?2")                                                                          \
    S(DUE_SCHEDULED, PLANNED,                                                                                          \
      "SELECT id, version, destination, amount, asset, looks, content_hash FROM disbursement "                         \
      "INDEXED BY disbursement_due "                                                                                   \
      "WHERE treasury = ?1 AND schedule = ?3 AND schedule_value <= ?4 AND state = 3 AND waits_on IS NULL "             \
      "AND blocked = 0 ORDER BY schedule_value, id LIMIT ?2")                                                          \
    S(WAKES_NEXT, PLANNED, "SELECT id FROM disbursement WHERE treasury = ?1 AND wakes = 1 ORDER BY id LIMIT 1")        \
    S(WAKES_DONE, PLANNED, "UPDATE disbursement SET wakes = 0 WHERE id = ?1")                                          \
    S(WAITING_ON, PLANNED, "SELECT id FROM disbursement WHERE waits_on = ?1 ORDER BY id LIMIT ?2")                     \
    S(NEXT_DEPENDENCY, PLANNED,                                                                                        \
      "SELECT p.on_id FROM dependency p JOIN disbursement d ON d.id = p.on_id WHERE p.id = ?1 AND d.state <> 6 "       \
      "LIMIT 1")                                                                                                       \
    S(UNFUNDED_AFFORDABLE, PLANNED,                                                                                    \
      "SELECT id FROM disbursement INDEXED BY disbursement_unfunded WHERE treasury = ?1 AND state = 3 "                \
      "AND blocked = 1 AND recheck_no = 0 AND asset IS NULL AND amount <= ?2 ORDER BY amount, id LIMIT ?3")            \
    S(UNFUNDED_AFFORDABLE_TOKEN, PLANNED,                                                                              \
      "SELECT id FROM disbursement INDEXED BY disbursement_unfunded_token WHERE treasury = ?1 AND state = 3 "          \
      "AND blocked = 1 AND recheck_no = 0 AND asset = ?4 AND amount <= ?2 ORDER BY amount, id LIMIT ?3")               \
    S(UNFUNDED_TOKEN_NEXT, PLANNED,                                                                                    \
      "SELECT asset FROM disbursement INDEXED BY disbursement_unfunded_token WHERE treasury = ?1 AND state = 3 "       \
      "AND blocked = 1 AND recheck_no = 0 AND asset > ?2 ORDER BY asset LIMIT 1")                                      \
    S(RECHECK_REACHED, PLANNED,                                                                                        \
      "SELECT id FROM disbursement INDEXED BY disbursement_recheck WHERE treasury = ?1 AND state = 3 "                 \
      "AND recheck_no > 0 AND recheck_no <= ?2 ORDER BY recheck_no, id LIMIT ?3")                                      \
    S(UNESTIMATED, PLANNED,                                                                                            \
      "SELECT id FROM disbursement INDEXED BY disbursement_unestimated WHERE treasury = ?1 AND state = 3 "             \
      "AND blocked = 6 ORDER BY id LIMIT ?2")                                                                          \
    S(UNBLOCK, PLANNED,                                                                                                \
      "UPDATE disbursement SET blocked = 0, recheck_no = 0 WHERE id = ?1 AND state = 3 AND blocked > 0")               \
    S(BLOCK, PLANNED,                                                                                                  \
      "UPDATE disbursement SET blocked = ?3, recheck_no = ?5, looks = looks + (?5 > 0), block_gas = ?6, "              \
      "block_note = ?7 WHERE id = ?1 AND version = ?2 AND state = 3 AND treasury = ?4")                                \
    /* spending */                                                                                                     \
    S(NONCE_HIGHEST, PLANNED, "SELECT max(nonce) FROM intent WHERE treasury = ?1")                                     \
    S(NONCE_FIRST, PLANNED, "SELECT first_nonce FROM treasury WHERE id = ?1")                                          \
    S(NONCE_LOWEST_UNFINISHED, PLANNED,                                                                                \
      "SELECT nonce FROM intent WHERE treasury = ?1 AND status < 4 ORDER BY nonce LIMIT 1")                            \
    S(IN_FLIGHT_COUNT, PLANNED, "SELECT count(*) FROM intent WHERE treasury = ?1 AND status < 3")                      \
    S(INTENT_ADD, PLANNED,                                                                                             \
      "INSERT INTO intent (treasury, nonce, kind, status, to_address, value, data, gas_limit, lease_epoch, "           \
      "bound_ms) VALUES (?1, ?2, 1, 1, ?3, ?4, ?8, ?5, ?6, ?7)")                                                       \
    S(ITEM_ADD, PLANNED, "INSERT INTO intent_item (intent, disbursement, live) VALUES (?1, ?2, 1)")                    \
    S(ATTEMPT_ADD, PLANNED,                                                                                            \
      "INSERT INTO attempt (treasury, intent, seq, purpose, status, hash, max_priority_fee_per_gas, "                  \
      "max_fee_per_gas, signed_ms, raw, head_no) SELECT ?1, ?2, coalesce(max(seq), 0) + 1, ?3, 1, ?4, ?5, ?6, ?7, "    \
      "?8, ?9 "                                                                                                        \
      "FROM attempt WHERE intent = ?2")                                                                                \
    S(INTENT_MOVE, PLANNED, "UPDATE intent SET status = ?3 WHERE id = ?1 AND status = ?2 AND treasury = ?4")           \
    S(FLIGHTS, PLANNED,                                                                                                \
      "SELECT i.id, i.nonce, i.kind, i.to_address, i.value, i.gas_limit, a.id, a.hash, a.max_fee_per_gas, a.sends, "   \
      "a.last_sent_ms, a.verdict, a.seq, a.purpose, a.max_priority_fee_per_gas, a.head_no, i.data FROM intent i "      \
      "LEFT JOIN "                                                                                                     \
      "attempt a ON a.id = (SELECT id FROM attempt WHERE intent = "                                                    \
      "i.id "                                                                                                          \
      "ORDER BY seq DESC LIMIT 1) WHERE i.treasury = ?1 AND i.nonce >= ?2 AND i.status < 3 ORDER BY i.nonce LIMIT ?3") \
    S(ATTEMPTS_OLDER, PLANNED,                                                                                         \
      "SELECT id, purpose, hash FROM attempt WHERE intent = ?1 ORDER BY seq DESC LIMIT ?2 OFFSET 1")                   \
    S(REQUEST_OPEN_EXISTS, PLANNED, "SELECT 1 FROM request WHERE done_ms IS NULL AND kind = ?1 LIMIT 1")               \
    S(REQUEST_OPEN_FOR, PLANNED, "SELECT 1 FROM request WHERE done_ms IS NULL AND kind = ?1 AND target = ?2")          \
    S(REQUEST_ADD, SHOWN,                                                                                              \
      "INSERT INTO request (kind, target, version, actor, reason, at_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")             \
    S(REQUEST_DONE, PLANNED, "UPDATE request SET done_ms = ?3 WHERE done_ms IS NULL AND kind = ?1 AND target = ?2")    \
    S(CANCELS_OPEN, PLANNED,                                                                                           \
      "SELECT r.target, i.nonce FROM request r CROSS JOIN disbursement d ON d.id = r.target CROSS JOIN intent_item t " \
      "ON t.disbursement = d.id AND t.live = 1 CROSS JOIN intent i ON i.id = t.intent WHERE r.done_ms IS NULL "        \
      "AND r.kind = 1 AND d.treasury = ?1 AND i.status < 3 LIMIT ?2")                                                  \
    S(ATTEMPT_RAW, PLANNED, "SELECT raw FROM attempt WHERE id = ?1")                                                   \
    S(SUBMISSION, PLANNED,                                                                                             \
      "UPDATE attempt SET sends = sends + 1, last_sent_ms = ?2, verdict = ?3, message = ?4 WHERE id = ?1 "             \
      "AND treasury = ?5")                                                                                             \
    S(INCLUDED_UP_TO, PLANNED,                                                                                         \
      "SELECT a.id, a.intent, i.nonce, a.hash, a.block_no, a.block_hash, a.purpose, i.to_address, i.data, "            \
      "i.value FROM attempt a JOIN intent i "                                                                          \
      "ON i.id = a.intent WHERE a.treasury = ?1 AND a.status = 2 AND a.block_no <= ?2 ORDER BY a.block_no LIMIT ?3")   \
    S(INCLUDED_ABOVE, PLANNED,                                                                                         \
      "SELECT id, intent, purpose FROM attempt WHERE treasury = ?1 AND status = 2 AND block_no > ?2 LIMIT ?3")         \
    S(SCANNED, PLANNED,                                                                                                \
      "SELECT number, hash FROM block WHERE treasury = ?1 AND number >= ?2 ORDER BY number LIMIT ?3")                  \
    S(SCANNED_ADD, PLANNED, "INSERT INTO block (treasury, number, hash) VALUES (?1, ?2, ?3)")                          \
    S(SCANNED_FORGET_ABOVE, PLANNED, "DELETE FROM block WHERE treasury = ?1 AND number > ?2")                          \
    S(SCANNED_FORGET_BELOW, PLANNED, "DELETE FROM block WHERE treasury = ?1 AND number < ?2")                          \
    S(SCAN_SET, PLANNED, "UPDATE treasury SET scan_no = ?2, scan_hash = ?3 WHERE id = ?1")                             \
    S(ANCHOR_SET, PLANNED, "UPDATE treasury SET anchor_no = ?2, anchor_hash = ?3 WHERE id = ?1 AND anchor_no < ?2")    \
    S(ATTEMPT_INCLUDE, PLANNED,                                                                                        \
      "UPDATE attempt SET status = 2, block_no = ?2, block_hash = ?3 WHERE id = ?1 AND status = 1 AND intent = ?4")    \
    S(ATTEMPT_EXCLUDE, PLANNED,                                                                                        \
      "UPDATE attempt SET status = 1, block_no = NULL, block_hash = NULL, last_sent_ms = 0 WHERE id = ?1 "             \
      "AND status = 2")                                                                                                \
    S(ATTEMPT_FINISH, PLANNED,                                                                                         \
      "UPDATE attempt SET status = 3, gas_used = ?2, gas_price = ?3 WHERE id = ?1 AND status = 2 AND intent = ?4")     \
    S(ITEMS_LIVE, PLANNED,                                                                                             \
      "SELECT t.disbursement, d.state, d.version FROM intent_item t JOIN disbursement d ON d.id = t.disbursement "     \
      "WHERE t.intent = ?1 AND t.live = 1")                                                                            \
    S(ITEMS_PAID, PLANNED, "UPDATE intent_item SET outcome = ?2 WHERE intent = ?1 AND live = 1")                       \
    S(ITEMS_END, PLANNED, "UPDATE intent_item SET live = 0, outcome = ?2 WHERE intent = ?1 AND live = 1")              \
    S(ITEM_SHORT, PLANNED, "UPDATE intent_item SET short_by = ?2 WHERE intent = ?1 AND live = 1")                      \
    S(READY_EXISTS, PLANNED,                                                                                           \
      "SELECT 1 FROM disbursement INDEXED BY disbursement_due WHERE treasury = ?1 AND state = 3 "                      \
      "AND waits_on IS NULL AND blocked = 0 LIMIT 1")                                                                  \
    S(UNESTIMATED_EXISTS, PLANNED,                                                                                     \
      "SELECT 1 FROM disbursement INDEXED BY disbursement_unestimated WHERE treasury = ?1 AND state = 3 "              \
      "AND blocked = 6 LIMIT 1")                                                                                       \
    /* what people decide */                                                                                           \
    S(STANDING, SHOWN, "SELECT state, version FROM disbursement WHERE id = ?1 AND treasury = ?2")                      \
    S(ITEM_LIVE_EXISTS, SHOWN, "SELECT 1 FROM intent_item WHERE disbursement = ?1 AND live = 1")                       \
    /* circuit breaker */                                                                                              \
    S(BREAKER_VERSIONS, PLANNED,                                                                                       \
      "SELECT b.version, m.version FROM breaker b JOIN money_breaker m ON m.treasury = b.treasury "                    \
      "WHERE b.treasury = ?1")                                                                                         \
    S(BREAKER_LOAD, PLANNED,                                                                                           \
      "SELECT version, state, forced, saved_ms, open_left_ms, failed_ago_ms, changed_ago_ms, trial_ago_ms, "           \
      "successes, trials, failures, command, actor, reason, commanded_ms, openings, slices, held_left_ms "             \
      "FROM breaker WHERE treasury = ?1")                                                                              \
    S(BREAKER_SAVE, PLANNED,                                                                                           \
      "UPDATE breaker SET version = version + 1, state = ?3, forced = ?4, saved_ms = ?5, open_left_ms = ?6, "          \
      "failed_ago_ms = ?7, changed_ago_ms = ?8, trial_ago_ms = ?9, successes = ?10, trials = ?11, failures = ?12, "    \
      "command = ?13, actor = ?14, reason = ?15, commanded_ms = ?16, openings = ?17, slices = ?18, "                   \
      "held_left_ms = ?19 WHERE treasury = ?1 AND version = ?2")                                                       \
    /* money breaker */                                                                                                \
    S(MONEY_LOAD, PLANNED,                                                                                             \
      "SELECT version, cause, detail, actor, changed_ms, mark_no, mark_balance, paid FROM money_breaker "              \
      "WHERE treasury = ?1")                                                                                           \
    S(MONEY_SAVE, PLANNED,                                                                                             \
      "UPDATE money_breaker SET version = version + 1, cause = ?3, detail = ?4, actor = ?5, changed_ms = ?6 "          \
      "WHERE treasury = ?1 AND version = ?2")                                                                          \
    S(MONEY_PAID, PLANNED, "UPDATE money_breaker SET paid = ?2 WHERE treasury = ?1 AND mark_no IS NOT NULL")           \
    S(MONEY_MARK, PLANNED,                                                                                             \
      "UPDATE money_breaker SET mark_no = ?2, mark_balance = ?3, paid = zeroblob(32) WHERE treasury = ?1")             \
    S(MONEY_INCIDENT_ADD, PLANNED,                                                                                     \
      "INSERT INTO money_incident (treasury, cause, seq, at_ms, detail) SELECT ?1, ?2, "                               \
      "coalesce((SELECT max(seq) FROM money_incident WHERE treasury = ?1 AND cause = ?2), 0) + 1, ?3, ?4")             \
    S(MONEY_INCIDENT_DROP, PLANNED,                                                                                    \
      "DELETE FROM money_incident WHERE treasury = ?1 AND cause = ?2 AND seq <= "                                      \
      "(SELECT max(seq) FROM money_incident WHERE treasury = ?1 AND cause = ?2) - ?3")                                 \
    S(MONEY_INCIDENTS, PLANNED,                                                                                        \
      "SELECT cause, count(*), detail, max(seq) FROM money_incident WHERE treasury = ?1 "                              \
      "AND (cause <> 1 OR at_ms >= ?2) GROUP BY cause")                                                                \
    S(MONEY_INCIDENTS_FORGET, PLANNED, "DELETE FROM money_incident WHERE treasury = ?1")                               \
    S(MONEY_SLICE, PLANNED, "SELECT amount FROM money_spent WHERE treasury = ?1 AND asset = ?2 AND slice_ms = ?3")     \
    S(MONEY_SLICE_SET, PLANNED,                                                                                        \
      "INSERT INTO money_spent (treasury, asset, slice_ms, amount, payments) VALUES (?1, ?2, ?3, ?4, ?5) "             \
      "ON CONFLICT DO UPDATE SET amount = ?4, payments = payments + ?5")                                               \
    S(MONEY_SLICES_DROP, PLANNED, "DELETE FROM money_spent WHERE treasury = ?1 AND asset = ?2 AND slice_ms < ?3")      \
    S(MONEY_SLICES_FORGET, PLANNED, "DELETE FROM money_spent WHERE treasury = ?1")                                     \
    S(MONEY_SPENT, PLANNED, "SELECT amount FROM money_spent WHERE treasury = ?1 AND asset = ?2 AND slice_ms >= ?3")    \
    S(MONEY_PAYMENTS, PLANNED,                                                                                         \
      "SELECT coalesce(sum(payments), 0) FROM money_spent WHERE treasury = ?1 AND slice_ms >= ?2")                     \
    /* what people see */                                                                                              \
    S(SNAPSHOT_SAVE, PLANNED,                                                                                          \
      "UPDATE treasury SET last_tick_ms = ?2, last_success_ms = ?3, last_error_ms = ?4, last_error = ?5, hold = ?6, "  \
      "available = ?7, gas_cost = ?8, final_time_s = coalesce(?9, final_time_s), "                                     \
      "final_epoch = coalesce(?10, final_epoch) WHERE id = ?1")                                                        \
    S(HALT_SET, PLANNED, "UPDATE treasury SET halt_code = ?2, halt_reason = ?3 WHERE id = ?1")                         \
    S(SNAPSHOT_READ, PLANNED,                                                                                          \
      "SELECT last_tick_ms, last_success_ms, last_error_ms, last_error, hold, available, gas_cost FROM treasury "      \
      "WHERE id = ?1")                                                                                                 \
    S(COUNTS, PLANNED, "SELECT state, n FROM queue_count WHERE treasury = ?1")                                         \
    S(LIST, SHOWN, SHOWN_COLUMNS "WHERE d.treasury = ?1 AND d.id > ?2 ORDER BY d.id LIMIT ?3")                         \
    S(LIST_STATE, SHOWN, SHOWN_COLUMNS "WHERE d.treasury = ?1 AND d.id > ?2 AND d.state = ?4 ORDER BY d.id LIMIT ?3")  \
    S(LIST_BLOCKED, SHOWN,                                                                                             \
      SHOWN_COLUMNS "JOIN (SELECT id FROM disbursement WHERE treasury = ?1 AND state = 3 AND blocked > 0 "             \
                    "UNION SELECT q.id FROM disbursement f CROSS JOIN disbursement q ON q.waits_on = f.id "            \
                    "WHERE f.treasury = ?1 AND f.state IN (7, 8, 9) AND q.state = 3 "                                  \
                    "UNION SELECT id FROM disbursement WHERE treasury = ?1 AND state = 8 "                             \
                    "UNION SELECT t.disbursement FROM intent n JOIN intent_item t ON t.intent = n.id AND t.live = 1 "  \
                    "WHERE n.treasury = ?1 AND n.nonce = (SELECT min(nonce) FROM intent WHERE treasury = ?1 "          \
                    "AND status < 3)) b ON b.id = d.id "                                                               \
                    "WHERE d.id > ?2 ORDER BY d.id LIMIT ?3")                                                          \
    S(SHOW, SHOWN, SHOWN_COLUMNS "WHERE d.treasury = ?1 AND d.id = ?2")                                                \
    S(SHOW_DEPENDENCIES, SHOWN,                                                                                        \
      "SELECT d.ref FROM dependency p JOIN disbursement d ON d.id = p.on_id WHERE p.id = ?1 ORDER BY d.ref")           \
    S(SHOW_EVENTS, SHOWN,                                                                                              \
      "SELECT seq, at_ms, cause, from_state, to_state, actor, detail FROM event WHERE disbursement = ?1 ORDER BY seq") \
    S(SHOW_ATTEMPTS, SHOWN,                                                                                            \
      "SELECT a.id, a.intent, i.nonce, a.seq, a.purpose, a.status, a.hash, a.max_priority_fee_per_gas, "               \
      "a.max_fee_per_gas, a.signed_ms, a.sends, a.last_sent_ms, a.verdict, a.message, a.block_no, a.block_hash, "      \
      "a.gas_used, a.gas_price FROM intent_item t JOIN intent i ON i.id = t.intent JOIN attempt a ON a.intent = i.id " \
      "WHERE t.disbursement = ?1 ORDER BY i.nonce, a.seq")                                                             \
    S(FOREIGN_USES, SHOWN,                                                                                             \
      "SELECT (SELECT count(*) FROM attempt WHERE treasury = ?1 AND purpose = 4), i.nonce, a.hash, a.block_no, "       \
      "a.signed_ms FROM attempt a JOIN intent i ON i.id = a.intent WHERE a.id = (SELECT max(id) FROM attempt "         \
      "WHERE treasury = ?1 AND purpose = 4)")                                                                          \
    S(PROGRESS, SHOWN,                                                                                                 \
      "SELECT d.state, d.blocked, coalesce(w.state, 0) FROM disbursement d LEFT JOIN disbursement w "                  \
      "ON w.id = d.waits_on WHERE d.id = ?1")                                                                          \
    S(REF_FIND, SHOWN, "SELECT id FROM disbursement WHERE treasury = ?1 AND ref = ?2")                                 \
    S(INTENTS, SHOWN,                                                                                                  \
      "SELECT i.id, i.nonce, i.kind, i.status, i.to_address, i.value, t.disbursement, d.state, a.hash, a.block_no, "   \
      "a.block_hash, a.gas_used, a.gas_price, t.live, t.outcome, NOT EXISTS (SELECT 1 FROM intent_item n "             \
      "WHERE n.disbursement = t.disbursement AND n.intent > t.intent), a.purpose, i.data, t.short_by FROM intent i "   \
      "LEFT JOIN "                                                                                                     \
      "intent_item "                                                                                                   \
      "t ON "                                                                                                          \
      "t.intent = i.id "                                                                                               \
      "LEFT JOIN disbursement d ON d.id = t.disbursement LEFT JOIN attempt a ON a.id = (SELECT id FROM attempt "       \
      "WHERE intent = i.id ORDER BY status DESC, seq DESC LIMIT 1) WHERE i.treasury = ?1 AND i.nonce >= ?2 "           \
      "ORDER BY i.nonce LIMIT ?3")                                                                                     \
    S(DISBURSEMENT_NEWEST, PLANNED, "SELECT max(id) FROM disbursement")                                                \
    S(SEARCH_UP, SHOWN, SHOWN_COLUMNS SEARCH_WHERE "ORDER BY d.id LIMIT ?4")                                           \
    S(SEARCH_DOWN, SHOWN, SHOWN_COLUMNS SEARCH_WHERE "ORDER BY d.id DESC LIMIT ?4")                                    \
    S(EVENTS, PLANNED,                                                                                                 \
      "SELECT e.seq, e.at_ms, e.cause, e.from_state, e.to_state, e.actor, e.detail, e.treasury, "                      \
      "coalesce(e.disbursement, 0), d.ref FROM event e LEFT JOIN disbursement d ON d.id = e.disbursement "             \
      "WHERE e.seq > ?1 ORDER BY e.seq LIMIT ?2")                                                                      \
    S(TREASURY_EVENTS, PLANNED,                                                                                        \
      "SELECT e.seq, e.at_ms, e.cause, e.from_state, e.to_state, e.actor, e.detail, e.treasury, 0, NULL "              \
      "FROM event e WHERE e.disbursement IS NULL AND e.treasury = ?1 AND e.seq < ?2 ORDER BY e.seq DESC LIMIT ?3")     \
    S(EVENT_NEWEST, PLANNED, "SELECT max(seq) FROM event")                                                             \
    S(BALANCES, PLANNED,                                                                                               \
      "SELECT b.seq, b.at_ms, b.block_no, b.amount, p.amount, p.block_no, b.due FROM balance b LEFT JOIN balance p "   \
      "ON p.treasury = b.treasury AND p.seq = b.seq - 1 WHERE b.treasury = ?1 AND b.seq < ?2 "                         \
      "ORDER BY b.seq DESC LIMIT ?3")                                                                                  \
    S(SPENT_FINAL, PLANNED,                                                                                            \
      "SELECT t.disbursement, d.ref FROM attempt a CROSS JOIN intent_item t ON t.intent = a.intent "                   \
      "CROSS JOIN disbursement d ON d.id = t.disbursement WHERE a.treasury = ?1 AND a.status = 3 "                     \
      "AND a.block_no > ?2 AND a.block_no <= ?3 AND a.purpose NOT IN (3, 4) ORDER BY a.block_no LIMIT ?4")             \
    S(SPENT_INCLUDED, PLANNED,                                                                                         \
      "SELECT t.disbursement, d.ref FROM attempt a CROSS JOIN intent_item t ON t.intent = a.intent "                   \
      "CROSS JOIN disbursement d ON d.id = t.disbursement WHERE a.treasury = ?1 AND a.status = 2 "                     \
      "AND a.block_no > ?2 AND a.block_no <= ?3 AND a.purpose NOT IN (3, 4) ORDER BY a.block_no LIMIT ?4")             \
    S(BALANCE_ADD, PLANNED,                                                                                            \
      "INSERT INTO balance (treasury, seq, at_ms, block_no, amount, due) "                                             \
      "SELECT ?1, coalesce((SELECT max(seq) FROM balance WHERE treasury = ?1), 0) + 1, ?2, ?3, ?4, ?5 "                \
      "WHERE (SELECT amount IS NOT ?4 OR due IS NOT ?5 FROM balance WHERE treasury = ?1 ORDER BY seq DESC LIMIT 1) "   \
      "IS NOT 0")                                                                                                      \
    S(BALANCE_DROP, PLANNED,                                                                                           \
      "DELETE FROM balance WHERE treasury = ?1 AND seq <= (SELECT max(seq) FROM balance WHERE treasury = ?1) - ?2")    \
    /* tokens */                                                                                                       \
    S(TOKEN_GET, PLANNED, TOKEN_COLUMNS "WHERE id = ?1")                                                               \
    S(TOKEN_FIND, PLANNED, TOKEN_COLUMNS "WHERE name = ?1")                                                            \
    S(TOKEN_ADD, SHOWN,                                                                                                \
      "INSERT INTO token (name, hash, scopes, created_ms, created_by, expires_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")    \
    S(TOKEN_REVOKE, PLANNED, "UPDATE token SET revoked_ms = ?2, revoked_by = ?3 WHERE id = ?1")                        \
    /* webhooks */                                                                                                     \
    S(WEBHOOK_FIND, PLANNED,                                                                                           \
      "SELECT id, name, seq, delivered, last_success_ms, last_error_ms, last_error, next_try_ms, "                     \
      "(SELECT count(*) FROM webhook_kept k WHERE k.webhook = w.id) FROM webhook w WHERE name = ?1")                   \
    S(WEBHOOK_ADD, SHOWN, "INSERT INTO webhook (name, seq) SELECT ?1, coalesce(max(seq), 0) FROM event")               \
    S(WEBHOOK_SAVE, PLANNED,                                                                                           \
      "UPDATE webhook SET seq = ?2, delivered = ?3, last_success_ms = ?4, last_error_ms = ?5, last_error = ?6, "       \
      "next_try_ms = ?7 WHERE id = ?1")                                                                                \
    S(WEBHOOK_KEPT, PLANNED,                                                                                           \
      "SELECT k.seq, coalesce(e.disbursement, 0), e.treasury FROM webhook_kept k JOIN event e ON e.seq = k.seq "       \
      "WHERE k.webhook = ?1 ORDER BY k.seq")                                                                           \
    S(WEBHOOK_DROP, PLANNED, "DELETE FROM webhook_kept WHERE webhook = ?1")                                            \
    S(WEBHOOK_KEEP, SHOWN, "INSERT INTO webhook_kept (webhook, seq) VALUES (?1, ?2)")                                  \
    S(TOKENS, PLANNED, TOKEN_COLUMNS "WHERE id > ?1 ORDER BY id LIMIT ?2")                                             \
    /* telemetry: from the HTTP server's threads, while executing */                                                   \
    S(OWED_REACHED, PLANNED, "SELECT final_time_s, final_epoch FROM treasury WHERE id = ?1")                           \
    S(OWED_SUMS, PLANNED,                                                                                              \
      "SELECT o.schedule_value, o.asset, o.n, o.amount, p.decimals FROM owed o LEFT JOIN asset p "                     \
      "ON p.treasury = o.treasury AND p.token = o.asset WHERE o.treasury = ?1 AND o.standing = ?2 "                    \
      "AND o.schedule = ?3 ORDER BY o.schedule_value, o.asset LIMIT ?4")                                               \
    S(OWED_FIRST, PLANNED,                                                                                             \
      "SELECT (SELECT at_ms FROM event WHERE disbursement = d.id ORDER BY seq LIMIT 1) "                               \
      "FROM disbursement d INDEXED BY disbursement_due WHERE treasury = ?1 AND schedule = ?2 "                         \
      "AND schedule_value = ?3 AND state = 3 AND waits_on IS NULL AND blocked = 0 ORDER BY id LIMIT 1")                \
    S(OWED_BLOCKED, PLANNED,                                                                                           \
      "SELECT schedule, schedule_value, (SELECT at_ms FROM event WHERE disbursement = d.id ORDER BY seq LIMIT 1) "     \
      "FROM disbursement d INDEXED BY disbursement_blocked WHERE treasury = ?1 AND state = 3 AND blocked > 0 "         \
      "ORDER BY id LIMIT ?2")                                                                                          \
    S(METER_SUBMITTED, PLANNED,                                                                                        \
      "SELECT nonce FROM intent i WHERE treasury = ?1 AND (status >= 3 OR EXISTS (SELECT 1 FROM attempt "              \
      "WHERE intent = i.id AND verdict NOT IN (0, 9))) ORDER BY nonce DESC LIMIT 1")                                   \
    S(METER_MOVES, PLANNED,                                                                                            \
      "SELECT e.seq, e.treasury, e.at_ms, e.cause, e.from_state, e.to_state, "                                         \
      "(SELECT at_ms FROM event WHERE disbursement = e.disbursement ORDER BY seq LIMIT 1), "                           \
      "(SELECT CASE WHEN schedule = 1 THEN schedule_value ELSE 0 END FROM disbursement WHERE id = e.disbursement), "   \
      "CASE WHEN e.cause BETWEEN 7 AND 9 THEN (SELECT gas_used FROM attempt WHERE intent = e.intent AND status = 3) "  \
      "END, "                                                                                                          \
      "CASE WHEN e.cause BETWEEN 7 AND 9 THEN (SELECT gas_price FROM attempt WHERE intent = e.intent AND status = 3) " \
      "END, "                                                                                                          \
      "e.to_state IN (7, 8) AND EXISTS (SELECT 1 FROM disbursement WHERE waits_on = e.disbursement) "                  \
      "FROM event e WHERE e.seq > ?1 ORDER BY e.seq LIMIT ?2")                                                         \
    /* adopting */                                                                                                     \
    S(ATTEMPTS, SHOWN,                                                                                                 \
      "SELECT a.id, a.intent, i.nonce, a.seq, a.purpose, a.status, a.hash, a.max_priority_fee_per_gas, "               \
      "a.max_fee_per_gas, a.signed_ms, a.sends, a.last_sent_ms, a.verdict, a.message, a.block_no, a.block_hash, "      \
      "a.gas_used, a.gas_price FROM intent i JOIN attempt a ON a.intent = i.id WHERE i.treasury = ?1 AND "             \
      "(i.nonce, a.seq) > (?2, ?3) AND i.nonce >= ?2 ORDER BY i.nonce, a.seq LIMIT ?4")                                \
    S(CONTENTS, SHOWN,                                                                                                 \
      "SELECT id, version, state, ref, destination, amount, waits_on IS NOT NULL, schedule, schedule_value, asset, "   \
      "content_hash FROM disbursement WHERE treasury = ?1 AND id > ?2 ORDER BY id LIMIT ?3")                           \
    S(ADOPT_INTENT, SHOWN,                                                                                             \
      "INSERT INTO intent (treasury, nonce, kind, status, to_address, value, data, gas_limit, lease_epoch, bound_ms) " \
      "VALUES (?1, ?2, ?3, 1, ?4, ?5, ?6, ?7, ?8, ?9)")                                                                \
    S(ADOPT_ATTEMPT, SHOWN,                                                                                            \
      "INSERT INTO attempt (treasury, intent, seq, purpose, status, hash, max_priority_fee_per_gas, "                  \
      "max_fee_per_gas, signed_ms, raw) SELECT ?1, ?2, coalesce(max(seq), 0) + 1, ?3, 1, ?4, ?5, ?6, ?7, ?8 "          \
      "FROM attempt WHERE intent = ?2")                                                                                \
    S(ADOPT_INTENT_STATUS, SHOWN, "SELECT status FROM intent WHERE id = ?1 AND treasury = ?2 AND nonce = ?3")          \
    S(ADOPT_INCLUDED_PURPOSE, SHOWN, "SELECT purpose FROM attempt WHERE intent = ?1 AND status = 2")                   \
    S(ADOPT_REOPEN_ATTEMPTS, SHOWN,                                                                                    \
      "UPDATE attempt SET status = 1, block_no = NULL, block_hash = NULL, last_sent_ms = 0 WHERE intent = ?1 "         \
      "AND status = 2")                                                                                                \
    S(ADOPT_FINISH, SHOWN,                                                                                             \
      "UPDATE attempt SET status = 3, block_no = ?3, block_hash = ?4, gas_used = ?5, gas_price = ?6 WHERE "            \
      "intent = ?1 AND hash = ?2")                                                                                     \
    S(ADOPT_PURPOSE, SHOWN, "SELECT purpose FROM attempt WHERE intent = ?1 AND hash = ?2")                             \
    S(ADOPT_TREASURY, SHOWN,                                                                                           \
      "UPDATE treasury SET first_nonce = min(first_nonce, ?2), lease_epoch = max(lease_epoch, ?3), halt_code = 0, "    \
      "halt_reason = '' WHERE id = ?1")                                                                                \
    S(ADOPT_ANCHOR, SHOWN, "UPDATE treasury SET anchor_no = ?2, anchor_hash = ?3 WHERE id = ?1")                       \
    S(ADOPT_HOLES, SHOWN,                                                                                              \
      "SELECT max(i.nonce) + 1 - t.first_nonce - count(*) FROM intent i JOIN treasury t ON t.id = i.treasury "         \
      "WHERE i.treasury = ?1")

enum sqlite_statement {
#define S(name, scope, sql) SQL_##name,
    SQLITE_STATEMENTS(S)
#undef S
        SQL_COUNT
};

#endif
