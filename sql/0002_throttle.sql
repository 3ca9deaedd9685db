-- How often a sign-in failed, by account or by device.
--
-- A digest is an HMAC under a secret outside the database, of an address that
-- somebody may have or not: the table tells nobody whose it is.  Rows that were
-- quiet for long mean nothing; posternctl session cleanup removes them.

CREATE TABLE postern.throttle (
	digest    bytea NOT NULL PRIMARY KEY,
	failures  integer NOT NULL,             -- in a row, 0 after a success
	failed_at timestamptz NOT NULL,         -- the last one
	CONSTRAINT throttle_digest_size CHECK (octet_length(digest) = 32),
	CONSTRAINT throttle_failures_sign CHECK (failures >= 0)
) WITH (fillfactor = 80);

-- The service counts, and forgets by setting to 0; only an administrator
-- removes.
GRANT SELECT, INSERT, UPDATE (failures, failed_at) ON postern.throttle
	TO postern_service;
GRANT SELECT, INSERT, UPDATE, DELETE ON postern.throttle TO postern_admin;
