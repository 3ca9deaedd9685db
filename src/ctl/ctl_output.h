/* ctl_output.h - one answer, shown to a person or given to a script: commands
 * build it as JSON once, and tables are made of the same members. */

#ifndef POSTERN_CTL_CTL_OUTPUT_H
#define POSTERN_CTL_CTL_OUTPUT_H

#include <stdint.h>

#include "base/ids.h"

struct ctl;
struct ctl_column;
struct json_object;

/* Send out what was printed.  False: not all of it could be written. */
bool ctl_output_flush(void);

/*
 * An answer: for scripts as JSON; for people as a sentence, or as lines of heading
 * and value.  Absent and null show as "-".  Uses up `answer`.
 */
void ctl_output_sentence(const struct ctl *ctl, struct json_object *answer,
    const char *format, ...) __attribute__((format(printf, 3, 4)));
void ctl_output_record(const struct ctl *ctl, struct json_object *answer,
    const struct ctl_column *columns);

/* An answer for scripts alone, in which a terminal finds nothing to obey either.
 * Uses it up. */
void ctl_output_json(struct json_object *answer);

/*
 * A page of a list: for scripts {"NAME": rows, "next": after}; for people a table
 * with headings, and how to see the next one.  `after` is "" on the last page.
 * Uses up `rows`.
 */
void ctl_output_page(const struct ctl *ctl, const char *name,
    struct json_object *rows, const struct ctl_column *columns,
    const char *after);

/* Members of an answer. */
void ctl_output_add_time(struct json_object *object, const char *member,
    int64_t us); /* RFC 3339; 0 gives null */
void ctl_output_add_id(struct json_object *object, const char *member,
    const struct id *id); /* nil gives null */
void ctl_output_add_text(struct json_object *object, const char *member,
    const char *text); /* "" gives null */

#endif
