/* The table of routes. What a route answers is written down in openapi.json. */
#include "http/call.h"

#include "base/cleanup.h"

#define JSON "application/json"
#define PAYMENT_FILE "text/csv application/jsonl application/x-ndjson"

const struct http_route HTTP_ROUTES[] = {
    { "GET", "/healthz", HTTP_SCOPE_OPEN, NULL, http_get_healthz },
    { "GET", "/readyz", HTTP_SCOPE_OPEN, NULL, http_get_readyz },
    { "GET", "/metrics", HTTP_SCOPE_METRICS, NULL, http_get_metrics },
    { "GET", "/openapi.json", HTTP_SCOPE_OPEN, NULL, http_get_openapi },
    { "GET", "/", HTTP_SCOPE_OPEN, NULL, http_get_dashboard },
    { "GET", "/dashboard/{file}", HTTP_SCOPE_OPEN, NULL, http_get_dashboard_file },
    { "GET", "/v1/status", HTTP_SCOPE_READ, NULL, http_get_status },
    { "GET", "/v1/disbursements", HTTP_SCOPE_READ, NULL, http_list_disbursements },
    { "POST", "/v1/disbursements", HTTP_SCOPE_PAY, JSON, http_create_disbursements },
    { "GET", "/v1/disbursements/{id}", HTTP_SCOPE_READ, NULL, http_show_disbursement },
    { "POST", "/v1/disbursements/{id}/cancel", HTTP_SCOPE_OPERATE, JSON, http_cancel_disbursement },
    { "POST", "/v1/disbursements/{id}/retry", HTTP_SCOPE_OPERATE, JSON, http_retry_disbursement },
    { "POST", "/v1/payment-files", HTTP_SCOPE_PAY, PAYMENT_FILE, http_import_payment_file },
    { "GET", "/v1/balance", HTTP_SCOPE_READ, NULL, http_get_balance },
    { "GET", "/v1/balance/history", HTTP_SCOPE_READ, NULL, http_get_balance_history },
    { "GET", "/v1/breaker", HTTP_SCOPE_READ, NULL, http_get_breaker },
    { "POST", "/v1/breaker", HTTP_SCOPE_OPERATE, JSON, http_set_breaker },
    { "GET", "/v1/treasury-events", HTTP_SCOPE_READ, NULL, http_get_treasury_events },
    { "GET", "/v1/token", HTTP_SCOPE_READ, NULL, http_get_token },
    { "GET", "/v1/events", HTTP_SCOPE_READ, NULL, http_get_events },
    { "GET", "/v1/export", HTTP_SCOPE_READ, NULL, http_export },
    { "GET", "/v1/reconcile", HTTP_SCOPE_READ, NULL, http_get_reconcile },
    { "POST", "/v1/reconcile", HTTP_SCOPE_OPERATE, JSON, http_start_reconcile },
    { "POST", "/rpc", HTTP_SCOPE_READ, JSON, http_json_rpc },
};
const size_t HTTP_ROUTE_COUNT = COUNT_OF(HTTP_ROUTES);
