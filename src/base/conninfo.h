/* conninfo.h - libpq connection strings, fit to be seen. */

#ifndef POSTERN_BASE_CONNINFO_H
#define POSTERN_BASE_CONNINFO_H

/* Room for what is shown of any connection string a setting may hold. */
#define CONNINFO_SIZE 2048

/*
 * Write a connection string with *** in place of every password (PostgreSQL
 * documentation, "Connection Strings").  When in doubt more is hidden: user and
 * query of a URI too; a value that looks as if a password were in it; all of a
 * text that libpq would not understand either.  Cut at CONNINFO_SIZE.
 */
void conninfo_show(const char *conninfo, char text[static CONNINFO_SIZE]);

#endif
