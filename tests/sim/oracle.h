/* The oracle: judges from the chain and the inputs. The store is only asked whether it agrees, at the very end. */
#ifndef SIM_ORACLE_H
#define SIM_ORACLE_H

#include "world.h"

/* At any time: nobody is paid twice, or unasked, or what was cancelled; no nonce means two payments, and no payment
 * two nonces; no coin is made or lost. */
void oracle_check(struct world *world);
/* When everything is healed and rests: what could be paid is paid, halts have true causes, the store and `reconcile`
 * say what is so. */
void oracle_judge(struct world *world);

#endif
