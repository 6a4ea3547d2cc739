/* Values as the program's JSON has them, in `--json` and over HTTP alike. NULL: out of memory, which passes through
 * json_pack to whoever writes the document. */
#ifndef SERVICE_JSON_VALUES_H
#define SERVICE_JSON_VALUES_H

#include <bursar/amount.h>
#include <bursar/types.h>

#include <jansson.h>
#include <stdint.h>

#define COIN_DECIMALS 18

json_t *output_json_text(const char *text); /* what is not UTF-8 is shown as '?' */
json_t *output_json_amount(struct bursar_amount amount);
json_t *output_json_address(const struct bursar_address *address);
json_t *output_json_hash(const struct bursar_hash *hash);
json_t *output_json_ms(uint64_t wall_ms); /* RFC 3339 text; null for 0 */

#endif
