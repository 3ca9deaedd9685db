/* throttle.h - how often somebody may be wrong.
 *
 * Three counts, each of which a sign-in must pass:
 *
 *  - of an account, known or not: failures in a row, in the database, kept by a
 *    digest of the address.  Five are free, then it is locked for 1, 2, 4, ...
 *    seconds;
 *  - of a device, in place of the account's: who shows a device token, given at
 *    an earlier sign-in, has a count of his own.  So nobody who fails on purpose
 *    locks the owner out of the browser that he uses;
 *  - of a client's address (an IPv6 one counts by its /64): a token bucket in
 *    shared memory, from which failures take.  Those who share an address share
 *    it, so it is generous, and a sign-in that succeeds costs nothing.
 *
 * An address has a second bucket, for refresh tokens that are none of ours.  It is
 * asked about these alone, and what they take out of it no sign-in misses: so
 * whoever shares an address with somebody who invents tokens does not notice.  A
 * genuine token whose session is over is no failure: that is how the tabs of an
 * honest browser learn of it.
 *
 * What is locked is refused before anything is hashed, and that lengthens no
 * lock.  Failures are counted when they are known, together with the audit row;
 * of many attempts side by side those that come to a lock then are not told
 * whether they were right (store/throttle.h).  So honest sign-ins side by side
 * never get in each other's way, and guesses side by side gain nothing. */

#ifndef POSTERN_ACTS_THROTTLE_H
#define POSTERN_ACTS_THROTTLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buckets.h"
#include "base/digest.h"
#include "base/metrics.h"
#include "store/throttle.h"
#include "token/device_token.h"

struct service;

/* What an attempt counts against. */
struct throttle {
	unsigned char account[DIGEST_SIZE]; /* of the address */
	unsigned char digest[DIGEST_SIZE];  /* whose row it is */
	enum metrics_throttle by;           /* account or device */
	struct throttle_rule rule;
};

/* The digest by which an address, in its canonical form, is counted. */
void throttle_account_digest(const struct keys *keys, const char *login_key,
    unsigned char digest[static DIGEST_SIZE]);

/*
 * Find out which count an attempt is for: the device's when `device_token` (or
 * NULL) is a good one for this account, else the account's.  The rule points
 * into *throttle.
 */
void throttle_choose(const struct service *service, const char *login_key,
    const char *device_token, int64_t now_us, struct throttle *throttle);

/* A device token for a browser that has just signed in; "" when the settings
 * want none. */
void throttle_device(const struct service *service,
    const struct throttle *throttle, int64_t now_us,
    char token[static DEVICE_TOKEN_SIZE]);

/* What is counted of an address, each in a bucket of its own. */
enum throttle_bucket {
	THROTTLE_PASSWORDS,
	THROTTLE_TOKENS,
};

/* Whole seconds until this client's address may try again; 0: now. */
int throttle_address_wait(const struct service *service,
    enum throttle_bucket bucket, const char *address);

/* Something that this client wanted has failed. */
void throttle_address_failed(const struct service *service,
    enum throttle_bucket bucket, const char *address);

/* How many addresses may not try again yet, of both buckets; of no buckets, none. */
size_t throttle_addresses_refused(const struct config *config,
    const struct buckets *buckets);

/*
 * Make service->buckets, 32768 in 256 KiB: for this process and those forked from
 * it, or `by_name`, in shared_dir, for all of this user's with the same key_dir.
 * There they stay when the last one ends.  0, or -1 (logged); *buckets is NULL, too,
 * where the settings limit no address.
 */
int throttle_open(const struct config *config, bool by_name,
    struct buckets **buckets);

#endif
