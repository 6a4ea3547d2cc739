/* A statement in CSV: every column where the heading says, texts unaltered, amounts exact. */
#include "service/statement.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct disbursement_record paid(void)
{
    return (
        struct disbursement_record){ .id = 7,
                                     .ref = "a",
                                     .destination = { { 0x70, 0x99, 0x79, 0x70, 0xc5, 0x18, 0x12, 0xdc, 0x3a, 0x01,
                                                        0x0c, 0x7d, 0x01, 0xb5, 0x0e, 0x0d, 0x17, 0xdc, 0x79, 0xc8 } },
                                     .amount = bursar_amount_from_u64(1500000000000000001u),
                                     .memo = "",
                                     .state = STATE_FINALIZED,
                                     .queued_ms = 1760000000999,
                                     .ended_ms = 1760000060000,
                                     .has_nonce = true,
                                     .nonce = 3,
                                     .has_transaction = true,
                                     .transaction_hash = { { 0xab } },
                                     .has_block = true,
                                     .block = { .number = 105, .hash = { { 0xcd } } },
                                     .has_fee = true,
                                     .gas_used = 21000,
                                     .effective_gas_price_wei = 1000000000000000007u };
}

static const struct asset_names NAMES = { 0 };

static void assert_row(const struct disbursement_record *record, const char *expected)
{
    struct buf buf = { 0 };
    assert_true(statement_csv_row(&buf, record, &NAMES));
    assert_string_equal(buf.data, expected);
    buf_free(&buf);
}

#define ZEROS "000000000000000000000000000000000000000000000000000000000000"

static void a_paid_row_has_everything_in_the_headings_order(void **state)
{
    (void)state;
    struct disbursement_record record = paid();
    struct buf buf = { 0 };
    assert_true(statement_csv_heading(&buf));
    assert_string_equal(
        buf.data,
        "id,ref,destination,asset,amount,amount_ether,memo,state,nonce,tx_hash,block_number,"
        "block_hash,gas_used,effective_gas_price,fee,queued_at,final_at,asset_name,amount_units,short_by\r\n");
    buf_free(&buf);
    /* the fee is wider than 64 bits */
    assert_row(&record, "7,\"a\",0x70997970C51812dc3A010C7d01b50e0d17dc79C8,native,1500000000000000001,"
                        "1.500000000000000001,\"\",finalized,3,0xab00" ZEROS ","
                        "105,0xcd00" ZEROS ","
                        "21000,1000000000000000007,21000000000000000147000,2025-10-09T08:53:20Z,2025-10-09T08:54:20Z,,"
                        "1.500000000000000001,\r\n");
}

static void what_there_is_not_is_empty(void **state)
{
    (void)state;
    struct disbursement_record record = paid();
    record.state = STATE_QUEUED;
    record.has_nonce = record.has_transaction = record.has_block = record.has_fee = false;
    record.ended_ms = 0;
    assert_row(&record, "7,\"a\",0x70997970C51812dc3A010C7d01b50e0d17dc79C8,native,1500000000000000001,"
                        "1.500000000000000001,\"\",queued,,,,,,,,2025-10-09T08:53:20Z,,,1.500000000000000001,\r\n");
}

static void a_tokens_amount_is_never_called_ether(void **state)
{
    (void)state;
    struct disbursement_record record = paid();
    record.asset = (struct asset){ .is_token = true, .token = record.destination };
    record.has_decimals = true;
    record.decimals = 6;
    record.state = STATE_QUEUED;
    record.has_nonce = record.has_transaction = record.has_block = record.has_fee = false;
    record.ended_ms = 0;
    assert_row(&record, "7,\"a\",0x70997970C51812dc3A010C7d01b50e0d17dc79C8,0x70997970C51812dc3A010C7d01b50e0d17dc79C8,"
                        "1500000000000000001,,\"\",queued,,,,,,,,2025-10-09T08:53:20Z,,,1500000000000.000001,\r\n");
    record.has_decimals = false;
    assert_row(&record, "7,\"a\",0x70997970C51812dc3A010C7d01b50e0d17dc79C8,0x70997970C51812dc3A010C7d01b50e0d17dc79C8,"
                        "1500000000000000001,,\"\",queued,,,,,,,,2025-10-09T08:53:20Z,,,,\r\n");
}

static void what_a_token_moved_less_stands_at_the_end(void **state)
{
    (void)state;
    struct disbursement_record record = paid();
    struct buf buf = { 0 };
    record.is_short = true;
    record.short_by = bursar_amount_from_u64(15);
    assert_true(statement_csv_row(&buf, &record, &NAMES));
    assert_non_null(strstr(buf.data, ",1.500000000000000001,15\r\n"));
    buf_free(&buf);
}

static void texts_are_quoted_and_not_altered(void **state)
{
    (void)state;
    struct disbursement_record record = paid();
    struct buf buf = { 0 };
    record.ref = "=1+1,\"x\"";
    record.memo = "two\r\nlines, \"quoted\"; \xc3\xbc\n@SUM(A1)";
    assert_true(statement_csv_row(&buf, &record, &NAMES));
    assert_non_null(strstr(buf.data, "7,\"=1+1,\"\"x\"\"\",0x7099"));
    assert_non_null(strstr(buf.data, ",\"two\r\nlines, \"\"quoted\"\"; \xc3\xbc\n@SUM(A1)\",finalized,"));
    buf_free(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_paid_row_has_everything_in_the_headings_order),
        cmocka_unit_test(what_there_is_not_is_empty),
        cmocka_unit_test(what_a_token_moved_less_stands_at_the_end),
        cmocka_unit_test(a_tokens_amount_is_never_called_ether),
        cmocka_unit_test(texts_are_quoted_and_not_altered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
