-- The three roles, made once by a superuser in any database of the cluster:
--
--   postern_owner    owns the schema; posternctl migrate
--   postern_admin    manages accounts, keys and sessions; posternctl
--   postern_service  what the network-facing program connects as
--
-- They have no password: let the operating system's user names decide
-- (pg_hba.conf "peer" with a map), or set one with \password.

CREATE ROLE postern_owner LOGIN;
CREATE ROLE postern_admin LOGIN;
CREATE ROLE postern_service LOGIN;
