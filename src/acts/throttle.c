/* throttle.c - how often somebody may be wrong. */

#include "acts/throttle.h"

#include <string.h>

#include "acts/service.h"
#include "base/address.h"
#include "base/clock.h"

#define MINUTE_MS 60000
#define DAY_US    (86400 * CLOCK_SECOND_US)

/* An IPv6 client has at least all of a /64 (RFC 6177), so that is one client. */
#define CLIENT_BITS 64

/* ---- accounts and devices ------------------------------------------------ */

void
throttle_account_digest(const struct keys *keys, const char *login_key,
    unsigned char digest[static DIGEST_SIZE])
{
	keys_prove(keys, KEYS_THROTTLE_ACCOUNT, login_key, strlen(login_key),
	    digest);
}

static bool
know_device(const struct service *service, const char *token, int64_t now_us,
    struct throttle *throttle, struct id *device)
{
	int days = service->config->device_cookie_days;

	return token != NULL && days > 0 &&
	       device_token_open(service->keys, token, strlen(token),
		   throttle->account, now_us, days * DAY_US, device) == 0;
}

void
throttle_choose(const struct service *service, const char *login_key,
    const char *device_token, int64_t now_us, struct throttle *throttle)
{
	const struct config *config = service->config;
	struct id device;

	throttle_account_digest(service->keys, login_key, throttle->account);
	memcpy(throttle->digest, throttle->account, DIGEST_SIZE);
	throttle->by = METRICS_THROTTLE_ACCOUNT;
	if (know_device(service, device_token, now_us, throttle, &device)) {
		/* Devices are drawn by chance: no two accounts share one. */
		keys_prove(service->keys, KEYS_THROTTLE_DEVICE, device.bytes,
		    sizeof(device.bytes), throttle->digest);
		throttle->by = METRICS_THROTTLE_DEVICE;
	}
	throttle->rule = (struct throttle_rule){
		.digest = config->throttle_failures > 0 ? throttle->digest : NULL,
		.free_failures = config->throttle_failures,
		.most_seconds = config->throttle_lock_seconds,
		.quiet_seconds = config->throttle_quiet_seconds,
		.now_us = now_us,
	};
}

void
throttle_device(const struct service *service, const struct throttle *throttle,
    int64_t now_us, char token[static DEVICE_TOKEN_SIZE])
{
	struct id device = id_random();

	token[0] = '\0';
	if (service->config->device_cookie_days > 0)
		device_token_issue(service->keys, &device, throttle->account,
		    now_us, token);
}

/* ---- addresses ----------------------------------------------------------- */

#define SETS 4096

/* Whose keys are others is another service, whose failures are not ours. */
static struct buckets *
open_by_name(const struct config *config)
{
	char name[SHARED_NAME_SIZE];

	shared_name_make(name, "addresses-1-", config->key_dir);
	return buckets_open(SETS, (struct shared_name){
		.folder = config->shared_dir,
		.name = name,
		.use = "counting failures by address",
		.remedy = "set throttle_address_rate to 0",
	});
}

int
throttle_open(const struct config *config, bool by_name,
    struct buckets **buckets)
{
	*buckets = NULL;
	if (config->throttle_address_rate == 0)
		return 0;
	*buckets = by_name ? open_by_name(config) : buckets_new(SETS);
	return *buckets != NULL ? 0 : -1;
}

static struct buckets_limit
limit_by(const struct config *config)
{
	return (struct buckets_limit){
		.interval_ms = MINUTE_MS / config->throttle_address_rate,
		.burst = config->throttle_address_burst,
	};
}

size_t
throttle_addresses_refused(const struct config *config,
    const struct buckets *buckets)
{
	struct buckets_limit limit;

	if (buckets == NULL)
		return 0;
	limit = limit_by(config);
	return buckets_count_empty(buckets, &limit, clock_steady_ms());
}

struct bucket_key {
	unsigned char bytes[sizeof(struct address) + 1];
};

/* Whose bucket it is, and how large; false when there is no limit. */
static bool
limit_of(const struct service *service, enum throttle_bucket bucket,
    const char *text, struct bucket_key *key, struct buckets_limit *limit)
{
	const struct config *config = service->config;
	struct address client;

	if (config->throttle_address_rate == 0 || service->buckets == NULL ||
	    address_parse(text, &client) != 0)
		return false;
	if (!address_is_ipv4(&client))
		address_cut(&client, CLIENT_BITS);
	key->bytes[0] = (unsigned char)bucket;
	memcpy(key->bytes + 1, client.bytes, sizeof(client.bytes));
	*limit = limit_by(config);
	return true;
}

int
throttle_address_wait(const struct service *service,
    enum throttle_bucket bucket, const char *address)
{
	struct buckets_limit limit;
	struct bucket_key key;
	int64_t wait_ms;

	if (!limit_of(service, bucket, address, &key, &limit))
		return 0;
	wait_ms = buckets_wait_ms(service->buckets, &limit, key.bytes,
	    sizeof(key.bytes), clock_steady_ms());
	return (int)((wait_ms + 999) / 1000);
}

void
throttle_address_failed(const struct service *service,
    enum throttle_bucket bucket, const char *address)
{
	struct buckets_limit limit;
	struct bucket_key key;

	if (limit_of(service, bucket, address, &key, &limit))
		buckets_take(service->buckets, &limit, key.bytes,
		    sizeof(key.bytes), clock_steady_ms());
}
