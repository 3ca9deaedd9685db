/* ctl_table.h - members of answers as a person reads them: a table, or lines of
 * heading and value, on stdout.  Absent and null show as "-". */

#ifndef POSTERN_CTL_CTL_TABLE_H
#define POSTERN_CTL_CTL_TABLE_H

struct json_object;

/* What a table on a terminal may do with a column. */
enum ctl_column_kind {
	CTL_WHOLE, /* nothing: somebody may want to copy it */
	CTL_TIME,  /* leave out the milliseconds */
	CTL_LONG,  /* the last one: cut what does not fit */
	CTL_SPARE, /* leave it out when the table does not fit */
};

/* A member of the answer, and what a person reads above or beside it. */
struct ctl_column {
	const char *member; /* NULL ends a list */
	const char *heading;
	enum ctl_column_kind kind; /* in a record without meaning */
};

/* One object, a line a member. */
void ctl_table_record(const struct json_object *object,
    const struct ctl_column *columns);

/*
 * A row for each object of an array, under headings.  On a terminal that is
 * narrower than the table, columns that do not fit stand in a further line under
 * the others, indented; one with nothing to tell is left out.  A file or a program
 * gets one line a row, and all of it.
 */
void ctl_table_print(const struct json_object *rows,
    const struct ctl_column *columns);

#endif
