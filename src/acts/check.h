/* check.h - may this session still pass?  For web servers that ask before each
 * request of a place that they protect. */

#ifndef POSTERN_ACTS_CHECK_H
#define POSTERN_ACTS_CHECK_H

#include <stdint.h>

#include "acts/client.h"

struct service;

enum check_result {
	CHECK_OK,
	CHECK_OVER, /* the session has ended, or its person may have none */
	CHECK_UNAVAILABLE, /* nobody can tell now */
	CHECK_FAILED,
};

/*
 * Check the session of an admitted client, whose token is genuine and not
 * expired.  Writes nothing.
 *
 * With check=fast the list of ended sessions (ended.h) decides, and the database
 * is asked only where the list does not know.  With check=strict it always is:
 * does the session stand, and does its account keep sessions?
 */
enum check_result check_session(const struct service *service,
    const struct client *client, int64_t now_us);

#endif
