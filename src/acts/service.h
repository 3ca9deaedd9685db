/* service.h - what one worker holds to do its work. */

#ifndef POSTERN_ACTS_SERVICE_H
#define POSTERN_ACTS_SERVICE_H

#include "acts/ended.h"
#include "base/board.h"
#include "base/buckets.h"
#include "base/config.h"
#include "store/db.h"
#include "token/access_cache.h"
#include "token/keys.h"

struct client_cache;
struct gate;

/* Made once in a worker, given to every act.  All borrowed. */
struct service {
	const struct config *config;
	struct db *db;
	struct keys *keys;
	struct client_cache *clients;
	struct access_cache *tokens;
	struct gate *gate;         /* to hash behind */
	struct buckets *buckets;   /* of client addresses; NULL: no limit */
	struct board *board;       /* of all workers; NULL without a pool */
	int slot;                  /* this one's, on the board */
	struct ended *ended;       /* known to all workers; NULL: nobody shares
	                              it */
};

#endif
