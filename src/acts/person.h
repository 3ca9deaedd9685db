/* person.h - who the caller is, as the database has it now. */

#ifndef POSTERN_ACTS_PERSON_H
#define POSTERN_ACTS_PERSON_H

#include <stdint.h>

#include "acts/client.h"
#include "base/email.h"
#include "base/ids.h"
#include "store/logins.h"

struct service;

struct person {
	struct id user;
	char email[EMAIL_SIZE]; /* as the person wrote it */
	enum account_status status;
};

enum person_result {
	PERSON_OK,
	PERSON_NOBODY,       /* a publishable key speaks for nobody */
	PERSON_KEY_GONE,     /* the API key's owner is */
	PERSON_SESSION_OVER, /* the session has ended, or its person is gone */
	PERSON_DISABLED,
	PERSON_UNAVAILABLE,
	PERSON_FAILED,
};

/*
 * Find the person whom a client speaks for: by its session, which must still
 * stand (an access token tells only what stood when it was issued), else by its
 * secret API key.
 */
enum person_result person_find(const struct service *service,
    const struct client *client, int64_t now_us, struct person *person);

#endif
