/* See comparison.h. */
#include "service/comparison.h"

#include "service/json_values.h"

json_t *comparison_difference_json(const struct reconcile_difference *difference)
{
    return json_pack("{s:o,s:o,s:o,s:o}", "nonce",
                     difference->has_nonce ? json_integer((json_int_t)difference->nonce) : json_null(), "id",
                     difference->disbursement ? json_integer((json_int_t)difference->disbursement) : json_null(), "ref",
                     difference->ref[0] ? output_json_text(difference->ref) : json_null(), "what",
                     output_json_text(difference->what));
}

/* [{"token", "paid"}], in base units; NULL when out of memory. */
static json_t *tokens_json(const struct token_sums *tokens)
{
    json_t *list = json_array();
    for (size_t i = 0; i < tokens->count && list; i++) {
        json_t *item = json_pack("{s:o,s:o}", "token", output_json_address(&tokens->sums[i].token), "paid",
                                 output_json_amount(tokens->sums[i].on_chain));
        if (json_array_append_new(list, item) != 0) {
            json_decref(list);
            list = NULL;
        }
    }
    return list;
}

json_t *comparison_json(const struct reconcile_result *result, json_t *differences)
{
    return json_pack("{s:b,s:o,s:I,s:I,s:o,s:o,s:I,s:o}", "ok", result->differences == 0, "tokens_paid",
                     tokens_json(&result->tokens), "checked", (json_int_t)result->checked, "in_flight",
                     (json_int_t)result->in_flight, "paid_total", output_json_amount(result->paid_total), "fees_total",
                     output_json_amount(result->fees_total), "differences_total", (json_int_t)result->differences,
                     "differences", differences);
}
