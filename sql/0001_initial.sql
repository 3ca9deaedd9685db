-- The first schema: accounts, sessions, API keys, audit.
--
-- Kept portable (PostgreSQL 13 and later, and its distributed relatives): ids
-- and times come as parameters; no extension, trigger, sequence, enum,
-- procedural language or foreign key between shards; the shard key leads every
-- primary key.  Roles are made by roles.sql; this file runs as postern_owner.
--
-- Every text has a limit here too, so that no defect above can fill the disk.
-- A fillfactor below 100 leaves room on the page for the rows that change in
-- place: no column that changes often has an index, so such a change writes
-- neither an index nor a second page.

CREATE SCHEMA IF NOT EXISTS postern;

-- One row a migration; written by posternctl migrate.
CREATE TABLE postern.schema_migrations (
	number      integer NOT NULL PRIMARY KEY,
	name        text NOT NULL,
	applied_at  timestamptz NOT NULL
);

-- Who an e-mail address belongs to: the one read of a sign-in.  The primary key
-- is what keeps addresses unique.
CREATE TABLE postern.logins (
	login_key     text NOT NULL PRIMARY KEY, -- canonical: NFC, lower case
	user_id       uuid NOT NULL,
	email         text NOT NULL,             -- as the person wrote it
	pw_hash       text,                      -- $s1$...; NULL: no password
	pw_changed_at timestamptz,
	status        smallint NOT NULL DEFAULT 0,
	created_at    timestamptz NOT NULL,
	CONSTRAINT logins_login_key_size
	    CHECK (octet_length(login_key) BETWEEN 3 AND 254),
	CONSTRAINT logins_email_size
	    CHECK (octet_length(email) BETWEEN 3 AND 254),
	CONSTRAINT logins_pw_hash_size
	    CHECK (octet_length(pw_hash) BETWEEN 1 AND 511),
	CONSTRAINT logins_status_known CHECK (status BETWEEN 0 AND 5)
) WITH (fillfactor = 90);

-- 0 confirmed, 1 unconfirmed, 2 force change password, 3 reset required,
-- 4 external provider, 5 disabled; the same number in both tables.
CREATE TABLE postern.users (
	user_id         uuid NOT NULL PRIMARY KEY,
	login_key       text NOT NULL,
	email           text NOT NULL,          -- a copy of the login's
	status          smallint NOT NULL DEFAULT 0,
	last_sign_in_at timestamptz,            -- written at every sign-in
	created_at      timestamptz NOT NULL,
	name            text,                   -- what people call them
	CONSTRAINT users_login_key_size
	    CHECK (octet_length(login_key) BETWEEN 3 AND 254),
	CONSTRAINT users_email_size
	    CHECK (octet_length(email) BETWEEN 3 AND 254),
	CONSTRAINT users_name_size CHECK (octet_length(name) BETWEEN 1 AND 200),
	CONSTRAINT users_status_known CHECK (status BETWEEN 0 AND 5)
) WITH (fillfactor = 80);

-- A refresh-token session.  user_id and sid stand inside the token, so it is
-- found by primary key; only the digest of the current token is kept.
CREATE TABLE postern.sessions (
	user_id    uuid NOT NULL,
	sid        uuid NOT NULL,               -- version 7: ordered by time
	token_hash bytea NOT NULL,              -- SHA-256 of the current token
	generation integer NOT NULL DEFAULT 0,
	created_at timestamptz NOT NULL,
	rotated_at timestamptz NOT NULL,
	expires_at timestamptz NOT NULL,        -- absolute
	ended_at   timestamptz,
	ended_why  smallint,                    -- 1 signed out, 2 reuse of an
	                                        -- old token, 3 operator,
	                                        -- 4 password or status changed
	key_id     uuid,                        -- of the API key that opened
	                                        -- it; NULL: a password did
	address    text,                        -- where it was opened from
	device     text,                        -- its User-Agent
	PRIMARY KEY (user_id, sid),
	CONSTRAINT sessions_token_hash_size
	    CHECK (octet_length(token_hash) = 32),
	CONSTRAINT sessions_address_size CHECK (octet_length(address) <= 45),
	CONSTRAINT sessions_device_size CHECK (octet_length(device) <= 200),
	CONSTRAINT sessions_ended_with_reason
	    CHECK ((ended_at IS NULL) = (ended_why IS NULL))
) WITH (fillfactor = 85);

CREATE TABLE postern.api_keys (
	user_id      uuid NOT NULL,             -- nil: belongs to nobody
	key_id       uuid NOT NULL,
	secret_hash  bytea NOT NULL,            -- SHA-256 of the whole key
	scope        smallint NOT NULL,         -- 0 publishable, 1 secret
	name         text NOT NULL,
	created_at   timestamptz NOT NULL,
	expires_at   timestamptz,
	last_used_at timestamptz,               -- written at most hourly
	revoked_at   timestamptz,
	PRIMARY KEY (user_id, key_id),
	CONSTRAINT api_keys_secret_hash_size
	    CHECK (octet_length(secret_hash) = 32),
	CONSTRAINT api_keys_scope_known CHECK (scope BETWEEN 0 AND 1),
	CONSTRAINT api_keys_name_size CHECK (octet_length(name) <= 200)
) WITH (fillfactor = 80);

-- What happened; rows are added and, when they are old, removed, never changed.
CREATE TABLE postern.audit_events (
	user_id  uuid NOT NULL,                 -- nil: not known
	event_id uuid NOT NULL,                 -- version 7
	at       timestamptz NOT NULL,
	kind     smallint NOT NULL,             -- 1 sign-in, 2 sign-in refused,
	                                        -- 3 an old refresh token came
	                                        -- back, 4 sign-out
	sid      uuid,
	address  text,
	reason   text,                          -- a word of the program's own
	PRIMARY KEY (user_id, event_id),
	CONSTRAINT audit_events_address_size
	    CHECK (octet_length(address) <= 45),
	CONSTRAINT audit_events_reason_size CHECK (octet_length(reason) <= 64)
);

-- Least privilege.  The service reads accounts and keys, opens and moves
-- sessions, and writes audit rows it cannot read back.  It can neither make,
-- remove, rename nor enable an account: of one it may only renew the verifier
-- after a right password, and note the time.  Of a session it may not move the
-- owner, the beginning or the end of its life.
GRANT USAGE ON SCHEMA postern TO postern_service, postern_admin;

GRANT SELECT ON postern.schema_migrations TO postern_service, postern_admin;
GRANT SELECT ON postern.logins, postern.users, postern.sessions,
	postern.api_keys TO postern_service;
GRANT UPDATE (pw_hash) ON postern.logins TO postern_service;
GRANT UPDATE (last_sign_in_at) ON postern.users TO postern_service;
GRANT UPDATE (last_used_at) ON postern.api_keys TO postern_service;
GRANT INSERT, UPDATE (token_hash, generation, rotated_at, ended_at, ended_why)
	ON postern.sessions TO postern_service;
GRANT INSERT ON postern.audit_events TO postern_service;

GRANT SELECT, INSERT, UPDATE, DELETE ON postern.logins, postern.users,
	postern.sessions, postern.api_keys TO postern_admin;
GRANT SELECT, INSERT, DELETE ON postern.audit_events TO postern_admin;
