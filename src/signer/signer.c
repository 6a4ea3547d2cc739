/* What every signer behind the seam shares. */
#include "signer/signer.h"

#include <stdlib.h>

void signed_transaction_clear(struct signed_transaction *signed_transaction)
{
    free(signed_transaction->raw);
    *signed_transaction = (struct signed_transaction){ 0 };
}
