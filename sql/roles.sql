-- The three roles and, when asked, the database; run by a superuser with psql,
-- as often as you like:
--
--   psql -d postgres -f sql/roles.sql                      the roles alone
--   psql -d postgres -v database=postern -f sql/roles.sql  and their database
--
--   postern_owner    owns the database and its schema; posternctl migrate
--   postern_admin    manages accounts, keys and sessions; posternctl
--   postern_service  what the network-facing program connects as
--
-- The roles have no password: let the operating system's user names decide
-- (pg_hba.conf "peer" with a map), or set one with \password ROLE.
--
-- Without psql, the database is made by
--   CREATE DATABASE postern OWNER postern_owner TEMPLATE template0
--     ENCODING UTF8;
--   REVOKE ALL ON DATABASE postern FROM PUBLIC;
-- and GRANT CONNECT ON DATABASE postern TO the two other roles.

\set ON_ERROR_STOP on

SELECT format('CREATE ROLE %I LOGIN', wanted.name)
  FROM (VALUES ('postern_owner'), ('postern_admin'), ('postern_service'))
       AS wanted(name)
 WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_roles
                    WHERE rolname = wanted.name)
\gexec

\if :{?database}

-- template0, because a site's template1 may hold anything, in any encoding.
SELECT format('CREATE DATABASE %I OWNER postern_owner TEMPLATE template0 '
              'ENCODING UTF8', :'database')
 WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_database
                    WHERE datname = :'database')
\gexec

-- Nobody else comes in, and the service makes nothing: no temporary table, and
-- (before PostgreSQL 15) nothing in the schema public.
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"database" TO postern_admin, postern_service;
\connect :"database"
REVOKE ALL ON SCHEMA public FROM PUBLIC;

\endif
